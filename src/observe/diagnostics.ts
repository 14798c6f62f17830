import { type Channel, channel } from "node:diagnostics_channel";
import { subscribersOf } from "../node/subscribers.js";
import { callSafely, textOf } from "../support/errors.js";
import { withEscapes } from "./printable.js";

/** Publishes a {@link DispatchMessage} when the gate hands a request on to the application. */
export const dispatchChannel: Channel = channel("express-expectations:dispatch");
/** Publishes a {@link BeginMessage} when somebody begins to decide about a request. */
export const beginChannel: Channel = channel("express-expectations:begin");
/** Publishes one {@link AcceptMessage} for each request that guards accepted, or whose 100 was sent. */
export const acceptChannel: Channel = channel("express-expectations:accept");
/** Publishes one {@link RefuseMessage} for each refused request. */
export const refuseChannel: Channel = channel("express-expectations:refuse");
/** Publishes a {@link FaultMessage} when a policy throws or does not decide in time. */
export const errorChannel: Channel = channel("express-expectations:error");
/** Publishes a {@link ContentMessage} when the first content after a 100 arrives. */
export const contentChannel: Channel = channel("express-expectations:content");
/** Publishes a {@link LingerEndMessage} when a refused connection has closed. */
export const lingerEndChannel: Channel = channel("express-expectations:linger-end");

const warnedAbout = new WeakSet<object>();

/**
 * Calls the subscribers of a channel with a message.
 *
 * An error that a subscriber throws, or rejects with, becomes a process warning, once for each subscriber. It does not
 * affect the request or the other subscribers. With `channel.publish()` it would end the process: `subscribersOf`
 * explains why.
 */
export function publish(to: Channel, message: object): void {
  const subscribers = subscribersOf(to);
  if (!subscribers) {
    to.publish(message);
    return;
  }
  for (const subscriber of subscribers) {
    callSafely(
      () => subscriber(message, to.name),
      (error) => warnOnce(subscriber, to, error),
    );
  }
}

function warnOnce(subscriber: object, { name }: Channel, error: Error): void {
  if (warnedAbout.has(subscriber)) return;
  warnedAbout.add(subscriber);
  process.emitWarning(`a subscriber of ${String(name)} threw: ${withEscapes(textOf(error))}`, "ExpectationsWarning");
}

/** Counts of what is in progress in this process. */
interface Gauges {
  /** Clients that wait for a verdict on their `Expect: 100-continue`. */
  pendingHandshakes: number;
  /** Refused connections that are being drained. */
  lingeringConnections: number;
}

const GAUGES = Symbol.for("express-expectations:gauges:1");

/**
 * Returns the gauges of this process.
 *
 * They are stored on a diagnostics channel. Node has one channel for each name, so the ESM and the CommonJS copy of
 * this package count in the same object.
 */
export function gauges(): Gauges {
  const holder = acceptChannel as Channel & { [GAUGES]?: Gauges };
  holder[GAUGES] ??= { pendingHandshakes: 0, lingeringConnections: 0 };
  return holder[GAUGES];
}
