import type { ServerResponse } from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import { HANDSHAKE } from "./content.js";

/** What a write of an interim response asks the handshake of its request. */
export interface InterimOwner {
  /** Whether an interim response other than 100 may be written now. */
  readonly mayInform: boolean;
  readonly interim: InterimWriters;
  sendContinue(): void;
}

type Writer = (this: never, ...args: unknown[]) => unknown;

/** The methods that write interim responses, as they were before they were watched. */
export interface InterimWriters {
  readonly writeContinue: Writer;
  readonly writeProcessing: Writer;
  readonly writeEarlyHints: Writer;
  /** Since Node 24; the other three call it. */
  readonly writeInformation: Writer | undefined;
  /** Of an HTTP/2 stream; all of the others call it. */
  readonly additionalHeaders: Writer | undefined;
}

type Response = Omit<ServerResponse, keyof InterimWriters> & {
  req: { [HANDSHAKE]?: InterimOwner };
  writeContinue: Writer;
  writeProcessing: Writer;
  writeEarlyHints: Writer;
  writeInformation?: Writer;
};
type Stream = Omit<ServerHttp2Stream, "additionalHeaders"> & { [HANDSHAKE]?: InterimOwner; additionalHeaders: Writer };

/**
 * Watches the interim responses of one response, whichever method writes them. Only the handshake writes a 100, and
 * nothing is written behind the final status: Node 20 and 22 write into the body there, Node 24 and 26 throw.
 *
 * @returns the methods as they were.
 */
export function watchInterim(res: ServerResponse, stream: ServerHttp2Stream | undefined): InterimWriters {
  const response = res as unknown as Response;
  if (stream) return watchStream(response, stream as unknown as Stream);
  const own = ownWriters(response);
  response.writeContinue = continueWatched;
  if (own.writeInformation) response.writeInformation = informWatched;
  else {
    response.writeProcessing = processingWatched;
    response.writeEarlyHints = earlyHintsWatched;
  }
  return own;
}

// Nearly all responses have the same methods, and share one object.
let shared: InterimWriters | undefined;

function ownWriters(response: Response, additionalHeaders?: Writer): InterimWriters {
  const { writeContinue, writeProcessing, writeEarlyHints, writeInformation } = response;
  const isShared =
    shared?.writeContinue === writeContinue &&
    shared?.writeProcessing === writeProcessing &&
    shared?.writeEarlyHints === writeEarlyHints &&
    shared?.writeInformation === writeInformation &&
    shared?.additionalHeaders === additionalHeaders;
  if (!shared || !isShared) {
    shared = { writeContinue, writeProcessing, writeEarlyHints, writeInformation, additionalHeaders };
  }
  return shared;
}

function watchStream(response: Response, stream: Stream): InterimWriters {
  const own = ownWriters(response, stream.additionalHeaders);
  const owner = response.req[HANDSHAKE];
  if (owner) stream[HANDSHAKE] = owner;
  stream.additionalHeaders = additionalHeadersWatched;
  return own;
}

/** Writes a 100. */
export function writeContinue(res: ServerResponse, stream: ServerHttp2Stream | undefined, own: InterimWriters): void {
  if (stream) own.additionalHeaders?.call(stream as never, { ":status": 100 });
  else if (!res.headersSent) {
    if (own.writeInformation) own.writeInformation.call(res as never, 100);
    else own.writeContinue.call(res as never);
  }
  // Node 24 and later refuse as soon as a head is prepared, even while none of it is on the wire.
  else if (res.socket) res.socket.write(CONTINUE);
  else res.once("socket", (socket) => socket.write(CONTINUE));
}

/**
 * Calls a function whose `writeContinue()` does nothing: the 100 goes out when the content is read.
 *
 * For listeners that write the 100 before they run the application, as Restify's does. A guard in the application would
 * come too late.
 */
export function leaveContinueToReads(res: ServerResponse, call: () => void): void {
  const response = res as unknown as Response;
  const { writeContinue } = response;
  const ignored = (...args: unknown[]) => callBack(args);
  response.writeContinue = ignored;
  try {
    call();
  } finally {
    if (response.writeContinue === ignored) response.writeContinue = writeContinue;
  }
}

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

// Shared by all responses: a closure for each would be most of the memory of a pending handshake.
function continueWatched(this: Response, ...args: unknown[]): void {
  this.req[HANDSHAKE]?.sendContinue();
  callBack(args);
}

function informWatched(this: Response, ...args: unknown[]): unknown {
  if (args[0] === 100) return continueWatched.apply(this, args as []);
  return inform(this, this.req[HANDSHAKE], "writeInformation", args);
}

function processingWatched(this: Response, ...args: unknown[]): unknown {
  return inform(this, this.req[HANDSHAKE], "writeProcessing", args);
}

function earlyHintsWatched(this: Response, ...args: unknown[]): unknown {
  return inform(this, this.req[HANDSHAKE], "writeEarlyHints", args);
}

function additionalHeadersWatched(this: Stream, ...args: unknown[]): unknown {
  const status = (args[0] as { ":status"?: unknown } | undefined)?.[":status"];
  if (Number(status) === 100) return this[HANDSHAKE]?.sendContinue();
  return inform(this, this[HANDSHAKE], "additionalHeaders", args);
}

function inform(on: object, owner: InterimOwner | undefined, method: keyof InterimWriters, args: unknown[]): unknown {
  if (owner?.mayInform) return owner.interim[method]?.apply(on as never, args);
  return callBack(args);
}

function callBack(args: unknown[]): void {
  const callback = args.at(-1);
  if (typeof callback === "function") process.nextTick(callback as () => void);
}
