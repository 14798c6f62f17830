import type { IncomingMessage } from "node:http";
import { describedFields } from "../hearing/described-fields.js";
import type { Described } from "../hearing/described-upload.js";
import { announcedContent, type HttpRequest } from "../http/message.js";
import { lowerAscii } from "../http/token.js";
import { uploadLengthOf } from "../http/upload-fields.js";
import { viewOf } from "../node/request-view.js";

/**
 * Whether a request may be a question. A CORS preflight request is none: browsers send it of their own accord, before a
 * request to another origin.
 *
 * @see Fetch Standard, "CORS-preflight request"
 */
export function isQuestion({ method, headers }: HttpRequest): boolean {
  if (method === "POST") return true;
  return method === "OPTIONS" && !("origin" in headers && "access-control-request-method" in headers);
}

/**
 * Reads a question about an upload.
 *
 * @param methods - those that the upload may have.
 * @returns the fault as text if the question is malformed.
 */
export function readQuestion(asking: IncomingMessage, methods: readonly string[]): Described | string {
  if (announcedContent(asking).length !== 0) return "a question has no content";
  const length = uploadLengthOf(asking);
  if (length === "malformed") return "Upload-Length is not one whole number of bytes, 0 or more";
  const method = asking.headers["upload-method"] ?? (methods[0] as string);
  if (!methods.includes(method as string)) return `Upload-Method is none of ${methods.join(", ")}`;
  return {
    req: facade(asking, method as string, length),
    length,
    expectations: [],
    isPreflight: true,
  };
}

// Fields that describe the question itself, or are replaced.
const OF_THE_QUESTION: ReadonlySet<string> = new Set([
  "content-length",
  "expect",
  "transfer-encoding",
  "upload-length",
  "upload-method",
]);

// Everything that middlewares have put on the request is there, such as `params`, `session` and `user`. What policies
// put on it themselves does not reach the question.
function facade(asking: IncomingMessage, method: string, length: number | undefined): IncomingMessage {
  const framing = length === undefined ? [] : ([["Content-Length", String(length)]] as const);
  const { headers, rawHeaders } = describedFields(asking, (name) => !OF_THE_QUESTION.has(name), framing);
  const own = { writable: true, enumerable: true, configurable: true };
  return viewOf(asking, {
    method: { ...own, value: method },
    headers: { ...own, value: headers },
    rawHeaders: { ...own, value: rawHeaders },
    // Node keeps what it has made of the question's lines.
    headersDistinct: { get: () => distinct(rawHeaders), configurable: true },
  });
}

function distinct(rawHeaders: readonly string[]): Record<string, string[]> {
  const values: Record<string, string[]> = Object.create(null);
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = lowerAscii(rawHeaders[i] as string);
    values[name] = [...(values[name] ?? []), rawHeaders[i + 1] as string];
  }
  return values;
}
