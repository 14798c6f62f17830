import type { ServerResponse } from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import { HANDSHAKE } from "../handshake/content.js";
import type { Handshake } from "../handshake/handshake.js";
import { closeSeenStream } from "./closing.js";
import { mustClose } from "./must-close.js";

/** The methods that begin the final response of a stream. The compatibility API calls the first. */
type Responders = Pick<ServerHttp2Stream, "respond" | "respondWithFD" | "respondWithFile">;

const RESPONDERS = Symbol("responders");

type Watched = ServerHttp2Stream & { [RESPONDERS]: Responders; [HANDSHAKE]?: Handshake };

/**
 * Watches the final response of a stream, whoever sends it, and closes the stream if its request still has content
 * coming. Node leaves such a stream open.
 *
 * @see RFC 9113 §8.1: RST_STREAM with NO_ERROR after a complete response
 */
export function watchStreamFinal(handshake: Handshake, stream: ServerHttp2Stream): void {
  const watched = stream as Watched;
  watched[HANDSHAKE] = handshake;
  watched[RESPONDERS] = ownResponders(stream);
  stream.respond = respondWatched;
  stream.respondWithFD = respondWithFDWatched;
  stream.respondWithFile = respondWithFileWatched;
  if (stream.session) handshake.sessionWatch = handshake.context.lingering.watchSession(stream.session);
  if (handshake.req.method !== "HEAD") {
    stream.on("finish", closeStreamSoon);
    return;
  }
  // The stream of a response to HEAD never finishes.
  const { res } = handshake;
  const { end } = res;
  res.end = function (this: ServerResponse, ...args: unknown[]): ServerResponse {
    setImmediate(() => closeStreamSoon.call(stream));
    return Reflect.apply(end, this, args);
  } as ServerResponse["end"];
}

// A client that reads the response and the reset at once may report a failed upload (curl 7.88 on h2c). Pausing the
// stream holds back Node's own reset, and the client by its window.
function closeStreamSoon(this: ServerHttp2Stream): void {
  const handshake = (this as Watched)[HANDSHAKE];
  if (!handshake || handshake.hasArrived || !mustClose(handshake, handshake.finalStatus)) return;
  this.pause();
  closeSeenStream(handshake, this);
}

// Nearly all streams have the same methods, and share one object.
let shared: Responders | undefined;

function ownResponders({ respond, respondWithFD, respondWithFile }: Responders): Responders {
  const isShared =
    shared?.respond === respond && shared.respondWithFD === respondWithFD && shared.respondWithFile === respondWithFile;
  if (!shared || !isShared) shared = { respond, respondWithFD, respondWithFile };
  return shared;
}

// Shared by all streams, as the next two.
function respondWatched(this: Watched, ...args: Parameters<Responders["respond"]>): void {
  begin(this, args[0]);
  this[RESPONDERS].respond.apply(this, args);
}

function respondWithFDWatched(this: Watched, ...args: Parameters<Responders["respondWithFD"]>): void {
  begin(this, args[1]);
  this[RESPONDERS].respondWithFD.apply(this, args);
}

function respondWithFileWatched(this: Watched, ...args: Parameters<Responders["respondWithFile"]>): void {
  begin(this, args[1]);
  this[RESPONDERS].respondWithFile.apply(this, args);
}

// The fields are an object or, since Node 24, a flat list of names and values.
function begin(stream: Watched, fields: object | undefined): void {
  const listed =
    Array.isArray(fields) && fields.includes(":status") ? fields[fields.indexOf(":status") + 1] : undefined;
  const status = listed ?? (fields as { ":status"?: unknown } | undefined)?.[":status"] ?? 200;
  stream[HANDSHAKE]?.beginFinal(Number(status));
}
