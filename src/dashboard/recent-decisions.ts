import { Aggregate } from "../report/aggregate.js";
import { type Decision, decisionFrom, FIELDS } from "../report/decision.js";
import type { Summary } from "../report/summary.js";
import { copied } from "../report/text-copy.js";

/** Keeps the latest decisions, oldest first, in a ring buffer of fixed size. */
export class RecentDecisions {
  readonly #ring: Timed[] = [];
  #oldest = 0;
  #count = 0;
  #summed: { readonly version: number; readonly summary: Summary } | undefined;
  /** Changes whenever the kept decisions change. */
  version = 0;

  constructor(
    readonly most: number,
    readonly sinceMs: number,
  ) {}

  /** Keeps the decision in a log record; ignores other records. */
  add(record: Readonly<Record<string, unknown>>): void {
    const decision = decisionFrom(FIELDS.map((field) => short(record[field])));
    if (!decision) return;
    this.#ring[(this.#oldest + this.#count) % this.most] = { ...decision, time: Date.now() };
    if (this.#count < this.most) this.#count++;
    else this.#oldest = (this.#oldest + 1) % this.most;
    this.version++;
  }

  /** Drops decisions that are older than `sinceMs`. */
  expire(): void {
    const since = Date.now() - this.sinceMs;
    while (this.#count > 0 && (this.#ring[this.#oldest] as Timed).time < since) {
      this.#oldest = (this.#oldest + 1) % this.most;
      this.#count--;
      this.version++;
    }
  }

  /** Returns the sums. It takes some milliseconds, unless nothing has changed since the last call. */
  summary(): Summary {
    this.expire();
    if (this.#summed?.version === this.version) return this.#summed.summary;
    const aggregate = new Aggregate();
    for (let i = 0; i < this.#count; i++) aggregate.add(this.#ring[(this.#oldest + i) % this.most] as Timed);
    const summary = aggregate.summary();
    this.#summed = { version: this.version, summary };
    return summary;
  }

  /** Drops all decisions. */
  clear(): void {
    this.#ring.length = 0;
    this.#oldest = 0;
    this.#count = 0;
    this.#summed = undefined;
  }
}

type Timed = Decision & { readonly time: number };

const LONGEST_VALUE = 256;

// A copy, because a slice keeps the whole text in memory.
function short(value: unknown): unknown {
  return typeof value === "string" ? copied(value.slice(0, LONGEST_VALUE)) : value;
}
