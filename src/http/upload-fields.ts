import { parseItem } from "structured-headers";
import type { HttpRequest } from "./message.js";

/** The largest integer of a structured field has fifteen digits (RFC 9651 §3.3.1). */
const MAX_INTEGER = 999_999_999_999_999;

/**
 * Reads `Upload-Length`, the length of an upload in bytes that a client declares before it sends any of it.
 *
 * @returns `undefined` without the field, and `"malformed"` unless it is one whole number.
 * @see draft-ietf-httpbis-resumable-upload, RFC 9651 §3.3.1
 */
export function uploadLengthOf(req: HttpRequest): number | "malformed" | undefined {
  const value = req.headers["upload-length"];
  if (value === undefined) return undefined;
  // Node joins repeated fields by a comma, which no item has. The parser returns 5 for the decimal 5.0, too.
  if (typeof value !== "string" || !/^ *\d+ *(?:;|$)/.test(value)) return "malformed";
  try {
    return parseItem(value)[0] as number;
  } catch {
    return "malformed";
  }
}

/**
 * Returns the value of `Upload-Limit` for uploads of at most `maxSize` bytes; `undefined` if no such field can hold it.
 *
 * @see draft-ietf-httpbis-resumable-upload
 */
export function uploadLimit(maxSize: number | undefined): string | undefined {
  if (maxSize === undefined || maxSize > MAX_INTEGER) return undefined;
  return `max-size=${maxSize}`;
}
