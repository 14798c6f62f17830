import { answerError, optionError } from "../support/errors.js";

/** What a {@link Limiter} returns for one key; `RateLimiterRes` of `rate-limiter-flexible`. */
export interface LimiterResult {
  /** Milliseconds to the end of the window; negative for a window that never ends. */
  readonly msBeforeNext: number;
  readonly consumedPoints: number;
  readonly remainingPoints?: number;
}

/** A limiter of `rate-limiter-flexible` 11, in memory or in any of its stores. All that use the same store share it. */
export interface Limiter {
  /** The budget of one key in one window. */
  readonly points: number;
  /** The length of a window in seconds; 0 for a window that never ends. */
  readonly duration: number;
  readonly blockDuration?: number;
  readonly execEvenly?: boolean;
  consume(key: string, points: number): Promise<LimiterResult>;
  get(key: string): Promise<LimiterResult | null>;
  penalty(key: string, points: number): Promise<LimiterResult>;
  reward(key: string, points: number): Promise<LimiterResult>;
}

const METHODS = ["consume", "get", "penalty", "reward"] as const satisfies readonly (keyof Limiter)[];

/** The largest integer of a structured field has fifteen digits (RFC 9651 §3.3.1). */
const MAX_POINTS = 999_999_999_999_999;

/**
 * Checks the option `limiter` of `quota`.
 *
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` if it is not a limiter, or one that `quota` cannot use.
 */
export function requireLimiter(limiter: Partial<Limiter> | undefined): void {
  if (!METHODS.every((method) => typeof limiter?.[method] === "function")) {
    throw optionError("quota({ limiter })", limiter, "a limiter of rate-limiter-flexible, such as a RateLimiterMemory");
  }
  const { points, duration, execEvenly } = limiter as Limiter;
  if (!Number.isInteger(points) || points < 0 || points > MAX_POINTS) {
    throw optionError("quota({ limiter }).points", points, `a whole number from 0 to ${MAX_POINTS}`);
  }
  if (typeof duration !== "number" || !(duration >= 0)) {
    throw optionError("quota({ limiter }).duration", duration, "seconds, or 0 for a window that never ends");
  }
  if (execEvenly === true) {
    throw optionError("quota({ limiter }).execEvenly", execEvenly, "false, because it would delay each verdict");
  }
}

/** Whether a value has the shape of a {@link LimiterResult}. Limiters reject with one if they refuse. */
export function isLimiterResult(value: unknown): value is LimiterResult {
  if (typeof value !== "object" || value === null || value instanceof Error) return false;
  const { msBeforeNext, consumedPoints } = value as Partial<LimiterResult>;
  return Number.isFinite(msBeforeNext) && Number.isFinite(consumedPoints);
}

/**
 * Checks what a limiter returned.
 *
 * @throws {ExpectationError} `ERR_EXPECT_POLICY` if it is not a {@link LimiterResult}.
 */
export function requireLimiterResult(value: unknown): LimiterResult {
  if (isLimiterResult(value)) return value;
  throw answerError("quota({ limiter })", value, "an object with consumedPoints and msBeforeNext");
}
