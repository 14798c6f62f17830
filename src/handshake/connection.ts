import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Handshake } from "./handshake.js";

/** A request that waits for the one before it on its connection. */
export interface HeldRequest {
  /** Goes on with the request, in its own async context. */
  readonly release: () => void;
  readonly timer: NodeJS.Timeout;
}

/** What is known of an HTTP/1 connection; made for connections that carry content or expectations. */
export interface Connection {
  /**
   * The response that ends it: nothing that comes after is dispatched (RFC 9112 §9.6). {@link SENT} once it is on the
   * wire, so that a socket that lingers keeps nothing of its request in memory.
   */
  lastResponse: Pick<ServerResponse, "writableEnded"> | undefined;
  /** The handshake behind whose response the socket lingers, where that response ends the connection. */
  lingersFor: Handshake | undefined;
  /** The request under way that has content or an expectation. */
  busyWith: Handshake | undefined;
  /** The handshakes whose responses are not done: one, as a rule. */
  open: readonly Handshake[];
  /** Requests pipelined behind that one, in order. */
  readonly held: HeldRequest[];
}

/** A last response that is on the wire. */
export const SENT: Pick<ServerResponse, "writableEnded"> = Object.freeze({ writableEnded: true });

const CONNECTION = Symbol.for("express-expectations:connection:1");

type Carrier = Socket & { [CONNECTION]?: Connection };

export function connectionOf(socket: Socket | undefined): Connection | undefined {
  return (socket as Carrier | undefined)?.[CONNECTION];
}

export function openConnection(socket: Socket): Connection {
  const carrier = socket as Carrier;
  carrier[CONNECTION] ??= { lastResponse: undefined, lingersFor: undefined, busyWith: undefined, open: [], held: [] };
  return carrier[CONNECTION];
}

/**
 * Sees to it that a handshake is closed with its connection, where its response waits behind another one: such a
 * response has no `close` of its own.
 */
export function closeWithConnection({ res }: Handshake, socket: Socket): void {
  if (res.socket || socket.listeners("close").includes(closeHandshakes)) return;
  socket.on("close", closeHandshakes);
}

function closeHandshakes(this: Socket): void {
  for (const handshake of connectionOf(this)?.open ?? []) handshake.close();
}
