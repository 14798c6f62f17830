import type { IncomingMessage } from "node:http";
import { type EntityTags, isEntityTag, isStrongMatch, isWeakMatch, parseEntityTags } from "../http/entity-tags.js";
import { parseHttpDate } from "../http/http-date.js";
import type { HttpRequest } from "../http/message.js";
import { answerError, optionError } from "../support/errors.js";
import { markFactory } from "../support/factories.js";
import { named } from "./names.js";
import type { Policy, Upload, Verdict } from "./policy.js";
import { refuse } from "./refuse.js";
import { isThenable } from "./run.js";

/** The resource that is stored at an upload's target. */
export interface StoredResource {
  /** The entity tag as in an `ETag` field, quotes included: `"abc"`, or `W/"abc"` for a weak one. */
  etag?: string | undefined;
  /** When the resource was last changed. HTTP dates have whole seconds: milliseconds are ignored. */
  lastModified?: Date | undefined;
}

/** Finds the resource that is stored at an upload's target; returns `undefined` or `null` if there is none. */
export type PreconditionLookup<Req extends HttpRequest = IncomingMessage> = (
  req: Req,
  upload: Upload,
) => StoredResource | null | undefined | Promise<StoredResource | null | undefined>;

/**
 * Refuses a `PUT`, `PATCH` or `DELETE` with 412 if its `If-Match`, `If-Unmodified-Since` or `If-None-Match` does not
 * hold, before its content is sent.
 *
 * Refuses with 400 if a list of entity tags cannot be parsed. Calls `lookup` only if the request has one of these
 * fields. Ignores `If-Unmodified-Since` if it is not an HTTP date or `lastModified` is unknown, as RFC 9110 §13.1.4
 * requires.
 *
 * Two uploads may pass at the same time. A handler that must not overwrite has to check again when it writes, for
 * example with the flag `wx`.
 *
 * @param lookup - returns the `etag` and `lastModified` of the stored resource, or nothing.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` if `lookup` is not a function.
 * @example preconditions(async (req) => await files.find(req.url)) // with If-None-Match: *, refuses duplicates
 * @see RFC 9110 §13.1, §13.2.2
 */
export function preconditions<Req extends HttpRequest = IncomingMessage>(lookup: PreconditionLookup<Req>): Policy<Req> {
  if (typeof lookup !== "function") throw optionError("preconditions(lookup)", lookup, "a function");
  return named("preconditions", (req: Req, upload: Upload) => {
    const conditions = METHODS.has(req.method ?? "") ? conditionsOf(req) : undefined;
    if (conditions === undefined) return true;
    if (conditions === "malformed") return MALFORMED;
    const stored = lookup(req, upload);
    return isThenable(stored)
      ? Promise.resolve(stored).then((found) => judge(conditions, found))
      : judge(conditions, stored);
  });
}

markFactory(preconditions, "preconditions(lookup)");

const METHODS = new Set(["PUT", "PATCH", "DELETE"]);
const MALFORMED = refuse(400, { reason: "If-Match or If-None-Match is not a list of entity tags" });
const FAILED = refuse(412, { reason: "a precondition does not hold" });

interface Conditions {
  readonly ifMatch: EntityTags | undefined;
  readonly ifNoneMatch: EntityTags | undefined;
  /** Seconds since 1970. */
  readonly ifUnmodifiedSince: number | undefined;
}

function conditionsOf(req: HttpRequest): Conditions | "malformed" | undefined {
  const { "if-match": match, "if-none-match": noneMatch, "if-unmodified-since": since } = req.headers;
  if (match === undefined && noneMatch === undefined && since === undefined) return undefined;
  const ifMatch = match === undefined ? undefined : parseEntityTags(match);
  const ifNoneMatch = noneMatch === undefined ? undefined : parseEntityTags(noneMatch);
  if (ifMatch === "malformed" || ifNoneMatch === "malformed") return "malformed";
  return { ifMatch, ifNoneMatch, ifUnmodifiedSince: since === undefined ? undefined : parseHttpDate(since) };
}

// The order of RFC 9110 §13.2.2, for methods that change the resource.
function judge({ ifMatch, ifNoneMatch, ifUnmodifiedSince }: Conditions, found: unknown): Verdict {
  const stored = requireStored(found);
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, stored, isStrongMatch)) return FAILED;
  } else if (ifUnmodifiedSince !== undefined && stored?.lastModified) {
    if (Math.floor(stored.lastModified.getTime() / 1000) > ifUnmodifiedSince) return FAILED;
  }
  if (ifNoneMatch !== undefined && matches(ifNoneMatch, stored, isWeakMatch)) return FAILED;
  return true;
}

function matches(
  tags: EntityTags,
  stored: StoredResource | undefined,
  isMatch: (a: string, b: string) => boolean,
): boolean {
  if (stored === undefined) return false;
  if (tags === "*") return true;
  const { etag } = stored;
  return etag !== undefined && tags.some((tag) => isMatch(tag, etag));
}

function requireStored(found: unknown): StoredResource | undefined {
  if (found === undefined || found === null) return undefined;
  const { etag, lastModified } = found as StoredResource;
  const isTag = etag === undefined || (typeof etag === "string" && isEntityTag(etag));
  const isDate = lastModified === undefined || (lastModified instanceof Date && !Number.isNaN(lastModified.getTime()));
  if (typeof found === "object" && isTag && isDate) return found as StoredResource;
  throw answerError("preconditions(lookup)", found, 'nothing, or { etag: "\\"…\\"", lastModified: Date }');
}
