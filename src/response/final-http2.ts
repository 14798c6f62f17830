import type { ServerResponse } from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import type { Handshake } from "../handshake/handshake.js";
import { closeSeenStream } from "./closing.js";
import { mustClose } from "./must-close.js";

/** The methods that begin the final response of a stream. The compatibility API calls the first. */
const RESPONDERS = ["respond", "respondWithFD", "respondWithFile"] as const;

/**
 * Watches the final response of a stream, whoever sends it, and closes the stream if its request still has content
 * coming. Node leaves such a stream open.
 *
 * @see RFC 9113 §8.1: RST_STREAM with NO_ERROR after a complete response
 */
export function watchStreamFinal(handshake: Handshake, stream: ServerHttp2Stream): void {
  for (const name of RESPONDERS) {
    const respond = stream[name] as (...args: unknown[]) => void;
    stream[name] = (...args: unknown[]) => {
      const fields = args.find((arg) => typeof arg === "object") as { ":status"?: number } | undefined;
      handshake.beginFinal(Number(fields?.[":status"] ?? 200));
      return Reflect.apply(respond, stream, args);
    };
  }
  if (stream.session) handshake.onClose(handshake.context.lingering.watchSession(stream.session));
  const closeSoon = () => closeStreamSoon(handshake, stream);
  if (handshake.req.method !== "HEAD") {
    stream.once("finish", closeSoon);
    return;
  }
  // The stream of a response to HEAD never finishes.
  const { res } = handshake;
  const { end } = res;
  res.end = function (this: ServerResponse, ...args: unknown[]): ServerResponse {
    setImmediate(closeSoon);
    return Reflect.apply(end, this, args);
  } as ServerResponse["end"];
}

// A client that reads the response and the reset at once may report a failed upload (curl 7.88 on h2c). Pausing the
// stream holds back Node's own reset, and the client by its window.
function closeStreamSoon(handshake: Handshake, stream: ServerHttp2Stream): void {
  if (handshake.hasArrived || !mustClose(handshake, handshake.finalStatus)) return;
  stream.pause();
  closeSeenStream(handshake, stream);
}
