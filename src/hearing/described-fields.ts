import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { lowerAscii } from "../http/token.js";

/** The header section of an upload, in both forms that Node has. */
export interface DescribedFields {
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: string[];
}

/**
 * Makes the header section of an upload from that of the question about it.
 *
 * @param isOfUpload - whether a field, by its name in lower case, is the upload's as well.
 * @param replaced - fields of the upload in place of those of the question.
 */
export function describedFields(
  asking: IncomingMessage,
  isOfUpload: (name: string) => boolean,
  replaced: readonly (readonly [name: string, value: string])[],
): DescribedFields {
  const headers: IncomingHttpHeaders = {};
  for (const [name, value] of Object.entries(asking.headers)) if (isOfUpload(name)) headers[name] = value;
  for (const [name, value] of replaced) headers[name.toLowerCase()] = value;
  const rawHeaders = asking.rawHeaders.filter((_, i, raw) => isOfUpload(lowerAscii(raw[i - (i % 2)] as string)));
  return { headers, rawHeaders: [...replaced.flat(), ...rawHeaders] };
}
