import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Handshake } from "./handshake.js";

/** A request that waits for the one before it on its connection. */
export interface HeldRequest {
  /** Continues with the request, in its own async context. */
  readonly release: () => void;
  readonly timer: NodeJS.Timeout;
}

/** The state of an HTTP/1 connection. Only connections that carry content or expectations have one. */
export interface Connection {
  /**
   * The response that ends the connection: nothing that comes later is dispatched (RFC 9112 §9.6). {@link SENT} once it
   * is on the wire, so that a lingering socket keeps nothing of its request in memory.
   */
  lastResponse: Pick<ServerResponse, "writableEnded"> | undefined;
  /** The handshake of the response that ends the connection, until the socket lingers. */
  lingersFor: Handshake | undefined;
  /** The request under way that has content or an expectation. */
  busyWith: Handshake | undefined;
  /** The handshakes whose responses are not done, usually one. */
  open: readonly Handshake[];
  /** Requests pipelined behind that one, in order. */
  readonly held: HeldRequest[];
}

/** A last response that is on the wire. */
export const SENT: Pick<ServerResponse, "writableEnded"> = Object.freeze({ writableEnded: true });

const CONNECTION = Symbol.for("express-expectations:connection:1");

type Carrier = Socket & { [CONNECTION]?: Connection };

/** The state of a connection; `undefined` if it has none. */
export function connectionOf(socket: Socket | undefined): Connection | undefined {
  return (socket as Carrier | undefined)?.[CONNECTION];
}

/** The state of a connection, made if it has none. */
export function openConnection(socket: Socket): Connection {
  const carrier = socket as Carrier;
  carrier[CONNECTION] ??= { lastResponse: undefined, lingersFor: undefined, busyWith: undefined, open: [], held: [] };
  return carrier[CONNECTION];
}

/**
 * Closes a handshake with its connection if its response waits behind another one: such a response emits no `close`.
 */
export function closeWithConnection({ res }: Handshake, socket: Socket): void {
  if (res.socket || socket.listeners("close").includes(closeHandshakes)) return;
  socket.on("close", closeHandshakes);
}

function closeHandshakes(this: Socket): void {
  for (const handshake of connectionOf(this)?.open ?? []) handshake.close();
}
