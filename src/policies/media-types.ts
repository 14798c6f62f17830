import type { IncomingMessage } from "node:http";
import type { HttpRequest } from "../http/message.js";
import { lowerAscii } from "../http/token.js";
import { optionError } from "../support/errors.js";
import { markFactory } from "../support/factories.js";
import { named } from "./names.js";
import { asksForLimits, type Policy, type Upload } from "./policy.js";
import { refuse } from "./refuse.js";

// The names of registered types (RFC 6838 §4.2) are narrower than tokens.
const PATTERN = /^(?:\*\/\*|[\w!#$&^.+-]+\/(?:\*|[\w!#$&^.+-]+)|\+[\w.-]+)$/;

/**
 * Refuses an upload whose `Content-Type` is not one of `types`, with 415 and an `Accept` field that lists them.
 *
 * Refuses content without a `Content-Type`, or with one that cannot be parsed. Accepts a request without content. A
 * client may declare any type: the content itself is not examined.
 *
 * @param types - `type/subtype`, `type/*`, or a structured suffix such as `+json`.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` if the list is empty or has any other member.
 * @example mediaTypes(["image/*", "application/pdf", "+json"])
 * @see RFC 9110 §15.5.16, RFC 6839 (suffixes)
 */
export function mediaTypes<Req extends HttpRequest = IncomingMessage>(types: readonly string[]): Policy<Req> {
  if (!Array.isArray(types) || types.length === 0)
    throw optionError("mediaTypes(types)", types, "a list of one media type or more");
  const patterns = Array.from(types, (type: unknown, i) => {
    if (typeof type !== "string" || !PATTERN.test(type)) {
      throw optionError(`mediaTypes(types)[${i}]`, type, '"type/subtype", "type/*" or "+suffix"');
    }
    return lowerAscii(type);
  });
  // Accept lists media ranges (RFC 9110 §12.5.1), and a suffix alone is not one.
  const ranges = patterns.filter((pattern) => !pattern.startsWith("+"));
  const unsupported = refuse(415, {
    reason: `the media type is none of ${patterns.join(", ")}`,
    headers: ranges.length === 0 ? {} : { Accept: ranges.join(", ") },
  });
  return named("mediaTypes", (_req: Req, upload: Upload) => {
    const { length, mediaType } = upload;
    if (length === 0 || asksForLimits(upload)) return true;
    return mediaType !== undefined && patterns.some((pattern) => matches(pattern, mediaType)) ? true : unsupported;
  });
}

markFactory(mediaTypes, 'mediaTypes(["image/*"])');

function matches(pattern: string, mediaType: string): boolean {
  if (pattern === "*/*") return true;
  if (pattern.startsWith("+")) return mediaType.endsWith(pattern);
  if (pattern.endsWith("/*")) return mediaType.startsWith(pattern.slice(0, -1));
  return mediaType === pattern;
}
