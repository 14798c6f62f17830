import type { Bucket, Summary } from "./summary.js";

/** The most buckets of a report: a day in minutes, so that a reader can look at any hour of it. */
const MOST_BUCKETS = 1_500;

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

// Each step is a multiple of the one before, so that buckets can be merged.
const STEPS: readonly number[] = [
  ...[1, 5, 10, 30].map((seconds) => seconds * SECOND),
  ...[1, 5, 10, 30].map((minutes) => minutes * MINUTE),
  ...[1, 3, 6, 12].map((hours) => hours * HOUR),
  ...[1, 7, 28, 364, 3_640, 36_400].map((days) => days * DAY),
];

/** The counts of one bucket. */
export interface Counts {
  refused: number;
  errors: number;
  accepted: number;
  bytesSpared: number;
  bytesWithheld: number;
}

/** Counts over time, in a bounded number of buckets. Their length grows with the span of time. */
export class Timeline {
  #step = 0;
  /** The number of the first bucket, in steps since 1970. */
  #first = 0;
  #buckets: Counts[] = [];

  /** @param most - buckets. */
  constructor(readonly most: number = MOST_BUCKETS) {}

  /** Returns the counts of the bucket for a time, to add to. */
  at(time: number): Counts {
    let index = this.#indexOf(time);
    while (this.#spanWith(index) > this.most) {
      this.#coarsen();
      index = this.#indexOf(time);
    }
    if (this.#buckets.length === 0) this.#first = index;
    while (index < this.#first) {
      this.#buckets.unshift(empty());
      this.#first--;
    }
    while (index >= this.#first + this.#buckets.length) this.#buckets.push(empty());
    return this.#buckets[index - this.#first] as Counts;
  }

  /** Returns the buckets, without gaps. */
  overTime(): Summary["overTime"] {
    const stepMs = STEPS[this.#step] as number;
    const buckets = this.#buckets.map(
      (counts, i): Bucket => ({ at: new Date((this.#first + i) * stepMs).toISOString(), ...counts }),
    );
    return { stepMs, buckets };
  }

  #indexOf(time: number): number {
    return Math.floor(time / (STEPS[this.#step] as number));
  }

  #spanWith(index: number): number {
    if (this.#buckets.length === 0) return 1;
    const last = this.#first + this.#buckets.length - 1;
    return Math.max(last, index) - Math.min(this.#first, index) + 1;
  }

  #coarsen(): void {
    const factor = (STEPS[this.#step + 1] as number) / (STEPS[this.#step] as number);
    const first = Math.floor(this.#first / factor);
    const joined: Counts[] = [];
    this.#buckets.forEach((counts, i) => {
      const index = Math.floor((this.#first + i) / factor) - first;
      joined[index] = sum(joined[index] ?? empty(), counts);
    });
    this.#step++;
    this.#first = first;
    this.#buckets = joined;
  }
}

function empty(): Counts {
  return { refused: 0, errors: 0, accepted: 0, bytesSpared: 0, bytesWithheld: 0 };
}

function sum(a: Counts, b: Counts): Counts {
  return {
    refused: a.refused + b.refused,
    errors: a.errors + b.errors,
    accepted: a.accepted + b.accepted,
    bytesSpared: a.bytesSpared + b.bytesSpared,
    bytesWithheld: a.bytesWithheld + b.bytesWithheld,
  };
}
