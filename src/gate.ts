import { AsyncResource } from "node:async_hooks";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Connection, connectionOf, type HeldRequest, openConnection } from "./connection.js";
import { watchFinal } from "./final.js";
import { currentHandshake, Handshake, type HandshakeListener, type ServerContext } from "./handshake.js";
import { framingFault, http2Stream, isBare } from "./message.js";
import { refuse } from "./policy.js";
import { logFault, logRefusal } from "./record.js";
import { writeRefusal } from "./refusal.js";

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
  if (!http2Stream(req)) {
    const { socket } = req;
    const connection = connectionOf(socket);
    if (socket.destroyed || connection?.isClosing) {
      // Nobody will read it: it flows past, so that the drain goes on behind it.
      req.resume();
      return false;
    }
    if (connection?.busyWith) {
      hold(connection, req, res, () => void (admit(req, res, context, dispatch) && dispatch(markAdmitted(req), res)));
      return false;
    }
  }
  const fault = framingFault(req);
  if (fault === undefined && isBare(req)) return true;
  const handshake = beginHandshake(req, res, context, false);
  markAdmitted(req);
  if (fault !== undefined) {
    refuseByServer(handshake, 400, "framing", fault);
    return false;
  }
  if (context.refusesUnknownAtOnce && handshake.undecided.some(({ name }) => !context.names.has(name))) {
    refuseByServer(handshake, 417, "unknown-expectation", "an expectation that this server does not know");
    return false;
  }
  dispatch(req, res);
  return false;
}

/** Marks a request that is about to be emitted once more. */
export function markAdmitted(req: IncomingMessage): IncomingMessage {
  (req as Marked)[ADMITTED] = true;
  return req;
}

/**
 * Begins the handshake of a request: from here on its content, its final status and its connection are watched.
 *
 * @param isContinuedByNode - whether Node has sent the 100 already.
 */
export function beginHandshake(
  req: IncomingMessage,
  res: ServerResponse,
  context: ServerContext,
  isContinuedByNode: boolean,
): Handshake {
  const handshake = new Handshake(req, res, context, LISTENER, isContinuedByNode);
  watchFinal(handshake);
  if (handshake.length !== 0 && !http2Stream(req) && req.socket) occupy(openConnection(req.socket), handshake);
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
};

/** Answers 500 in the place of an application that has no error handler of its own. */
export function refuseForError(req: IncomingMessage, error: unknown): void {
  const handshake = currentHandshake(req);
  if (!handshake) throw error;
  const refusal = { status: 500, policy: "guard", reason: undefined };
  handshake.refuse(refusal);
  logFault(handshake.context.logger, handshake, refusal, error instanceof Error ? error : new Error(String(error)));
  writeRefusal(handshake, refuse(500), "auto");
}

function refuseByServer(handshake: Handshake, status: number, policy: string, reason: string): void {
  const refusal = { status, policy, reason };
  handshake.refuse(refusal);
  logRefusal(handshake.context.logger, handshake, refusal);
  writeRefusal(handshake, refuse(status, { reason }), "auto");
  if (status === 408) handshake.failBody("ERR_EXPECT_BODY_TIMEOUT", reason);
  else handshake.failBody("ERR_EXPECT_REFUSED", reason);
}

function occupy(connection: Connection, handshake: Handshake): void {
  connection.busyWith = handshake;
  handshake.res.once("close", () => {
    connection.busyWith = undefined;
    releaseHeld(connection);
  });
}

function hold(connection: Connection, req: IncomingMessage, res: ServerResponse, go: () => void): void {
  if (connection.held.length >= MAX_HELD) {
    req.socket.destroy();
    return;
  }
  const scope = new AsyncResource("ExpectationsHeldRequest", { requireManualDestroy: false });
  const timer = setTimeout(() => req.socket.destroy(), HELD_MS).unref();
  connection.held.push({ req, res, timer, release: () => scope.runInAsyncScope(go) });
}

// One after the other: the next one may bring content of its own, and then the rest goes on waiting.
function releaseHeld(connection: Connection): void {
  while (connection.held.length > 0 && !connection.busyWith) {
    const next = connection.held.shift() as HeldRequest;
    clearTimeout(next.timer);
    next.release();
  }
}
