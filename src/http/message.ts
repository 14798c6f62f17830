import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse, ServerHttp2Stream } from "node:http2";
import { lowerAscii } from "./expect-header.js";

/** A request of `node:http`, `node:https` or the compatibility API of `node:http2`. */
export type HttpRequest = IncomingMessage | Http2ServerRequest;
/** A response of `node:http`, `node:https` or the compatibility API of `node:http2`. */
export type HttpResponse = ServerResponse | Http2ServerResponse;

/**
 * The content that a request's header section announces.
 *
 * `length`: whole bytes; 0 for a request without content; `undefined` for content of unknown length.
 */
export interface AnnouncedContent {
  readonly length: number | undefined;
}

const NO_CONTENT: AnnouncedContent = Object.freeze({ length: 0 });
const UNKNOWN_LENGTH: AnnouncedContent = Object.freeze({ length: undefined });

/** The stream of an HTTP/2 request; `undefined` on HTTP/1. */
export function http2Stream(req: HttpRequest): ServerHttp2Stream | undefined {
  return req.httpVersionMajor === 2 ? (req as Http2ServerRequest).stream : undefined;
}

/** Reads what a header section says about the content that follows it (RFC 9112 §6.3, RFC 9113 §8.1.1). */
export function announcedContent(req: HttpRequest): AnnouncedContent {
  const stream = http2Stream(req);
  if (stream?.endAfterHeaders === true) return NO_CONTENT;
  if (req.headers["transfer-encoding"] !== undefined) return UNKNOWN_LENGTH;
  const length = req.headers["content-length"];
  if (length === undefined) return stream ? UNKNOWN_LENGTH : NO_CONTENT;
  return { length: Number(length) };
}

/**
 * Whether a request is of no concern to this package: no content and no `Expect`. Allocates nothing.
 */
export function isBare(req: HttpRequest): boolean {
  const headers = req.headers;
  if (headers.expect !== undefined || headers["transfer-encoding"] !== undefined) return false;
  if (req.httpVersionMajor === 2 && http2Stream(req)?.endAfterHeaders === false) return false;
  const length = headers["content-length"];
  return length === undefined || length === "0";
}

/** Whether a method is safe: it asks for no change of state (RFC 9110 §9.2.1). */
export function isSafe(method: string | undefined): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS" || method === "TRACE";
}

/** The `type/subtype` of a request's `Content-Type`, in lower case; `undefined` without a readable one. */
export function mediaTypeOf(req: HttpRequest): string | undefined {
  const field = req.headers["content-type"];
  if (typeof field !== "string") return undefined;
  const essence = lowerAscii((field.split(";", 1)[0] as string).trim());
  return /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+$/.test(essence) ? essence : undefined;
}

/**
 * Says what is wrong with the header section of an HTTP/1 request; `undefined` where nothing is.
 *
 * Node's parser refuses these itself, unless `insecureHTTPParser` lets them through.
 *
 * @see RFC 9112 §3.2 (Host), §6.1 (Transfer-Encoding), §6.3 (Content-Length)
 */
export function framingFault(req: HttpRequest): FramingFault | undefined {
  if (req.httpVersionMajor === 2 && http2Stream(req)) return undefined;
  // What Node 20 cuts off behind its limit may be the framing itself.
  if (req.rawHeaders.length >= 2 * mostFields(req)) return { status: 431, reason: "more fields than can be read" };
  const reason = badFraming(req);
  return reason === undefined ? undefined : { status: 400, reason };
}

/** Why a request cannot be trusted to end where it says, and the status that tells so. */
export interface FramingFault {
  readonly status: 400 | 431;
  readonly reason: string;
}

// Node: `server.maxHeadersCount`; null stands for 1,000, and 0 for no limit.
function mostFields(req: HttpRequest): number {
  const socket = req.socket as { server?: { maxHeadersCount?: number | null } } | undefined;
  return (socket?.server?.maxHeadersCount ?? 1_000) || Number.POSITIVE_INFINITY;
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

/** Whether the client may be sent an interim response: HTTP/1.1 and later (RFC 9110 §15.2). */
export function isHttp11(req: HttpRequest): boolean {
  return req.httpVersionMajor > 1 || (req.httpVersionMajor === 1 && req.httpVersionMinor >= 1);
}
