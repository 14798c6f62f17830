import type { ServerResponse } from "node:http";
import { constants, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { openConnection, SENT } from "../handshake/connection.js";
import { currentHandshake, type Handshake } from "../handshake/handshake.js";
import { endSoon, replaceDestroySoon } from "../node/socket.js";
import { ExpectationError } from "../support/errors.js";
import { failReader, isBeingRead } from "./must-close.js";

/**
 * Ends a connection behind a response, which nothing on the connection may follow. Its time to end runs from the moment
 * that the response is written whole, whether or not Node ever says that it has been sent.
 */
export function closeBehind(handshake: Handshake, socket: Socket): void {
  const { res } = handshake;
  openConnection(socket).lastResponse ??= res;
  lingerAtEnd(handshake, socket);
  // Node has ended a socket whose client it saw leave: no `prefinish` follows, because nothing can be sent any more.
  if (res.writableEnded || socket.writableEnded) startDeadline.call(res);
  // Emitted once. `once()` would make a wrapper for each response.
  else res.on("prefinish", startDeadline);
}

/**
 * Ends the connection of a response that has begun, and that its application may still end. What it does not end now is
 * cut: a client must not take half a response for a whole one.
 */
export function endBegun(handshake: Handshake): void {
  setImmediate(() => {
    if (handshake.isAnswered) closeAfterEnd(handshake);
    else cut(handshake);
  });
}

/** Ends a response that has begun, and its connection, so that its client sees that it is not whole. */
export function cut(handshake: Handshake): void {
  const { res, socket, stream } = handshake;
  if (stream) setImmediate(cancel, stream);
  else if (!socket) failInjected(handshake);
  else if (res.socket) socket.destroy();
  // The response waits behind earlier ones, which are sent whole. Nothing of this one is.
  else res.once("socket", () => lingerNow(handshake, socket));
}

// Not within the read that passed a limit: Node aborts the process when it sends the end of a stream that was closed and
// destroyed there (docs/facts.md, "A stream that is closed during a read").
function cancel(stream: ServerHttp2Stream): void {
  stream.close(constants.NGHTTP2_CANCEL);
}

// No socket closes for it. An error is what tells the program that waits for the response that it is not whole.
function failInjected(handshake: Handshake): void {
  const { res, refusal } = handshake;
  const error = new ExpectationError("ERR_EXPECT_REFUSED", `the response was cut: refused with ${refusal?.status}`);
  res.destroy(error);
  process.nextTick(() => {
    if (res.listenerCount?.("error") > 0) res.emit("error", error);
    handshake.close();
  });
}

/** Ends the connection of a response that has been written, or is being written, as one that could be kept. */
export function closeAfterEnd(handshake: Handshake): void {
  const { res, socket, stream } = handshake;
  if (stream) closeSeenStream(handshake, stream);
  if (!socket) return;
  closeBehind(handshake, socket);
  if (res.writableFinished) endSoon(socket);
}

/** Closes the stream of a response when its client has seen it. */
export function closeSeenStream(handshake: Handshake, stream: ServerHttp2Stream): void {
  handshake.context.lingering.addStream(stream, () => {
    if (isBeingRead(handshake)) failReader(handshake);
    handshake.content.closeStream();
    // Not at the stream's `close`: a stream whose reset cannot be sent emits none.
    handshake.close();
  });
}

/** Makes the socket linger when Node ends it, which would close it with unread bytes: the client would get a reset. */
export function lingerAtEnd(handshake: Handshake, socket: Socket): void {
  openConnection(socket).lingersFor = handshake;
  replaceDestroySoon(socket, lingerSoon);
}

// Without a response.
function lingerNow(handshake: Handshake, socket: Socket): void {
  lingerAtEnd(handshake, socket);
  endSoon(socket);
}

// Shared by all responses. `prefinish` says that the application has written all of it.
function startDeadline(this: ServerResponse): void {
  const handshake = currentHandshake(this.req);
  const socket = handshake?.socket;
  if (!socket) return;
  // It waits for its turn behind earlier responses.
  if (!this.socket && !this.writableFinished) {
    this.once("socket", startDeadline);
    return;
  }
  const { context, refusal } = handshake;
  // A response of the application's own may be long, and its client slow.
  context.lingering.expect(socket, refusal ? undefined : context.bodyTimeoutMs);
}

// Shared by all sockets: a closure for each would keep past refusals in memory until a major collection.
function lingerSoon(this: Socket): void {
  const connection = openConnection(this);
  const { lingersFor } = connection;
  if (!lingersFor) return;
  connection.lingersFor = undefined;
  connection.lastResponse = SENT;
  if (!lingersFor.hasArrived) endContent(lingersFor, this);
  lingersFor.context.lingering.add(this, contentLeft(lingersFor));
}

// Nothing is parsed from here on, so that the content has no other end.
function endContent(handshake: Handshake, socket: Socket): void {
  if (!isBeingRead(handshake)) handshake.content.end();
  // A listener would keep the request in memory until its client has gone.
  if (handshake.content.isOver) return;
  socket.once("close", () => {
    // Fail the reader after close: its handler may destroy the socket.
    if (isBeingRead(handshake)) failReader(handshake);
    handshake.content.close();
  });
}

// Nothing is on its way when the client waits for a 100, or when all has come.
function contentLeft({ isWithheld, hasArrived, length, received }: Handshake): number | undefined {
  if (hasArrived || (isWithheld && received === 0)) return 0;
  return length === undefined ? undefined : Math.max(0, length - received);
}
