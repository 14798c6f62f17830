import { AsyncResource } from "node:async_hooks";
import type { Connection } from "../handshake/connection.js";
import type { Handshake } from "../handshake/handshake.js";

/** How many requests may wait on one connection. */
const MAX_HELD = 16;

/**
 * Whether a request has to wait, because one before it on its connection may still end the connection: its verdict is
 * pending, it is refused, or what follows it cannot be trusted. The wait ends with that verdict or response.
 */
export function hasToWait(connection: Connection | undefined): boolean {
  return connection !== undefined && (connection.held.length > 0 || connection.open.some(mayEndConnection));
}

// A request that waits itself decides nothing yet: otherwise an upgrade would wait for itself.
function mayEndConnection({ isDispatched, isJudged, refusal, hasBadFraming, req }: Handshake): boolean {
  return isDispatched && (isJudged || refusal !== undefined || hasBadFraming || req.headers.upgrade !== undefined);
}

/**
 * Holds a request until those before it on its connection can no longer end the connection.
 *
 * @returns whether there was room for it.
 */
export function hold(connection: Connection, proceed: () => void): boolean {
  if (connection.held.length >= MAX_HELD) return false;
  const scope = new AsyncResource("ExpectationsHeldRequest", { requireManualDestroy: false });
  connection.held.push(() => scope.runInAsyncScope(proceed));
  return true;
}

/** Continues held requests, one after the other: each may make the rest wait again. */
export function releaseHeld(connection: Connection): void {
  while (connection.held.length > 0 && !connection.open.some(mayEndConnection)) connection.held.shift()?.();
}
