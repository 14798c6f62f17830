import type { IncomingMessage } from "node:http";
import type { HttpRequest } from "../http/message.js";
import { optionError } from "../support/errors.js";
import { optionalBoolean, optionalCount, optionalOneOf, requireKnownKeys } from "../support/options.js";
import { parseSize } from "../support/size.js";
import { type Limiter, requireLimiter } from "./limiter.js";
import type { Upload } from "./policy.js";
import { optionalRateLimitName } from "./ratelimit-name.js";

/** Options of {@link quota}. */
export interface QuotaOptions<Req extends HttpRequest = IncomingMessage> {
  /** Keeps the budget: `points` for each key in `duration` seconds. */
  limiter: Limiter;
  /** Returns whose budget an upload is charged to, such as a user, tenant or address; a constant for a shared budget. */
  key: (req: Req, upload: Upload) => string;
  /**
   * `"bytes"` (default) charges the length of the upload, and `"requests"` charges 1. A function returns the points to
   * charge; they are not adjusted to what arrives.
   */
  cost?: "bytes" | "requests" | ((req: Req, upload: Upload) => number);
  /**
   * Bytes, or a size such as `"10mb"`. If bytes are charged, an upload of unknown length reserves this much, and may not
   * be larger. Without it, such an upload is refused with 411.
   */
  unknownLengthCost?: number | string;
  /** The name of the budget in the `RateLimit` fields. Default `"default"`. */
  name?: string;
  /** Whether an upload that failed or was abandoned is charged for the bytes that arrived. Default `false`. */
  countFailed?: boolean;
  /** How long the store may take, in milliseconds. Default 1,000. */
  storeTimeoutMs?: number;
  /** What happens to uploads while the store fails: `"refuse"` (default) with 503, or `"accept"` without counting. */
  onStoreError?: "refuse" | "accept";
}

/** The options of one `quota` policy after checking, with their defaults. */
export interface QuotaSettings<Req extends HttpRequest> extends Required<Omit<QuotaOptions<Req>, "unknownLengthCost">> {
  /** Bytes. */
  readonly unknownLengthCost: number | undefined;
}

const OPTION_KEYS = [
  "limiter",
  "key",
  "cost",
  "unknownLengthCost",
  "name",
  "countFailed",
  "storeTimeoutMs",
  "onStoreError",
] as const satisfies readonly (keyof QuotaOptions)[];

/**
 * Checks the options of `quota`.
 *
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for a missing, unknown or wrong option.
 */
export function readQuotaOptions<Req extends HttpRequest>(options: QuotaOptions<Req>): QuotaSettings<Req> {
  requireKnownKeys("quota", options, OPTION_KEYS);
  const { limiter, key, cost = "bytes", unknownLengthCost } = options;
  requireLimiter(limiter);
  if (typeof key !== "function") throw optionError("quota({ key })", key, "a function that returns the budget's key");
  if (cost !== "bytes" && cost !== "requests" && typeof cost !== "function") {
    throw optionError("quota({ cost })", cost, '"bytes", "requests" or a function');
  }
  if (unknownLengthCost !== undefined && cost !== "bytes") {
    throw optionError("quota({ unknownLengthCost })", unknownLengthCost, 'nothing, unless cost is "bytes"');
  }
  return {
    limiter,
    key,
    cost,
    name: optionalRateLimitName("quota({ name })", options.name, "default"),
    unknownLengthCost: unknownLengthCost === undefined ? undefined : readReserve(unknownLengthCost, limiter),
    countFailed: optionalBoolean("quota({ countFailed })", options.countFailed, false),
    storeTimeoutMs: optionalCount("quota({ storeTimeoutMs })", options.storeTimeoutMs, 1_000),
    onStoreError: optionalOneOf("quota({ onStoreError })", options.onStoreError, ["refuse", "accept"], "refuse"),
  };
}

function readReserve(unknownLengthCost: number | string, { points }: Limiter): number {
  const bytes = parseSize(unknownLengthCost, "quota({ unknownLengthCost })");
  if (bytes <= points) return bytes;
  throw optionError("quota({ unknownLengthCost })", unknownLengthCost, `at most the limiter's ${points} points`);
}
