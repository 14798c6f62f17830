import type { ServerResponse } from "node:http";
import { openConnection, SENT } from "../handshake/connection.js";
import { currentHandshake, type Handshake } from "../handshake/handshake.js";
import { disableExpectClose } from "../node/response.js";
import { endSoon } from "../node/socket.js";
import { closeBehind, lingerAtEnd } from "./closing.js";
import { type HeadFields, withClose } from "./connection-field.js";
import { watchStreamFinal } from "./final-http2.js";
import { mustClose } from "./must-close.js";

const WRITE_HEAD = Symbol("writeHead");

type Watched = ServerResponse & { [WRITE_HEAD]: ServerResponse["writeHead"] };

/** Watches a response's final status, whoever sends it, and ends the connection when it has to end. */
export function watchFinal(handshake: Handshake): void {
  const { res, socket, stream } = handshake;
  // An injected request has no connection to end.
  if (!stream && !socket) return;
  if (stream) {
    watchStreamFinal(handshake, stream);
    return;
  }
  (res as Watched)[WRITE_HEAD] = res.writeHead;
  res.writeHead = writeHeadWatched as ServerResponse["writeHead"];
  disableExpectClose(res);
  res.on("finish", closeAfterEscapedHead);
}

// Shared by all responses: saves a closure for each.
function writeHeadWatched(this: ServerResponse, status: number, ...rest: unknown[]): ServerResponse {
  const handshake = currentHandshake(this.req);
  const isFinal = status >= 200 && !this.headersSent;
  if (handshake && isFinal) {
    const { socket } = handshake;
    handshake.beginFinal(status);
    if (socket && !handshake.hasArrived) lingerAtEnd(handshake, socket);
    if (handshake.traffic?.isLeaving && isLast(handshake)) this.shouldKeepAlive = false;
    if (socket && mustClose(handshake, status)) {
      closeBehind(handshake, socket);
      const at = typeof rest[0] === "string" || (rest[0] == null && rest.length > 1) ? 1 : 0;
      rest[at] = withClose(this, rest[at] as HeadFields | undefined);
    }
  }
  return Reflect.apply((this as Watched)[WRITE_HEAD], this, [status, ...rest]);
}

// Whether nothing is lost if the connection ends behind this response: no content that comes, no request that has come.
function isLast({ hasArrived, socket, req }: Handshake): boolean {
  return hasArrived && socket !== undefined && openConnection(socket).open.at(-1)?.req === req;
}

// A head that was not written through the method above (`writeHeader`, a captured prototype method) is noticed here.
function closeAfterEscapedHead(this: ServerResponse): void {
  const handshake = currentHandshake(this.req);
  if (!handshake?.socket) return;
  const { socket } = handshake;
  const { lastResponse } = openConnection(socket);
  if (lastResponse === SENT || (lastResponse !== this && !mustClose(handshake, this.statusCode))) return;
  closeBehind(handshake, socket);
  endSoon(socket);
}
