import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import type { Quantiles } from "./summary.js";

const NS_PER_MS = 1e6;
/** A day. Longer durations count as a day, except for the longest of all. */
const LONGEST_NS = 86_400_000 * NS_PER_MS;

/** Computes quantiles of durations in bounded memory: about 300 kB from the first duration on. */
export class Durations {
  #histogram: RecordableHistogram | undefined;
  #max = 0;

  /** Adds one duration. */
  add(durationMs: number): void {
    this.#histogram ??= createHistogram({ lowest: 1, highest: LONGEST_NS, figures: 3 });
    this.#histogram.record(Math.min(Math.max(Math.round(durationMs * NS_PER_MS), 1), LONGEST_NS));
    if (durationMs > this.#max) this.#max = durationMs;
  }

  /** Returns the quantiles; `undefined` if there was no duration. */
  summary(): Quantiles | undefined {
    if (!this.#histogram) return undefined;
    return { p50: this.#quantile(this.#histogram, 50), p99: this.#quantile(this.#histogram, 99), max: this.#max };
  }

  #quantile(histogram: RecordableHistogram, percent: number): number {
    const durationMs = histogram.percentile(percent) / NS_PER_MS;
    return Math.min(Number(durationMs.toPrecision(3)), this.#max);
  }
}
