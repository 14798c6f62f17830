import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { openConnection, SENT } from "../handshake/connection.js";
import { currentHandshake, type Handshake } from "../handshake/handshake.js";
import { disableExpectClose } from "../node/response.js";
import { endSoon, replaceDestroySoon } from "../node/socket.js";
import { type HeadFields, withClose } from "./connection-field.js";
import { closeStreamAfterFinal } from "./final-http2.js";
import { failReader, isBeingRead, mustClose } from "./must-close.js";

const WRITE_HEAD = Symbol("writeHead");

type Watched = ServerResponse & { [WRITE_HEAD]: ServerResponse["writeHead"] };

/** Watches a response's final status, whoever sends it, and ends the connection when it has to end. */
export function watchFinal(handshake: Handshake): void {
  const { res, socket, stream } = handshake;
  if (!stream && !socket) return;
  (res as Watched)[WRITE_HEAD] = res.writeHead;
  res.writeHead = writeHeadWatched as ServerResponse["writeHead"];
  if (stream) closeStreamAfterFinal(handshake, stream);
  else {
    disableExpectClose(res);
    res.on("finish", closeAfterEscapedHead);
  }
}

// Shared by all responses: saves a closure for each.
function writeHeadWatched(this: ServerResponse, status: number, ...rest: unknown[]): ServerResponse {
  const handshake = currentHandshake(this.req);
  const isFinal = status >= 200 && !this.headersSent;
  if (handshake && isFinal) {
    const { socket } = handshake;
    handshake.beginFinal(status);
    if (socket && !handshake.hasArrived) lingerAtEnd(handshake, socket);
    if (socket && mustClose(handshake, status)) {
      close(handshake, socket);
      const at = typeof rest[0] === "string" || (rest[0] == null && rest.length > 1) ? 1 : 0;
      rest[at] = withClose(this, rest[at] as HeadFields | undefined);
    }
  }
  return Reflect.apply((this as Watched)[WRITE_HEAD], this, [status, ...rest]);
}

// A head that was not written through the method above (`writeHeader`, a captured prototype method) is noticed here.
function closeAfterEscapedHead(this: ServerResponse): void {
  const handshake = currentHandshake(this.req);
  if (!handshake?.socket) return;
  const { socket } = handshake;
  const { lastResponse } = openConnection(socket);
  if (lastResponse === SENT || (lastResponse !== this && !mustClose(handshake, this.statusCode))) return;
  close(handshake, socket);
  endSoon(socket);
}

function close(handshake: Handshake, socket: Socket): void {
  openConnection(socket).lastResponse ??= handshake.res;
  lingerAtEnd(handshake, socket);
}

// Node ends a connection by `destroySoon`, which closes it with unread bytes: the client gets a reset.
function lingerAtEnd(handshake: Handshake, socket: Socket): void {
  openConnection(socket).lingersFor = handshake;
  replaceDestroySoon(socket, lingerSoon);
}

// Shared by all sockets: a closure for each would keep past refusals in memory until a major collection.
function lingerSoon(this: Socket): void {
  const connection = openConnection(this);
  const { lingersFor } = connection;
  if (!lingersFor) return;
  connection.lingersFor = undefined;
  connection.lastResponse = SENT;
  // Fail the reader after close: its handler may destroy the socket.
  if (isBeingRead(lingersFor)) this.once("close", () => failReader(lingersFor));
  lingersFor.context.lingering.add(this, contentLeft(lingersFor));
}

// Nothing is on its way when the client waits for a 100, or when all has come.
function contentLeft({ isWithheld, hasArrived, length, received }: Handshake): number | undefined {
  if (hasArrived || (isWithheld && received === 0)) return 0;
  return length === undefined ? undefined : Math.max(0, length - received);
}
