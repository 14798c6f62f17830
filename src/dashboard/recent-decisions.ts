import { Aggregate } from "../report/aggregate.js";
import { type Decision, decisionFrom } from "../report/decision.js";
import type { Summary } from "../report/summary.js";
import { shortened } from "./short.js";

/** The shortest time from one summing up to the next. A little less than a second, for timers of a second that fire early. */
const PAUSE_MS = 950;
/** The pause after summing up, as a multiple of the time it took: it may use a twentieth of the processor's time. */
const PAUSE_FACTOR = 20;
/** The most buckets over time. Readers get all of them each second. */
const MOST_BUCKETS = 400;

/** Keeps the latest decisions, oldest first, in a ring buffer of fixed size. */
export class RecentDecisions {
  readonly #ring: Timed[] = [];
  #oldest = 0;
  #count = 0;
  #summed: Summed | undefined;
  #nextSumAt = Number.NEGATIVE_INFINITY;
  /** Changes whenever the kept decisions change. */
  version = 0;

  constructor(
    readonly most: number,
    readonly sinceMs: number,
  ) {}

  /** Keeps the decision in a log record; ignores other records. */
  add(record: Readonly<Record<string, unknown>>): void {
    const decision = decisionFrom(shortened(record));
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

  /**
   * Returns the sums, which all callers share. They are up to a second old, or older if summing up takes long.
   *
   * 10,000 different decisions take about 200 ms. Otherwise every request for the page would block the process as long.
   */
  summed(): Summed {
    this.expire();
    const begunAt = performance.now();
    if (this.#summed && (this.#summed.version === this.version || begunAt < this.#nextSumAt)) return this.#summed;
    const aggregate = new Aggregate({ buckets: MOST_BUCKETS });
    for (let i = 0; i < this.#count; i++) aggregate.add(this.#ring[(this.#oldest + i) % this.most] as Timed);
    this.#summed = { version: this.version, summary: aggregate.summary() };
    this.#nextSumAt = begunAt + Math.max(PAUSE_MS, PAUSE_FACTOR * (performance.now() - begunAt));
    return this.#summed;
  }

  /** Drops all decisions. */
  clear(): void {
    this.#ring.length = 0;
    this.#oldest = 0;
    this.#count = 0;
    this.#summed = undefined;
  }
}

/** Sums, and the version of the decisions that they are of. */
interface Summed {
  readonly version: number;
  readonly summary: Summary;
}

type Timed = Decision & { readonly time: number };
