import { type HttpRequest, isHttp11 } from "./message.js";
import { lowerAscii } from "./token.js";

/**
 * Says what is wrong with the header section of an HTTP/1 request; `undefined` where nothing is.
 *
 * Node's parser refuses these itself, unless `insecureHTTPParser` lets them through.
 *
 * @param maxHeadersCount - the server's: Node reads no more fields. `null` means 1,000, and 0 no limit.
 * @see RFC 9112 §3.2 (Host), §6.1 (Transfer-Encoding), §6.3 (Content-Length)
 */
export function framingFault(req: HttpRequest, maxHeadersCount: number | null | undefined): FramingFault | undefined {
  // What Node 20 cuts off behind its limit may be the framing itself.
  if (req.rawHeaders.length >= 2 * mostFields(maxHeadersCount))
    return { status: 431, reason: "more fields than can be read" };
  const reason = badFraming(req);
  return reason === undefined ? undefined : { status: 400, reason };
}

/** Why a request cannot be trusted to end where it says, and the status that tells so. */
export interface FramingFault {
  readonly status: 400 | 431;
  readonly reason: string;
}

function mostFields(maxHeadersCount: number | null | undefined): number {
  return (maxHeadersCount ?? 1_000) || Number.POSITIVE_INFINITY;
}

function badFraming(req: HttpRequest): string | undefined {
  if (req.httpVersionMajor !== 1) return "a version of HTTP that is none of HTTP/1";
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
      if (!/^\d+$/.test(value)) return "Content-Length is no number";
      if (!Number.isSafeInteger(Number(value))) return "Content-Length is beyond any content";
      lengths++;
    }
  }
  if (hosts > 1) return "more than one Host";
  if (lengths > 1) return "more than one Content-Length";
  if (codings === undefined) return undefined;
  if (lengths > 0) return "Content-Length beside Transfer-Encoding";
  if (lowerAscii(codings) !== "chunked") return "a Transfer-Encoding other than chunked";
  return isHttp11(req) ? undefined : "Transfer-Encoding in HTTP/1.0";
}

function isNamed(name: string, folded: string): boolean {
  return name.length === folded.length && (name === folded || name.toLowerCase() === folded);
}
