import { randomUUID } from "node:crypto";
import type { Channel } from "node:diagnostics_channel";
import { acceptChannel, errorChannel, refuseChannel } from "../observe/diagnostics.js";
import type { PreparedLogger } from "../observe/logger.js";
import type { DecisionSource } from "./decision-source.js";
import { type LooseRecord, recordsIn } from "./letter.js";
import { Outbox } from "./outbox.js";

/** The channels of decisions. */
export const DECISION_CHANNELS: readonly Channel[] = [acceptChannel, refuseChannel, errorChannel];

/**
 * Publishes the decisions of this process, and reads those of others.
 *
 * There is one for each source, however many pages use it: otherwise others would get each decision several times.
 */
class DecisionExchange {
  readonly readers = new Set<(record: LooseRecord) => void>();
  users = 0;
  readonly #id = randomUUID();
  readonly #outbox: Outbox;
  readonly #stop: () => void;
  #isFailing = false;

  constructor(
    source: DecisionSource,
    readonly logger: PreparedLogger,
  ) {
    this.#outbox = new Outbox(this.#id, source, this.#fail, () => {
      this.#isFailing = false;
    });
    for (const channel of DECISION_CHANNELS) channel.subscribe(this.#publish);
    this.#stop = source.subscribe(this.#read, this.#fail);
  }

  close(): void {
    for (const channel of DECISION_CHANNELS) channel.unsubscribe(this.#publish);
    this.#outbox.close();
    try {
      this.#stop();
    } catch (error) {
      this.#fail(error);
    }
  }

  // Called within the request that was decided, so it must not throw.
  readonly #publish = (message: unknown): void => {
    try {
      this.#outbox.add((message as { record: LooseRecord }).record);
    } catch (error) {
      this.#fail(error);
    }
  };

  readonly #read = (text: unknown): void => {
    try {
      for (const record of recordsIn(text, this.#id)) for (const read of this.readers) read(record);
    } catch (error) {
      this.#fail(error);
    }
  };

  readonly #fail = (err: unknown): void => {
    if (!this.#isFailing) this.logger.error({ err }, "the dashboard does not get all decisions of other processes");
    this.#isFailing = true;
  };
}

const exchanges = new WeakMap<DecisionSource, DecisionExchange>();

/**
 * Takes part in the exchange of decisions over a source.
 *
 * @param read - receives the records of other processes.
 * @returns ends it.
 */
export function takePart(
  source: DecisionSource,
  logger: PreparedLogger,
  read?: (record: LooseRecord) => void,
): () => void {
  const exchange = exchanges.get(source) ?? new DecisionExchange(source, logger);
  exchanges.set(source, exchange);
  exchange.users++;
  if (read) exchange.readers.add(read);
  let hasLeft = false;
  return () => {
    if (hasLeft) return;
    hasLeft = true;
    if (read) exchange.readers.delete(read);
    exchange.users--;
    if (exchange.users > 0) return;
    exchanges.delete(source);
    exchange.close();
  };
}
