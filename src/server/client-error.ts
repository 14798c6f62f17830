import type { IncomingMessage } from "node:http";
import { connectionOf } from "../handshake/connection.js";

type Http1Socket = IncomingMessage["socket"];

/**
 * Whether a `clientError` needs no answer of its own.
 *
 * Behind a final status that ends the connection, a second status would corrupt the response. Garbage behind a request
 * that came whole must not take that request's response away: the connection ends after it.
 */
export function isAnswered(socket: Http1Socket, error: unknown): boolean {
  const connection = connectionOf(socket);
  if (connection === undefined) return false;
  if (connection.lastResponse) {
    // The client left while the application was still responding: there is nothing to wait for.
    if (!connection.lastResponse.writableEnded) socket.destroy();
    return true;
  }
  const { busyWith } = connection;
  const code = String((error as { code?: unknown } | undefined)?.code);
  const isGarbage = code.startsWith("HPE_") && code !== "HPE_INVALID_EOF_STATE";
  if (!isGarbage || !busyWith?.hasArrived || busyWith.res.headersSent || socket.readableEnded) return false;
  if (!busyWith.hasBadFraming) socket.once("end", socket.destroy);
  busyWith.distrustFraming();
  return true;
}

/** Whether a connection has a request under way, or its last response. */
export function isOccupied(socket: Http1Socket): boolean {
  const connection = connectionOf(socket);
  return connection !== undefined && (connection.lastResponse !== undefined || connection.busyWith !== undefined);
}
