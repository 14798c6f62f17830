import { type HttpRequest, isHttp11 } from "./message.js";
import { lowerAscii, tokenAt } from "./token.js";

/** Why a request is refused before anything else looks at it, and the status to refuse it with. */
export interface FramingFault {
  readonly status: 400 | 431 | 501 | 505;
  readonly reason: string;
}

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
  if (mayLackFields(req.rawHeaders.length / 2, maxHeadersCount)) {
    return { status: 431, reason: "more header fields than the server reads" };
  }
  // RFC 9110 §15.6.6. Node's parser accepts HTTP/0.9 and HTTP/2.0 in a request line.
  if (req.httpVersionMajor !== 1) return { status: 505, reason: "an HTTP version other than HTTP/1" };
  const framing = readFraming(req.rawHeaders);
  if (typeof framing === "string") return { status: 400, reason: framing };
  return framing.codings === undefined ? undefined : codingFault(req, framing.codings, framing.lengths);
}

/** How many fields Node's parser hands over at a time. */
const FIELDS_IN_BATCH = 31;

/**
 * Whether Node may have left out fields of a request. Content-Length or Transfer-Encoding may be among them.
 *
 * Node 20 stops taking batches of fields at `maxHeadersCount`. `rawHeaders` then ends with the batch that reached the
 * limit. If that batch ends exactly at the limit, nothing shows whether others followed. Node 22 and later respond 431
 * by themselves (docs/facts.md, "More fields than maxHeadersCount").
 */
function mayLackFields(fields: number, maxHeadersCount: number | null | undefined): boolean {
  const limit = (maxHeadersCount ?? 1_000) || Number.POSITIVE_INFINITY;
  return fields > limit || (fields === limit && limit % FIELDS_IN_BATCH === 0);
}

interface Framing {
  /** The number of `Content-Length` lines: 0 or 1. */
  readonly lengths: number;
  /** The lines of `Transfer-Encoding` as one. */
  readonly codings: string | undefined;
}

// Returns the fault as text.
function readFraming(raw: readonly string[]): Framing | string {
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
  return { lengths, codings };
}

function codingFault(req: HttpRequest, codings: string, lengths: number): FramingFault | undefined {
  if (lengths > 0) return { status: 400, reason: "both Content-Length and Transfer-Encoding" };
  if (!isHttp11(req)) return { status: 400, reason: "Transfer-Encoding in HTTP/1.0" };
  if (lowerAscii(codings) === "chunked") return undefined;
  const reason = "a Transfer-Encoding other than chunked";
  // RFC 9112 §6.1: 501 for a coding that the server does not implement. §6.3: 400 unless chunked is the last one. §7.1:
  // chunked is applied once.
  const members = lowerAscii(codings)
    .split(",")
    .map((member) => member.trim());
  const others = members.slice(0, -1).map((member) => tokenAt(member, 0));
  const isFramed = members.at(-1) === "chunked" && !others.includes("") && !others.includes("chunked");
  return { status: isFramed ? 501 : 400, reason };
}

function isNamed(name: string, lowerCaseName: string): boolean {
  return name.length === lowerCaseName.length && (name === lowerCaseName || name.toLowerCase() === lowerCaseName);
}
