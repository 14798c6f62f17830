import type { Channel } from "node:diagnostics_channel";

type Subscriber = (message: object, name: string | symbol) => unknown;

/**
 * Returns the subscribers of a diagnostics channel, so that they can be called one by one.
 *
 * Reads `_subscribers`, the array that `channel.publish()` goes through. `publish()` reports an error that a subscriber
 * throws as an uncaught exception, which ends the process (docs/facts.md, "Subscribers that throw"). On Node 26 no
 * public method lists the subscribers or catches their errors.
 *
 * Returns `undefined` if there is no such array, as for a channel without subscribers. If Node renames the array, the
 * caller has to use `publish()`, and a subscriber that throws ends the process. Wire test: "subscribers that throw or
 * reject change no response, and end nothing".
 */
export function subscribersOf(channel: Channel): readonly Subscriber[] | undefined {
  const { _subscribers } = channel as { _subscribers?: unknown };
  return Array.isArray(_subscribers) ? _subscribers : undefined;
}
