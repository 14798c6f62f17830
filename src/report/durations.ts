import type { Quantiles } from "./summary.js";

// Each class is 2 percent longer than the one before, so that a quantile is off by 1 percent at most.
const GROWTH = Math.log(1.02);
const SHORTEST_MS = 0.001;
const CLASSES = 1_300;

/** Computes quantiles of durations in bounded memory. */
export class Durations {
  readonly #classes = new Float64Array(CLASSES);
  #count = 0;
  #max = 0;

  /** Adds one duration. */
  add(durationMs: number): void {
    this.#count++;
    if (durationMs > this.#max) this.#max = durationMs;
    const shortened = Math.max(durationMs / SHORTEST_MS, 1);
    const index = Math.min(Math.round(Math.log(shortened) / GROWTH), CLASSES - 1);
    this.#classes[index] = (this.#classes[index] as number) + 1;
  }

  /** Returns the quantiles; `undefined` if there was no duration. */
  summary(): Quantiles | undefined {
    if (this.#count === 0) return undefined;
    return { p50: this.#quantile(0.5), p99: this.#quantile(0.99), max: this.#max };
  }

  #quantile(share: number): number {
    let left = Math.ceil(this.#count * share);
    const index = this.#classes.findIndex((count) => {
      left -= count;
      return left <= 0;
    });
    const durationMs = SHORTEST_MS * Math.exp(index * GROWTH);
    return Math.min(Number(durationMs.toPrecision(3)), this.#max);
  }
}
