import type { Row, Rows } from "./summary.js";
import { copied } from "./text-copy.js";
import { visible } from "./visible.js";

/** The number of keys that are counted at the same time. */
export const MOST_KEYS = 4_096;

// The numbers of each key are stored side by side: its count, the bytes that did not come, those of them that were withheld,
// its last time, and its credit. A key with credit stays in the table.
const COUNT = 0;
const SPARED = 1;
const WITHHELD = 2;
const LAST = 3;
const CREDIT = 4;
const WIDTH = 5;

/**
 * Counts the most frequent keys in bounded memory, after Misra and Gries.
 *
 * When the table is full, every key loses the median credit, and keys without credit are removed. A key that makes up
 * more than one in {@link MOST_KEYS} / 2 is therefore never lost. Counts are exact if there are at most
 * {@link MOST_KEYS} keys, and never too high.
 */
export class TopKeys {
  /** The index at which each key's numbers begin. */
  readonly #places = new Map<string, number>();
  readonly #numbers = new Float64Array(MOST_KEYS * WIDTH);
  #free: number[] = Array.from({ length: MOST_KEYS }, (_, i) => (MOST_KEYS - 1 - i) * WIDTH);
  #total = 0;
  // The same key often comes many times in a row.
  #lastKey: string | undefined;
  #lastPlace = 0;

  /**
   * Counts a key.
   *
   * @param bytesWithheld - those of `bytesSpared` that were not sent.
   * @param time - milliseconds since 1970; 0 for none.
   */
  add(key: string, bytesSpared: number, bytesWithheld: number, time: number): void {
    this.#total++;
    const at = key === this.#lastKey ? this.#lastPlace : (this.#places.get(key) ?? this.#placeFor(key));
    this.#lastKey = key;
    this.#lastPlace = at;
    const numbers = this.#numbers;
    numbers[at + COUNT] = (numbers[at + COUNT] as number) + 1;
    numbers[at + SPARED] = (numbers[at + SPARED] as number) + bytesSpared;
    numbers[at + WITHHELD] = (numbers[at + WITHHELD] as number) + bytesWithheld;
    numbers[at + CREDIT] = (numbers[at + CREDIT] as number) + 1;
    if (time > (numbers[at + LAST] as number)) numbers[at + LAST] = time;
  }

  /** Returns the most frequent keys, and the count of all others together. */
  rows(limit: number): Rows {
    const rows = [...this.#places].map(([key, at]) => this.#rowOf(key, at)).sort(byFrequency);
    const top = rows.slice(0, limit);
    return { rows: top, others: top.reduce((rest, row) => rest - row.count, this.#total) };
  }

  #rowOf(key: string, at: number): Row {
    const [count = 0, bytesSpared = 0, bytesWithheld = 0, lastAt = 0] = this.#numbers.subarray(at, at + CREDIT);
    const row = { key: visible(key), count, bytesSpared, bytesWithheld };
    return lastAt === 0 ? row : { ...row, lastAt: new Date(lastAt).toISOString() };
  }

  #placeFor(key: string): number {
    if (this.#free.length === 0) this.#purge();
    const at = this.#free.pop() as number;
    // A copy, because the key may be a slice that keeps a longer text in memory.
    this.#places.set(copied(key), at);
    return at;
  }

  #purge(): void {
    const numbers = this.#numbers;
    const median = this.#medianCredit();
    for (const [key, at] of this.#places) {
      const credit = (numbers[at + CREDIT] as number) - median;
      numbers[at + CREDIT] = credit;
      if (credit > 0) continue;
      numbers.fill(0, at, at + WIDTH);
      this.#places.delete(key);
      this.#free.push(at);
    }
  }

  // Called only when every place is taken.
  #medianCredit(): number {
    const credits = new Float64Array(MOST_KEYS);
    let once = 0;
    for (let i = 0; i < MOST_KEYS; i++) {
      const credit = this.#numbers[i * WIDTH + CREDIT] as number;
      credits[i] = credit;
      if (credit === 1) once++;
    }
    // A flood of new keys: 1 is the smallest possible credit, so it is the median.
    if (once > MOST_KEYS / 2) return 1;
    return credits.sort()[MOST_KEYS >> 1] as number;
  }
}

function byFrequency(a: Row, b: Row): number {
  return b.count - a.count || b.bytesSpared - a.bytesSpared || (a.key < b.key ? -1 : 1);
}
