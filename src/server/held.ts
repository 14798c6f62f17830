import { AsyncResource } from "node:async_hooks";
import type { IncomingMessage } from "node:http";
import type { Connection, HeldRequest } from "../handshake/connection.js";
import type { Handshake } from "../handshake/handshake.js";

/** How many requests may wait behind one with content, on one connection. */
const MAX_HELD = 16;
/** How long each of them may wait, in milliseconds: as long as a verdict may take by default. */
const HELD_MS = 10_000;

/** Marks a connection as busy with a request. Those behind it are held. */
export function occupy(connection: Connection, handshake: Handshake): void {
  // If the client left while the request waited, the connection is not marked.
  if (connection.open.includes(handshake)) connection.busyWith = handshake;
}

/** A request's response is done: the requests held behind it continue. */
export function leave(connection: Connection, handshake: Handshake): void {
  connection.open = connection.open.filter((other) => other !== handshake);
  if (connection.busyWith !== handshake) return;
  connection.busyWith = undefined;
  releaseHeld(connection);
}

/**
 * Holds a request until the one before it on its connection is done.
 *
 * The connection is ended if too many wait, or if nothing happens for too long.
 */
export function hold(connection: Connection, req: IncomingMessage, proceed: () => void): void {
  const { socket } = req;
  if (connection.held.length >= MAX_HELD) {
    socket.destroy();
    return;
  }
  const scope = new AsyncResource("ExpectationsHeldRequest", { requireManualDestroy: false });
  const timer = setTimeout(() => {
    // The response before it is under way: wait for its end.
    if (connection.busyWith?.res.headersSent) timer.refresh();
    else socket.destroy();
  }, HELD_MS).unref();
  connection.held.push({ timer, release: () => scope.runInAsyncScope(proceed) });
}

// One after the other: the next one may have content of its own, and then the rest goes on waiting.
function releaseHeld(connection: Connection): void {
  while (connection.held.length > 0 && !connection.busyWith) {
    const next = connection.held.shift() as HeldRequest;
    clearTimeout(next.timer);
    next.release();
  }
}
