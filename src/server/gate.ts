import type { Server as HttpServer, IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { type Connection, connectionOf } from "../handshake/connection.js";
import type { ServerContext } from "../handshake/context.js";
import { framingFault } from "../http/framing.js";
import { isBare } from "../http/message.js";
import { isSendingLast } from "../node/response.js";
import { acceptedBy, acceptedSocket } from "../node/server.js";
import { watchRequest } from "./begin.js";
import { hasToWait, hold } from "./held.js";
import { refuseAtGate } from "./refusals.js";
import type { ServerTraffic } from "./traffic.js";

/** Hands a request to the application. */
export type Dispatch = (req: IncomingMessage, res: ServerResponse) => void;

/** The gate of one server. */
export interface Gate {
  readonly context: ServerContext;
  readonly traffic: ServerTraffic;
}

const PASSED = Symbol.for("express-expectations:passed:1");

type Marked = IncomingMessage & { [PASSED]?: ServerContext | readonly ServerContext[] };

/**
 * Whether a request has passed the gate of this context already. It comes back when it is emitted again: by the gate
 * itself, or by an application that rewrites it.
 */
export function hasPassed(req: IncomingMessage, context: ServerContext): boolean {
  const passed = (req as Marked)[PASSED];
  return passed === context || (Array.isArray(passed) && passed.includes(context));
}

/** Marks a request for {@link hasPassed}. */
export function markPassed(req: IncomingMessage, context: ServerContext): void {
  const marked = req as Marked;
  // A list only for the few requests that reach several servers.
  const passed = marked[PASSED];
  marked[PASSED] = passed === undefined ? context : [passed, context].flat();
}

/**
 * Decides what happens to a request that reaches a server: dispatched, held behind another one, or dropped.
 *
 * A request that another server has handed on by `emit` passes each server's gate once, on one handshake.
 *
 * @returns whether the caller may continue with it at once, as if there were no gate.
 * @see RFC 9112 §9.3.2 (pipelining), §9.6 (after close, nothing is processed)
 */
export function admit(
  req: IncomingMessage,
  res: ServerResponse,
  { context, traffic }: Gate,
  dispatch: Dispatch,
): boolean {
  // Node may set `req.socket` to null while the request waits.
  const socket = acceptedSocket(req);
  const connection = connectionOf(socket);
  if (isOver(socket, connection)) {
    drop(req);
    return false;
  }
  const fault = socket && framingFault(req, acceptedBy<HttpServer>(socket)?.maxHeadersCount);
  // A request without content is watched behind one with content, whose refusal must not take its response away.
  if (fault === undefined && isBare(req) && !connection?.open.length) {
    // On HTTP/2 the session ends with its streams.
    if (traffic.isLeaving && "shouldKeepAlive" in res) res.shouldKeepAlive = false;
    return true;
  }
  markPassed(req, context);
  const mustWait = hasToWait(connection) && !connection?.open.some((handshake) => handshake.req === req);
  // Watched from its arrival on: the content of a request that has to wait arrives meanwhile.
  const handshake = watchRequest(req, res, context);
  // Not when its turn comes: whoever waits behind another request came in time.
  const isLate = traffic.isRefusing && !isBare(req);
  const proceed = () => {
    if (isOver(socket, connectionOf(socket)) || handshake.refusal) {
      drop(req);
      return;
    }
    handshake.dispatch();
    if (refuseAtGate(handshake, context, fault)) return;
    if (isLate) traffic.refuse(handshake);
    else dispatch(req, res);
  };
  if (!mustWait) proceed();
  else if (connection && !hold(connection, proceed)) socket?.destroy();
  return false;
}

function isOver(socket: Socket | undefined, connection: Connection | undefined): boolean {
  if (socket === undefined) return false;
  if (socket.destroyed || connection?.lastResponse !== undefined) return true;
  // The application itself ends the connection, perhaps behind a request that is not watched.
  return socket.writableEnded || isSendingLast(socket);
}

// Nobody will read it. Drain it, or the socket stalls.
function drop(req: IncomingMessage): void {
  req.resume?.();
}
