import { type HttpRequest, isHttp11 } from "./message.js";
import { lowerAscii } from "./token.js";

/**
 * Returns why the end of an HTTP/1 request cannot be trusted, or `undefined` if its framing is sound.
 *
 * Another recipient may see the end of such a request elsewhere, and so take content for a request (request smuggling).
 * Node's parser refuses most of these requests itself, unless the server has the option `insecureHTTPParser`.
 *
 * @param maxHeadersCount - the server's limit of header fields; `null` or `undefined` means 1,000, and 0 no limit.
 * @see RFC 9112 §3.2 (Host), §6.1 (Transfer-Encoding), §6.3 (Content-Length)
 */
export function framingFault(req: HttpRequest, maxHeadersCount: number | null | undefined): FramingFault | undefined {
  // Node 20 leaves out the fields beyond its limit, and Content-Length or Transfer-Encoding may be among them
  // (docs/facts.md, "More fields than maxHeadersCount").
  const maxFields = (maxHeadersCount ?? 1_000) || Number.POSITIVE_INFINITY;
  if (req.rawHeaders.length >= 2 * maxFields) {
    return { status: 431, reason: "more header fields than the server reads" };
  }
  const reason = badFraming(req);
  return reason === undefined ? undefined : { status: 400, reason };
}

/** Why the end of a request cannot be trusted, and the status to refuse it with. */
export interface FramingFault {
  readonly status: 400 | 431;
  readonly reason: string;
}

function badFraming(req: HttpRequest): string | undefined {
  if (req.httpVersionMajor !== 1) return "an HTTP version other than HTTP/1";
  const raw = req.rawHeaders;
  let hosts = 0;
  let lengths = 0;
  let codings: string | undefined;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string;
    const value = raw[i + 1] as string;
    if (isNamed(name, "host")) hosts++;
    else if (isNamed(name, "transfer-encoding")) codings = codings === undefined ? value : `${codings}, ${value}`;
    else if (isNamed(name, "content-length")) {
      if (!/^\d+$/.test(value)) return "Content-Length is not a number";
      if (!Number.isSafeInteger(Number(value))) return "Content-Length is too large";
      lengths++;
    }
  }
  if (hosts > 1) return "more than one Host";
  if (lengths > 1) return "more than one Content-Length";
  if (codings === undefined) return undefined;
  if (lengths > 0) return "both Content-Length and Transfer-Encoding";
  if (lowerAscii(codings) !== "chunked") return "a Transfer-Encoding other than chunked";
  return isHttp11(req) ? undefined : "Transfer-Encoding in HTTP/1.0";
}

function isNamed(name: string, lowerCaseName: string): boolean {
  return name.length === lowerCaseName.length && (name === lowerCaseName || name.toLowerCase() === lowerCaseName);
}
