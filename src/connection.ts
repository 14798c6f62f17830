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
  /** Whether a final status has ended it: nothing more of it is dispatched (RFC 9112 §9.6). */
  isClosing: boolean;
  /** The request with content that is under way. */
  busyWith: Handshake | undefined;
  /** Requests pipelined behind that one, in order. */
  readonly held: HeldRequest[];
}

const CONNECTION = Symbol.for("express-expectations:connection:1");

type Carrier = Socket & { [CONNECTION]?: Connection };

export function connectionOf(socket: Socket): Connection | undefined {
  return (socket as Carrier)[CONNECTION];
}

export function openConnection(socket: Socket): Connection {
  const carrier = socket as Carrier;
  carrier[CONNECTION] ??= { isClosing: false, busyWith: undefined, held: [] };
  return carrier[CONNECTION];
}
