// Private fields of Node's `OutgoingMessage`, as of Node 20 to 26.
import { OutgoingMessage, type ServerResponse } from "node:http";
import { Http2ServerResponse, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { HttpResponse } from "../http/message.js";

/**
 * Whether the final response has begun on the wire.
 *
 * `_headerSent` tells that the head left with the first bytes. The public `headersSent` is true as soon as a head is
 * prepared, when a 100 may still go out before it. Without the field no 100 would follow `writeHead(200)`, and a 100
 * could go out behind a final head. Wire test "_headerSent is false for a head that is prepared, and true when it is on
 * the wire".
 */
export function isFinalOnWire(res: HttpResponse): boolean {
  const stream = (res as Partial<Http2ServerResponse>).stream;
  if (stream) return stream.headersSent;
  return (res as ServerResponse & { _headerSent?: boolean })._headerSent === true;
}

/**
 * Whether a 100 went out before this package could decide: by Node, when nobody listens for `checkContinue`, or by
 * another listener.
 *
 * HTTP/1 has no public record of it; `_sent100` is Node's own mark. Without it a second 100 would follow. Wire test
 * "_sent100 tells of a 100 that Node has sent".
 */
export function hasSentContinue(res: HttpResponse, stream: ServerHttp2Stream | undefined): boolean {
  if (stream) return (stream.sentInfoHeaders ?? []).some((headers) => headers[":status"] === 100);
  return (res as { _sent100?: boolean })._sent100 === true;
}

/**
 * Whether the response that a socket is sending ends the connection, whoever decided that.
 *
 * Node keeps the response that is first in line in `_httpMessage`, and `_last` says that its head has `close`. Nothing
 * public tells of a request that was not watched, and Node runs what is pipelined behind it (RFC 9112 §9.6: it must not).
 * Wire test "_last and _httpMessage tell that the response on the wire is the last one".
 */
export function isSendingLast(socket: Socket): boolean {
  const { _httpMessage: res } = socket as { _httpMessage?: { _last?: boolean; _headerSent?: boolean } | null };
  return res?._last === true && res._headerSent === true;
}

/**
 * Turns off Node's own rule that a final status without a 100 closes the connection.
 *
 * That rule closes too much (content that came during the verdict, requests without content) and too little (an
 * application's `Connection: keep-alive`). `_expect_continue` is its only switch. Without it connections would be
 * closed that could be kept. Wire test "_expect_continue %s makes a final status without a 100 say Connection: %s".
 */
export function disableExpectClose(res: ServerResponse): void {
  (res as ServerResponse & { _expect_continue?: boolean })._expect_continue = false;
}

/**
 * Gives a response the `end` of Node's own class, in place of one that a subclass or a wrapper has put in front of it.
 *
 * Both classes are public; that `end` is defined on `OutgoingMessage` is not documented. Without it, a refusal whose
 * `end` throws is lost. Wire test "end() of Node's own classes ends a
 * response, whatever is in front of it".
 */
export function useOwnEnd(res: ServerResponse): void {
  const own = (res as { stream?: unknown }).stream === undefined ? OutgoingMessage : Http2ServerResponse;
  res.end = own.prototype.end as ServerResponse["end"];
}
