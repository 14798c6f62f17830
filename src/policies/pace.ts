/** How much a new observation counts beside all earlier ones. */
const WEIGHT = 0.2;

/** No client is told to come again later than after one hour. */
const MAX_SECONDS = 3_600;

/** Estimates when a place becomes free, from how long uploads have kept theirs until now. Times are monotonic. */
export class Pace {
  #keptMs: number | undefined;

  /** An upload has kept its place for so many milliseconds. */
  observe(keptMs: number): void {
    this.#keptMs = this.#keptMs === undefined ? keptMs : this.#keptMs + WEIGHT * (keptMs - this.#keptMs);
  }

  /**
   * Returns after how many seconds an upload will find a place, 1 or more; `undefined` before the first observation.
   *
   * @param ahead - uploads that get a place before it.
   * @param places - places that they share.
   */
  secondsUntilFree(ahead: number, places: number): number | undefined {
    if (this.#keptMs === undefined) return undefined;
    const seconds = Math.ceil((this.#keptMs * (ahead + 1)) / places / 1_000);
    return Math.min(Math.max(seconds, 1), MAX_SECONDS);
  }
}
