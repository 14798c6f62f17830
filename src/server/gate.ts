import { AsyncResource } from "node:async_hooks";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import {
  type Connection,
  closeWithConnection,
  connectionOf,
  type HeldRequest,
  openConnection,
} from "../handshake/connection.js";
import { currentHandshake, Handshake, type HandshakeListener, type ServerContext } from "../handshake/handshake.js";
import { type FramingFault, framingFault } from "../http/framing.js";
import { http2Stream, isBare } from "../http/message.js";
import { reportFault, reportRefusal, tellAccepted, tellContent } from "../observe/record.js";
import { watchFinal } from "../response/final.js";
import { writePlainRefusal } from "../response/refusal.js";
import { asError } from "../support/errors.js";

/** How many requests wait behind one with content, on one connection. */
const MAX_HELD = 16;
/** How long each of them waits, in milliseconds: as long as a verdict may take by default. */
const HELD_MS = 10_000;

/** Hands a request to the application. */
export type Dispatch = (req: IncomingMessage, res: ServerResponse) => void;

const ADMITTED = Symbol.for("express-expectations:admitted:1");

type Marked = IncomingMessage & { [ADMITTED]?: true };

/** Whether the gate has let a request through already: it comes by once more when it is emitted again. */
export function isAdmitted(req: IncomingMessage): boolean {
  return (req as Marked)[ADMITTED] === true;
}

/**
 * Decides what becomes of a request that Node has just parsed: dispatched, held behind another one, or dropped.
 *
 * @returns whether the caller may go on with it at once, as if there were no gate.
 * @see RFC 9112 §9.3.2 (pipelining), §9.6 (after close, nothing is processed)
 */
export function admit(req: IncomingMessage, res: ServerResponse, context: ServerContext, dispatch: Dispatch): boolean {
  const isHttp1 = http2Stream(req) === undefined;
  // Kept: the request may lose it while it waits.
  const { socket } = req;
  const connection = isHttp1 ? connectionOf(socket) : undefined;
  if (isHttp1 && isOver(socket, connection)) {
    drop(req);
    return false;
  }
  const fault = framingFault(req);
  const isUnwatched = fault === undefined && isBare(req);
  if (isUnwatched && !connection?.busyWith) return true;
  // Watched from its arrival on: the content of a request that has to wait arrives meanwhile.
  const handshake = isUnwatched ? undefined : watch(req, res, context);
  const go = () => {
    if (isHttp1 && isOver(socket, connection)) {
      drop(req);
      return;
    }
    if (handshake) {
      if (isHttp1) occupy(openConnection(socket), handshake);
      if (isRefusedByServer(handshake, fault)) return;
    }
    dispatch(req, res);
  };
  if (connection?.busyWith) hold(connection, req, go);
  else go();
  return false;
}

function isOver(socket: Socket | undefined, connection: Connection | undefined): boolean {
  return socket?.destroyed === true || connection?.lastResponse !== undefined;
}

// Nobody will read it: it flows past, so that the drain goes on behind it.
function drop(req: IncomingMessage): void {
  req.resume();
}

function isRefusedByServer(handshake: Handshake, fault: FramingFault | undefined): boolean {
  const { context } = handshake;
  if (fault !== undefined) {
    handshake.isLastOfConnection = true;
    refuseByServer(handshake, fault.status, "framing", fault.reason);
    return true;
  }
  if (!context.refusesUnknownAtOnce || !handshake.undecided.some(({ name }) => !context.names.has(name))) return false;
  refuseByServer(handshake, 417, "unknown-expectation", "an expectation that this server does not know");
  return true;
}

/** Marks a request that is about to be emitted once more. */
export function markAdmitted(req: IncomingMessage): IncomingMessage {
  (req as Marked)[ADMITTED] = true;
  return req;
}

/**
 * Begins the handshake of a request that came past the gate: on a server that is not attached, or with nothing for the
 * gate to look at.
 */
export function beginHandshake(req: IncomingMessage, res: ServerResponse, context: ServerContext): Handshake {
  const handshake = watch(req, res, context);
  if (handshake.socket) occupy(openConnection(handshake.socket), handshake);
  // Its client has left while others had the request in hand: nothing else would tell.
  if (handshake.isGone) handshake.close();
  return handshake;
}

// From here on the request's content, its final status and its connection are watched.
function watch(req: IncomingMessage, res: ServerResponse, context: ServerContext): Handshake {
  const handshake = new Handshake(req, res, context, LISTENER);
  watchFinal(handshake);
  const { socket } = handshake;
  if (socket) {
    const connection = openConnection(socket);
    connection.open = [...connection.open, handshake];
    closeWithConnection(handshake, socket);
  }
  return handshake;
}

const LISTENER: HandshakeListener = {
  onUndecided(handshake) {
    handshake.isAppRunning = true;
    refuseByServer(handshake, 417, "unknown-expectation", "an expectation that nothing on this route accepts");
  },
  onIdle(handshake) {
    handshake.isAppRunning = true;
    refuseByServer(handshake, 408, "body-timeout", "no content arrived in time");
  },
  onAccept: tellAccepted,
  onContent: tellContent,
  onClosed(handshake) {
    if (handshake.socket) leave(openConnection(handshake.socket), handshake);
  },
};

/** Answers 500 in the place of an application that has no error handler of its own. */
export function refuseForError(
  req: IncomingMessage,
  res: ServerResponse,
  context: ServerContext,
  error: unknown,
): void {
  const handshake = currentHandshake(req) ?? beginHandshake(req, res, context);
  const refusal = { status: 500, policy: "guard", reason: undefined };
  handshake.refuse(refusal);
  reportFault(handshake.context.logger, handshake, refusal, asError(error));
  writePlainRefusal(handshake, 500);
}

function refuseByServer(handshake: Handshake, status: number, policy: string, reason: string): void {
  const refusal = { status, policy, reason };
  handshake.refuse(refusal);
  reportRefusal(handshake.context.logger, handshake, refusal);
  writePlainRefusal(handshake, status, reason);
  if (status === 408) handshake.failBody("ERR_EXPECT_BODY_TIMEOUT", reason);
  else handshake.failBody("ERR_EXPECT_REFUSED", reason);
}

function occupy(connection: Connection, handshake: Handshake): void {
  // Its client has left while it waited: its place is taken by nobody.
  if (connection.open.includes(handshake)) connection.busyWith = handshake;
}

function leave(connection: Connection, handshake: Handshake): void {
  connection.open = connection.open.filter((other) => other !== handshake);
  if (connection.busyWith !== handshake) return;
  connection.busyWith = undefined;
  releaseHeld(connection);
}

function hold(connection: Connection, req: IncomingMessage, go: () => void): void {
  const { socket } = req;
  if (connection.held.length >= MAX_HELD) {
    socket.destroy();
    return;
  }
  const scope = new AsyncResource("ExpectationsHeldRequest", { requireManualDestroy: false });
  const timer = setTimeout(() => {
    // An answer that is under way is no standstill: what is held waits for its end.
    if (connection.busyWith?.res.headersSent) timer.refresh();
    else socket.destroy();
  }, HELD_MS).unref();
  connection.held.push({ timer, release: () => scope.runInAsyncScope(go) });
}

// One after the other: the next one may bring content of its own, and then the rest goes on waiting.
function releaseHeld(connection: Connection): void {
  while (connection.held.length > 0 && !connection.busyWith) {
    const next = connection.held.shift() as HeldRequest;
    clearTimeout(next.timer);
    next.release();
  }
}
