import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse, ServerHttp2Stream } from "node:http2";
import { isToken, lowerAscii, tokenAt } from "./token.js";

/** A request of `node:http`, `node:https` or the compatibility API of `node:http2`. */
export type HttpRequest = IncomingMessage | Http2ServerRequest;
/** A response of `node:http`, `node:https` or the compatibility API of `node:http2`. */
export type HttpResponse = ServerResponse | Http2ServerResponse;

/** The content that a request's header section announces. */
interface AnnouncedContent {
  /** Bytes; 0 for a request without content; `undefined` for content of unknown length. */
  readonly length: number | undefined;
}

const NO_CONTENT: AnnouncedContent = Object.freeze({ length: 0 });
const UNKNOWN_LENGTH: AnnouncedContent = Object.freeze({ length: undefined });

/** Returns the stream of an HTTP/2 request, or `undefined` on HTTP/1. */
export function http2Stream(req: HttpRequest): ServerHttp2Stream | undefined {
  return req.httpVersionMajor === 2 ? (req as Http2ServerRequest).stream : undefined;
}

/** Returns the content that the header section of a request announces (RFC 9112 §6.3, RFC 9113 §8.1.1). */
export function announcedContent(req: HttpRequest): AnnouncedContent {
  const stream = http2Stream(req);
  if (stream?.endAfterHeaders === true) return NO_CONTENT;
  if (req.headers["transfer-encoding"] !== undefined) return UNKNOWN_LENGTH;
  const length = req.headers["content-length"];
  if (length === undefined) return stream ? UNKNOWN_LENGTH : NO_CONTENT;
  return { length: Number(length) };
}

/** Whether a request has neither content nor an `Expect` field. Allocates nothing, since it runs for every request. */
export function isBare(req: HttpRequest): boolean {
  const headers = req.headers;
  if (headers.expect !== undefined || headers["transfer-encoding"] !== undefined) return false;
  if (req.httpVersionMajor === 2 && http2Stream(req)?.endAfterHeaders === false) return false;
  const length = headers["content-length"];
  return length === undefined || length === "0";
}

/** Whether a method is safe, which means that it does not ask for a change (RFC 9110 §9.2.1). */
export function isSafe(method: string | undefined): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS" || method === "TRACE";
}

/** Returns the `type/subtype` of `Content-Type` in lower case; `undefined` if it is missing or cannot be parsed. */
export function mediaTypeOf(req: HttpRequest): string | undefined {
  const field = req.headers["content-type"];
  if (typeof field !== "string") return undefined;
  const essence = lowerAscii((field.split(";", 1)[0] as string).trim());
  // RFC 9110 §8.3.1: media-type = type "/" subtype parameters; type and subtype are tokens
  const type = tokenAt(essence, 0);
  const isMediaType = type !== "" && essence[type.length] === "/" && isToken(essence.slice(type.length + 1));
  return isMediaType ? essence : undefined;
}

/** Whether the server may send interim responses to the client: HTTP/1.1 and later (RFC 9110 §15.2). */
export function isHttp11(req: HttpRequest): boolean {
  // Programs that make requests themselves may give both numbers as text.
  return Number(req.httpVersionMajor) + Number(req.httpVersionMinor) / 10 >= 1.1;
}
