import type { IncomingMessage } from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import type { Readable } from "node:stream";

// Who reads a request's content. On HTTP/1 the request itself is the source of its content. On HTTP/2 the stream is, and
// the request of the compatibility API is one reader of it.

/** Whether somebody listens for the content, on the request or on its HTTP/2 stream. */
export function hasContentListener(req: IncomingMessage, stream?: ServerHttp2Stream): boolean {
  return hasListener(req) || (stream !== undefined && hasOwnReader(stream));
}

/**
 * Whether a read throws the content away.
 *
 * A stream that flows without a listener for its content discards it: finalhandler and body-parser call `req.resume()`
 * for that. A bare `read()` leaves `readableFlowing` at null and wants the bytes.
 */
export function isDiscarding(req: IncomingMessage, stream?: ServerHttp2Stream): boolean {
  if (stream === undefined || isReadByRequest(stream)) {
    return req.readableFlowing === true && !hasContentListener(req, stream);
  }
  return stream.readableFlowing === true && !hasListener(stream);
}

/**
 * Whether the compatibility API reads a stream on behalf of its request.
 *
 * A request's first read adds a listener of the stream's `data` that is called `onStreamData`. Nothing public tells it
 * from a listener of the application. Without it, a discarded request would look like one that is read. Wire test "the
 * first read of an HTTP/2 request adds onStreamData to its stream".
 */
export function isReadByRequest(stream: ServerHttp2Stream): boolean {
  return stream.listeners("data").some(isCompatListener);
}

// Somebody reads the stream itself, past its request.
function hasOwnReader(stream: ServerHttp2Stream): boolean {
  if (stream.listenerCount("readable") > 0) return true;
  return stream.listenerCount("data") > 0 && !stream.listeners("data").every(isCompatListener);
}

function hasListener(source: Readable): boolean {
  return source.listenerCount("data") > 0 || source.listenerCount("readable") > 0;
}

function isCompatListener({ name }: { readonly name: string }): boolean {
  return name === "onStreamData";
}
