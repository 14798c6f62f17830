import { ExpectationError, optionError } from "../support/errors.js";
import { optionalCount, optionalFunction, requireKnownKeys } from "../support/options.js";
import { parseSize } from "../support/size.js";
import type { AllowedLoad } from "./load-limits.js";

/** Options of {@link overload}: at least one limit, or `isOverloaded`. */
export interface OverloadOptions {
  /** Milliseconds that the event loop may be late: the 99th percentile. */
  maxEventLoopDelayMs?: number;
  /** The share of the time in which the event loop may be busy, above 0 and below 1. */
  maxEventLoopUtilization?: number;
  /** Bytes of JavaScript objects, or a size such as `"1gb"`. Buffers are not among them. */
  maxHeap?: number | string;
  /** The resident memory of the process, buffers included: bytes, or a size such as `"1.5gb"`. */
  maxRss?: number | string;
  /** Returns whether something else is overloaded, such as a queue. Called at most once a second. */
  isOverloaded?: () => boolean;
  /**
   * The share of a limit below which the overload is over, above 0, at most 1. Default 0.8; 0.95 for memory, which seldom
   * falls far.
   */
  recoverAt?: number;
  /** The value of `Retry-After`, in seconds. Default 10. */
  retryAfterSeconds?: number;
}

/** The options of one `overload` policy after checking. */
interface OverloadSettings {
  readonly allowed: AllowedLoad;
  readonly isOverloaded: (() => boolean) | undefined;
  readonly recoverAt: number | undefined;
  readonly retryAfterSeconds: number;
}

const LIMITS = ["maxEventLoopDelayMs", "maxEventLoopUtilization", "maxHeap", "maxRss", "isOverloaded"] as const;
const OPTION_KEYS = [...LIMITS, "recoverAt", "retryAfterSeconds"] as const satisfies readonly (keyof OverloadOptions)[];

/**
 * Checks the options of `overload`.
 *
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for no limit at all, and for an unknown or wrong option.
 */
export function readOverloadOptions(options: OverloadOptions): OverloadSettings {
  requireKnownKeys("overload", options, OPTION_KEYS);
  if (LIMITS.every((name) => options[name] === undefined)) {
    const message = `overload(options): received no limit; expected one of ${LIMITS.join(", ")}`;
    throw new ExpectationError("ERR_EXPECT_OPTION", message);
  }
  const { maxEventLoopDelayMs, maxEventLoopUtilization, recoverAt } = options;
  if (maxEventLoopUtilization !== undefined && !(isShare(maxEventLoopUtilization) && maxEventLoopUtilization < 1)) {
    const option = "overload({ maxEventLoopUtilization })";
    throw optionError(option, maxEventLoopUtilization, "a number above 0 and below 1");
  }
  if (recoverAt !== undefined && !isShare(recoverAt)) {
    throw optionError("overload({ recoverAt })", recoverAt, "a number above 0 and at most 1");
  }
  return {
    allowed: {
      maxEventLoopDelayMs:
        maxEventLoopDelayMs === undefined
          ? undefined
          : optionalCount("overload({ maxEventLoopDelayMs })", maxEventLoopDelayMs, 1),
      maxEventLoopUtilization,
      maxHeap: optionalSize("overload({ maxHeap })", options.maxHeap),
      maxRss: optionalSize("overload({ maxRss })", options.maxRss),
    },
    recoverAt,
    isOverloaded: optionalFunction("overload({ isOverloaded })", options.isOverloaded),
    retryAfterSeconds: optionalCount("overload({ retryAfterSeconds })", options.retryAfterSeconds, 10),
  };
}

function isShare(value: unknown): value is number {
  return typeof value === "number" && value > 0 && value <= 1;
}

function optionalSize(option: string, value: unknown): number | undefined {
  return value === undefined ? undefined : parseSize(value, option);
}
