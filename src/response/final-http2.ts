import type { ServerResponse } from "node:http";
import { constants, type ServerHttp2Stream } from "node:http2";
import type { Handshake } from "../handshake/handshake.js";
import { failReader, isBeingRead, mustClose } from "./must-close.js";

/** How long a client has to read a response and to end its side, before its stream is reset, in milliseconds. */
const RESET_DELAY_MS = 1_000;

/**
 * Closes the stream of a response whose request still has content coming. Node leaves such a stream open.
 *
 * @see RFC 9113 §8.1: RST_STREAM with NO_ERROR after a complete response
 */
export function closeStreamAfterFinal(handshake: Handshake, stream: ServerHttp2Stream): void {
  const { req, res } = handshake;
  const closeSoon = () => closeStreamSoon(handshake, stream);
  if (req.method !== "HEAD") {
    stream.once("finish", closeSoon);
    return;
  }
  // The stream of a response to HEAD never finishes.
  const { end } = res;
  res.end = function (this: ServerResponse, ...args: unknown[]): ServerResponse {
    setImmediate(closeSoon);
    return Reflect.apply(end, this, args);
  } as ServerResponse["end"];
}

// A client that reads the response and the reset at once may report a failed upload (curl 7.88 on h2c). Pausing the
// stream holds back Node's own reset, and the client by its window.
function closeStreamSoon(handshake: Handshake, stream: ServerHttp2Stream): void {
  if (handshake.hasArrived || !mustClose(handshake, handshake.res.statusCode)) return;
  stream.pause();
  const timer = setTimeout(() => {
    if (isBeingRead(handshake)) failReader(handshake);
    stream.close(constants.NGHTTP2_NO_ERROR);
    stream.resume();
  }, RESET_DELAY_MS).unref();
  stream.once("close", () => clearTimeout(timer));
}
