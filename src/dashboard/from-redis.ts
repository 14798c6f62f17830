import { asError, optionError } from "../support/errors.js";
import { requireKnownKeys } from "../support/options.js";
import type { DecisionSource } from "./decision-source.js";

/** A client of Redis that publishes: one of ioredis or of node-redis. */
export interface RedisPublisher {
  /** Sends a message to all subscribers of a channel. */
  publish(channel: string, message: string): unknown;
}

/** A client of Redis that subscribes: one of ioredis or of node-redis. A client can do nothing else meanwhile. */
export interface RedisSubscriber {
  /** Begins a subscription. */
  // biome-ignore lint/suspicious/noExplicitAny: both libraries give the second argument a meaning of their own
  subscribe(channel: string, listener: (...args: any[]) => void): unknown;
  /** Ends it. */
  unsubscribe(channel: string): unknown;
  /** Listens for the messages of all channels, with ioredis. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  on(event: "message", listener: (...args: any[]) => void): unknown;
  /** Ends that. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  off(event: "message", listener: (...args: any[]) => void): unknown;
}

/** Options of {@link fromRedis}. */
export interface RedisSourceOptions {
  /** Publishes the decisions of this process. It may do other things, too. */
  publisher: RedisPublisher;
  /** Another connection than that of `publisher`. */
  subscriber: RedisSubscriber;
  /** The name of the channel. Default `"express-expectations:decisions"`. */
  channel?: string;
}

const OPTION_KEYS = ["publisher", "subscriber", "channel"] as const satisfies readonly (keyof RedisSourceOptions)[];
/** How long after a failed subscription the next one is tried, in milliseconds. */
const RETRY_MS = 5_000;

/**
 * Makes a source of the decisions of all processes that use the same channel of a Redis.
 *
 * Both clients are yours: connect them, listen for their `error` events, and close them. Whoever may use the Redis can read
 * clients' addresses, and can publish decisions that never were.
 *
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for a missing client, an unknown key or a wrong value.
 * @example dashboard({ from: fromRedis({ publisher: redis, subscriber: redis.duplicate() }) })
 */
export function fromRedis(options: RedisSourceOptions): DecisionSource {
  requireKnownKeys("fromRedis", options, OPTION_KEYS);
  const { publisher, subscriber, channel = "express-expectations:decisions" } = options;
  requireMethods("publisher", publisher, ["publish"]);
  requireMethods("subscriber", subscriber, ["subscribe", "unsubscribe", "on", "off"]);
  if (typeof channel !== "string" || channel === "") throw optionError("channel", channel, "the name of a channel");
  return {
    publish: (text) => publisher.publish(channel, text),
    subscribe: (onText, onError) => subscribe(subscriber, channel, onText, onError),
  };
}

function subscribe(
  subscriber: RedisSubscriber,
  channel: string,
  onText: (text: string) => void,
  onError: (error: Error) => void,
): () => void {
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  // ioredis emits messages of all channels, and calls the listener once with (error, count).
  const onMessage = (name: unknown, text: unknown) => {
    if (name === channel) onText(text as string);
  };
  // node-redis calls the listener with (message, channel).
  const onCall = (text: unknown, name: unknown) => {
    if (name === channel && typeof text === "string") onText(text);
  };
  const tryIt = async () => {
    try {
      await subscriber.subscribe(channel, onCall);
    } catch (error) {
      if (isOver) return;
      onError(asError(error));
      timer = setTimeout(() => void tryIt(), RETRY_MS).unref();
    }
  };
  subscriber.on("message", onMessage);
  void tryIt();
  return () => {
    isOver = true;
    clearTimeout(timer);
    subscriber.off("message", onMessage);
    void (async () => subscriber.unsubscribe(channel))().catch(() => {});
  };
}

function requireMethods(option: string, client: unknown, methods: readonly string[]): void {
  const holder = Object(client) as Record<string, unknown>;
  if (methods.every((method) => typeof holder[method] === "function")) return;
  throw optionError(`fromRedis({ ${option} })`, client, "a client of ioredis or of node-redis");
}
