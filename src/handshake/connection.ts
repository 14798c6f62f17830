import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Handshake } from "./handshake.js";

/** The state of an HTTP/1 connection. Only connections that carry content or expectations have one. */
export interface Connection {
  /**
   * The response that ends the connection: nothing that comes later is dispatched (RFC 9112 §9.6). {@link SENT} once it
   * is on the wire, so that a lingering socket keeps nothing of its request in memory.
   */
  lastResponse: LastResponse | undefined;
  /** The handshake of the response that ends the connection, until the socket lingers. */
  lingersFor: Handshake | undefined;
  /** The handshakes whose responses are not done, in the order of their requests, waiting ones included. Usually one. */
  open: readonly Handshake[];
  /** The request whose response is done, and whose content still comes. Only the last one of a connection can be that. */
  unfinished: Handshake | undefined;
  /** The lingering close of the connection, which is told when the socket has closed. */
  lingering: { close(hadError: boolean): void } | undefined;
  /** Continues requests that wait behind those, in order, each in its own async context. */
  readonly held: (() => void)[];
}

type LastResponse = Pick<ServerResponse, "writableEnded" | "writableFinished" | "socket">;

/** A last response that is on the wire. */
export const SENT: LastResponse = Object.freeze({ writableEnded: true, writableFinished: true, socket: null });

const CONNECTION = Symbol.for("express-expectations:connection:2");

type Carrier = Socket & { [CONNECTION]?: Connection };

/** The state of a connection; `undefined` if it has none. */
export function connectionOf(socket: Socket | undefined): Connection | undefined {
  return (socket as Carrier | undefined)?.[CONNECTION];
}

/** The state of a connection, made if it has none. */
export function openConnection(socket: Socket): Connection {
  const carrier = socket as Carrier;
  const present = carrier[CONNECTION];
  if (present) return present;
  const made: Connection = {
    lastResponse: undefined,
    lingersFor: undefined,
    open: [],
    unfinished: undefined,
    lingering: undefined,
    held: [],
  };
  carrier[CONNECTION] = made;
  socket.on("close", closeHandshakes);
  return made;
}

/** Whether a request was dispatched behind that of a handshake, so that its response has to go out, too. */
export function isFollowed(handshake: Handshake): boolean {
  const open = connectionOf(handshake.socket)?.open ?? [];
  return open.slice(open.indexOf(handshake) + 1).some(({ isDispatched }) => isDispatched);
}

// A response emits no `close` while it waits behind another one, and none after some resets over TLS. A request whose
// response is done is told nothing at all by Node.
function closeHandshakes(this: Socket, hadError?: boolean): void {
  const connection = connectionOf(this);
  for (const handshake of connection?.open ?? []) handshake.close();
  connection?.unfinished?.abandonContent();
  connection?.lingering?.close(hadError === true);
}
