import { type Channel, channel } from "node:diagnostics_channel";
import { callSafely, textOf } from "../support/errors.js";

/** A handshake is decided in the client's favour: see {@link AcceptMessage}. */
export const acceptChannel: Channel = channel("express-expectations:accept");
/** A request is refused: see {@link RefuseMessage}. */
export const refuseChannel: Channel = channel("express-expectations:refuse");
/** A policy broke, or did not answer in time: see {@link FaultMessage}. */
export const errorChannel: Channel = channel("express-expectations:error");
/** The first content after a 100 has arrived: see {@link ContentMessage}. */
export const contentChannel: Channel = channel("express-expectations:content");
/** A refused connection is gone: see {@link LingerEndMessage}. */
export const lingerEndChannel: Channel = channel("express-expectations:linger-end");

const blamed = new WeakSet<object>();

/**
 * Tells the subscribers of a channel. What one of them throws becomes a warning of the process, once, and disturbs
 * neither the request nor the other subscribers.
 *
 * `channel.publish()` would make it an uncaught exception, and end the process: there is no public way around that, so
 * the list that Node keeps in `_subscribers` is called from here, where there is one. Wire test "subscribers that throw
 * or reject change no response, and end nothing".
 */
export function publish(to: Channel, message: object): void {
  const subscribers = (to as { _subscribers?: unknown })._subscribers;
  if (!Array.isArray(subscribers)) {
    to.publish(message);
    return;
  }
  for (const subscriber of subscribers as ((message: object, name: string | symbol) => unknown)[]) {
    callSafely(
      () => subscriber(message, to.name),
      (error) => blame(subscriber, to, error),
    );
  }
}

function blame(subscriber: object, { name }: Channel, error: Error): void {
  if (blamed.has(subscriber)) return;
  blamed.add(subscriber);
  process.emitWarning(`a subscriber of ${String(name)} threw: ${textOf(error)}`, "ExpectationsWarning");
}

/** What goes on in this process at this moment. */
export interface Gauges {
  /** Clients that wait for a verdict on their `Expect: 100-continue`. */
  pendingHandshakes: number;
  /** Refused connections that are being drained. */
  lingeringConnections: number;
}

const GAUGES = Symbol.for("express-expectations:gauges:1");

/**
 * The process's one set of gauges. It hangs on a channel, of which there is one for each name, so that the ESM and the
 * CommonJS copy of this package count in the same.
 */
export function gauges(): Gauges {
  const holder = acceptChannel as Channel & { [GAUGES]?: Gauges };
  holder[GAUGES] ??= { pendingHandshakes: 0, lingeringConnections: 0 };
  return holder[GAUGES];
}
