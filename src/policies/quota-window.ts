/**
 * When a limiter's window ends, on the clock of this process (`performance.now()`, in milliseconds).
 *
 * The store reports how long the window still lasts, measured at some moment between the request and the answer. The
 * end therefore lies between `earliest` and `latest`.
 */
export interface Window {
  readonly earliest: number;
  readonly latest: number;
}

/** Two answers about the same window may differ by this much. Nothing is refunded this close to its end. */
const TOLERANCE_MS = 100;

/**
 * Returns the window of an answer that has just arrived.
 *
 * @param askedAt - when the store was asked, by `performance.now()`.
 * @param msToEnd - milliseconds to the end of the window; negative for a window that never ends.
 */
export function windowOf(askedAt: number, msToEnd: number): Window {
  if (msToEnd < 0) return { earliest: Number.POSITIVE_INFINITY, latest: Number.POSITIVE_INFINITY };
  return { earliest: askedAt + msToEnd, latest: performance.now() + msToEnd };
}

/** Whether two windows may end at the same time. */
export function isSameWindow(a: Window, b: Window): boolean {
  return a.earliest <= b.latest + TOLERANCE_MS && b.earliest <= a.latest + TOLERANCE_MS;
}

/** Whether a window may have ended. */
export function mayHaveEnded({ earliest }: Window): boolean {
  return performance.now() >= earliest - TOLERANCE_MS;
}
