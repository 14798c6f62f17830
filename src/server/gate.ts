import type { Server as HttpServer, IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { type Connection, connectionOf, openConnection } from "../handshake/connection.js";
import type { ServerContext } from "../handshake/context.js";
import { framingFault } from "../http/framing.js";
import { http2Stream, isBare } from "../http/message.js";
import { acceptedBy } from "../node/server.js";
import { watchRequest } from "./begin.js";
import { hold, occupy } from "./held.js";
import { refuseAtGate } from "./refusals.js";

/** Hands a request to the application. */
export type Dispatch = (req: IncomingMessage, res: ServerResponse) => void;

const ADMITTED = Symbol.for("express-expectations:admitted:1");

type Marked = IncomingMessage & { [ADMITTED]?: true };

/** Whether the gate has already let a request through: it passes once more when it is emitted again. */
export function isAdmitted(req: IncomingMessage): boolean {
  return (req as Marked)[ADMITTED] === true;
}

/** Marks a request that is about to be emitted again. */
export function markAdmitted(req: IncomingMessage): IncomingMessage {
  (req as Marked)[ADMITTED] = true;
  return req;
}

/**
 * Decides what happens to a request that Node has just parsed: dispatched, held behind another one, or dropped.
 *
 * @returns whether the caller may continue with it at once, as if there were no gate.
 * @see RFC 9112 §9.3.2 (pipelining), §9.6 (after close, nothing is processed)
 */
export function admit(req: IncomingMessage, res: ServerResponse, context: ServerContext, dispatch: Dispatch): boolean {
  const isHttp1 = http2Stream(req) === undefined;
  // Node may set `req.socket` to null while the request waits.
  const { socket } = req;
  const connection = isHttp1 ? connectionOf(socket) : undefined;
  if (isHttp1 && isOver(socket, connection)) {
    drop(req);
    return false;
  }
  const fault = isHttp1 ? framingFault(req, acceptedBy<HttpServer>(socket)?.maxHeadersCount) : undefined;
  const isUnwatched = fault === undefined && isBare(req);
  if (isUnwatched && !connection?.busyWith) return true;
  // Watched from its arrival on: the content of a request that has to wait arrives meanwhile.
  const handshake = isUnwatched ? undefined : watchRequest(req, res, context);
  const proceed = () => {
    if (isHttp1 && isOver(socket, connection)) {
      drop(req);
      return;
    }
    if (handshake) {
      if (isHttp1) occupy(openConnection(socket), handshake);
      if (refuseAtGate(handshake, fault)) return;
    }
    dispatch(req, res);
  };
  if (connection?.busyWith) hold(connection, req, proceed);
  else proceed();
  return false;
}

function isOver(socket: Socket | undefined, connection: Connection | undefined): boolean {
  return socket?.destroyed === true || connection?.lastResponse !== undefined;
}

// Nobody will read it. Drain it, or the socket stalls.
function drop(req: IncomingMessage): void {
  req.resume();
}
