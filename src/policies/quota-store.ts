import { isLimiterResult, type Limiter, type LimiterResult, requireLimiterResult } from "./limiter.js";
import { isSameWindow, mayHaveEnded, type Window, windowOf } from "./quota-window.js";

/** Points that a limiter has counted for a key, and the window that they are counted in. */
export interface Reservation {
  readonly key: string;
  readonly points: number;
  readonly window: Window;
}

/** The answer of a limiter to a request for points. */
export interface Answer {
  readonly isGranted: boolean;
  /** Whether the limiter has counted the points, as it also does for most requests that it refuses. */
  readonly isCounted: boolean;
  /** Points that the key has left, not counting the points of this request. */
  readonly left: number;
  /** Milliseconds to the end of the window; negative for a window that never ends. */
  readonly msToEnd: number;
  readonly window: Window;
}

/** Asks a limiter for points, in one step of its store. Rejects if the store fails. */
export async function consume(limiter: Limiter, key: string, points: number): Promise<Answer> {
  const askedAt = performance.now();
  let isGranted = true;
  const result: unknown = await limiter.consume(key, points).catch((refused: unknown) => {
    if (!isLimiterResult(refused)) throw refused;
    isGranted = false;
    return refused;
  });
  const { consumedPoints, msBeforeNext } = requireLimiterResult(result);
  // Refused points are refunded, except in two cases. A limiter that has blocked the key in its own memory has not
  // counted them: `consumedPoints` is less than `points`. With `blockDuration`, the counted points keep the key blocked.
  const blocks = (limiter.blockDuration ?? 0) > 0;
  const isCounted = isGranted || (consumedPoints >= points && !blocks);
  const left = isCounted ? limiter.points - consumedPoints + points : 0;
  return { isGranted, isCounted, left, msToEnd: msBeforeNext, window: windowOf(askedAt, msBeforeNext) };
}

/**
 * Returns what {@link consume} would answer, and counts nothing.
 *
 * A limiter that has blocked the key in its own memory (`inMemoryBlockOnConsumed`) does not tell, so that the answer is
 * what the store would grant.
 */
export async function look(limiter: Limiter, key: string, points: number): Promise<Answer> {
  const askedAt = performance.now();
  const result: unknown = await limiter.get(key);
  const { consumedPoints, msBeforeNext, remainingPoints } =
    result === null ? NOTHING_CONSUMED : requireLimiterResult(result);
  // An insurance limiter may have answered, whose budget is its own.
  const left = Math.min(limiter.points - consumedPoints, remainingPoints ?? limiter.points);
  const window = windowOf(askedAt, msBeforeNext);
  return { isGranted: points <= left, isCounted: false, left, msToEnd: msBeforeNext, window };
}

const NOTHING_CONSUMED: LimiterResult = Object.freeze({ consumedPoints: 0, msBeforeNext: 0 });

/**
 * Refunds points to the window that they were reserved in, and to no other.
 *
 * In a new window, or for a key that the store has forgotten, `reward` would raise the budget above the limit
 * (docs/facts.md, "rate-limiter-flexible").
 *
 * @param points - how many of the reserved points to refund.
 */
export async function refund(limiter: Limiter, { key, window }: Reservation, points: number): Promise<void> {
  if (points <= 0 || mayHaveEnded(window)) return;
  const askedAt = performance.now();
  const now: unknown = await limiter.get(key);
  if (now === null || mayHaveEnded(window)) return;
  const found = requireLimiterResult(now);
  if (found.consumedPoints < points || !isSameWindow(window, windowOf(askedAt, found.msBeforeNext))) return;
  const rewardedAt = performance.now();
  const after = requireLimiterResult(await limiter.reward(key, points));
  if (after.consumedPoints >= 0 && isSameWindow(window, windowOf(rewardedAt, after.msBeforeNext))) return;
  // The window ended before the reward reached the store. Take it back from the next window.
  await limiter.penalty(key, points);
}
