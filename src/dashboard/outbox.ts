import { decisionFrom } from "../report/decision.js";
import { asError } from "../support/errors.js";
import type { DecisionSource } from "./decision-source.js";
import { type LooseRecord, letterOf } from "./letter.js";
import { shortened } from "./short.js";

/** How long records are collected, in milliseconds. */
const COLLECT_MS = 200;
/** How many records one text has at most. Those beyond it are counted. */
const MAX_RECORDS = 500;

/** Publishes the decisions of this process: at most one text each 200 ms, and none while one is on its way. */
export class Outbox {
  #records: LooseRecord[] = [];
  #omitted = 0;
  #timer: NodeJS.Timeout | undefined;
  #isSending = false;
  #isClosed = false;

  constructor(
    /** Tells the texts of this process from those of others. */
    readonly id: string,
    readonly source: DecisionSource,
    readonly onError: (error: Error) => void,
    readonly onSent: () => void,
  ) {}

  add(record: Readonly<Record<string, unknown>>): void {
    // What a page shows, and no more: a record may have fields of the application's.
    const decision = this.#isClosed ? undefined : decisionFrom(shortened(record));
    if (!decision) return;
    if (this.#records.length < MAX_RECORDS) this.#records.push({ ...decision });
    else this.#omitted++;
    this.#schedule();
  }

  /** Publishes what has been collected, and nothing more. */
  close(): void {
    clearTimeout(this.#timer);
    if (!this.#isSending) void this.#send();
    this.#isClosed = true;
  }

  #schedule(): void {
    if (this.#isSending || this.#timer || this.#isClosed) return;
    this.#timer = setTimeout(() => void this.#send(), COLLECT_MS).unref();
  }

  async #send(): Promise<void> {
    this.#timer = undefined;
    const records = this.#records;
    const omitted = this.#omitted;
    if (records.length === 0 && omitted === 0) return;
    this.#records = [];
    this.#omitted = 0;
    this.#isSending = true;
    try {
      if (omitted > 0) records.push({ event: "expectation.omitted", omitted });
      await this.source.publish(letterOf(this.id, records));
      this.onSent();
    } catch (error) {
      // Not kept: a store that is down for long must not fill the memory.
      this.#omitted += omitted + records.length - (omitted > 0 ? 1 : 0);
      this.onError(asError(error));
    }
    this.#isSending = false;
    if (this.#records.length > 0) this.#schedule();
  }
}
