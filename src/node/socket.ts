// What Node's HTTP server does with a `net.Socket`, as of Node 20 to 26.
import type { Socket } from "node:net";

/**
 * Replaces the method that Node's HTTP server calls after the last response of a connection.
 *
 * `destroySoon` is the only hook between "the response is written" and "the socket is closed". Without it refusals would
 * be lost to a reset while content is arriving. Wire test "destroySoon is called after the last response of a
 * connection, and not before".
 */
export function replaceDestroySoon(socket: Socket, destroySoon: (this: Socket) => void): void {
  socket.destroySoon = destroySoon;
}

/** Ends a connection as Node's HTTP server does after its last response. */
export function endSoon(socket: Socket): void {
  socket.destroySoon();
}

/** Whether a value is a connection that Node's HTTP/1 server ends by `destroySoon`. */
export function isHttp1Socket(value: unknown): value is Socket {
  return typeof (value as Socket | undefined)?.destroySoon === "function";
}

type Listener = (...args: unknown[]) => void;

/**
 * Takes the HTTP parser off a socket, so that what comes next is not parsed.
 *
 * The parser lets go of the socket's handle as soon as somebody else listens for `data`, and is then a listener of
 * `data` itself. Node has no public way to detach it. With the parser attached, discarded content could be answered
 * with a second status. Wire test "the parser is a listener of data and end as soon as somebody else listens for data".
 *
 * @param onData - the listener of `data` that takes the parser's place.
 */
export function detachParser(socket: Socket, onData: (this: Socket, chunk: Buffer) => void): void {
  const parsers = socket.listeners("data") as Listener[];
  socket.on("data", onData);
  for (const parse of parsers) socket.off("data", parse);
  // One by one: `removeAllListeners()` costs more than all the rest.
  for (const listener of socket.listeners("end") as Listener[]) socket.off("end", listener);
}

/**
 * Starts the handle beneath a socket.
 *
 * `resume()` alone reads nothing when the parser has paused the handle: the stream believes that it is reading. `_read`
 * starts the handle. Without it the drain would stall. Wire test "drains what a paused parser left".
 */
export function restartReading(socket: Socket): void {
  socket.resume();
  socket._read(0);
}

/**
 * Bytes that were written to a socket and that the operating system has not taken yet.
 *
 * Only the handle knows how far it is within one large write; Node's own socket timeout looks at `writeQueueSize` for
 * the same reason. Without it a client that slowly takes a large response would look like one that takes nothing. Wire
 * test "writeQueueSize shrinks while a client takes a large write".
 */
export function unsentBytes(socket: Socket): number {
  const { _handle } = socket as { _handle?: { writeQueueSize?: number } | null };
  return socket.writableLength + (_handle?.writeQueueSize ?? 0);
}
