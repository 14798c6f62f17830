import type { IncomingMessage } from "node:http";
import type { HttpRequest } from "../http/message.js";
import { optionError } from "../support/errors.js";
import { optionalCount, optionalFunction, optionalOneOf, requireCount, requireKnownKeys } from "../support/options.js";
import type { Upload } from "./policy.js";
import { optionalRateLimitName } from "./ratelimit-name.js";
import type { SemaphoreFactory } from "./semaphore.js";
import type { SharedRoomSettings } from "./shared-room.js";

/** Options of {@link concurrency}; only `limit` is required. */
export interface ConcurrencyOptions<Req extends HttpRequest = IncomingMessage> {
  /** The most uploads in flight at the same time, for each key. */
  limit: number;
  /** Returns the key whose uploads are counted together. Default: all uploads of this policy are. */
  key?: (req: Req, upload: Upload) => string;
  /** The most uploads in flight at the same time, of all keys together. Keys take turns. Default: no limit. */
  total?: number;
  /** How many uploads may wait for a place, of all keys together. Default: none waits. */
  maxWaiting?: number;
  /** How long an upload may wait, in milliseconds; at most the guard's `policyTimeoutMs`. Default 5,000. */
  maxWaitMs?: number;
  /** The value of `Retry-After`, in seconds. Default: an estimate; 5 before any place has become free. */
  retryAfterSeconds?: number;
  /** The name of the limit in the `RateLimit` fields, in metrics and in the semaphore. Default `"concurrency"`. */
  name?: string;
  /**
   * Makes a semaphore that all processes with the same store share, so that `limit` is the limit of all of them:
   * `(key, limit, options) => new Semaphore(redis, key, limit, options)` with `redis-semaphore`. Give each policy
   * with the same store a `name` of its own.
   */
  semaphore?: SemaphoreFactory;
  /** How long the store keeps the place of a process that has ended, in milliseconds; 1,000 or more. Default 30,000. */
  leaseMs?: number;
  /** How long the store may take for an answer, in milliseconds. Default 1,000. */
  storeTimeoutMs?: number;
  /** What happens to uploads while the store fails: `"refuse"` (default) with 503, or `"accept"`: this process counts. */
  onStoreError?: "refuse" | "accept";
}

/** The options of one `concurrency` policy after checking, with their defaults. */
export interface ConcurrencySettings<Req extends HttpRequest> extends Omit<SharedRoomSettings, "semaphore"> {
  readonly key: ConcurrencyOptions<Req>["key"];
  readonly retryAfterSeconds: number | undefined;
  readonly semaphore: SemaphoreFactory | undefined;
}

const OPTION_KEYS = [
  "limit",
  "key",
  "total",
  "maxWaiting",
  "maxWaitMs",
  "retryAfterSeconds",
  "name",
  "semaphore",
  "leaseMs",
  "storeTimeoutMs",
  "onStoreError",
] as const satisfies readonly (keyof ConcurrencyOptions)[];

/** Options that mean nothing without another one. */
const NEEDS = {
  total: "key",
  maxWaitMs: "maxWaiting",
  leaseMs: "semaphore",
  storeTimeoutMs: "semaphore",
  onStoreError: "semaphore",
} as const satisfies { readonly [K in keyof ConcurrencyOptions]?: keyof ConcurrencyOptions };

/** More than can wait in the memory of one process. */
const MOST_WAITING = 1_000_000;
const LEAST_LEASE_MS = 1_000;

/**
 * Checks the options of `concurrency`.
 *
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for a missing, unknown or wrong option.
 */
export function readConcurrencyOptions<Req extends HttpRequest>(
  options: ConcurrencyOptions<Req>,
): ConcurrencySettings<Req> {
  requireKnownKeys("concurrency", options, OPTION_KEYS);
  for (const [name, needed] of Object.entries(NEEDS) as [keyof typeof NEEDS, keyof ConcurrencyOptions][]) {
    if (options[name] === undefined || options[needed] !== undefined) continue;
    throw optionError(`concurrency({ ${name} })`, options[name], `nothing, unless ${needed} is set`);
  }
  const limit = requireCount("concurrency({ limit })", options.limit);
  const { retryAfterSeconds, maxWaiting } = options;
  return {
    limit,
    key: optionalFunction("concurrency({ key })", options.key),
    total: readTotal(options, limit),
    maxWaiting:
      maxWaiting === undefined ? 0 : optionalCount("concurrency({ maxWaiting })", maxWaiting, 1, MOST_WAITING),
    maxWaitMs: optionalCount("concurrency({ maxWaitMs })", options.maxWaitMs, 5_000),
    retryAfterSeconds:
      retryAfterSeconds === undefined
        ? undefined
        : optionalCount("concurrency({ retryAfterSeconds })", retryAfterSeconds, 1),
    name: optionalRateLimitName("concurrency({ name })", options.name, "concurrency"),
    semaphore: readSemaphore(options.semaphore),
    leaseMs: readLease(options.leaseMs),
    storeTimeoutMs: optionalCount("concurrency({ storeTimeoutMs })", options.storeTimeoutMs, 1_000),
    onStoreError: optionalOneOf("concurrency({ onStoreError })", options.onStoreError, ["refuse", "accept"], "refuse"),
  };
}

function readTotal({ total, semaphore }: ConcurrencyOptions<never>, limit: number): number {
  if (total === undefined) return Number.POSITIVE_INFINITY;
  if (semaphore !== undefined) throw optionError("concurrency({ total })", total, "nothing, if semaphore is set");
  if (requireCount("concurrency({ total })", total) >= limit) return total;
  throw optionError("concurrency({ total })", total, `the limit of one key, ${limit}, or more`);
}

function readSemaphore(semaphore: unknown): SemaphoreFactory | undefined {
  if (semaphore === undefined || typeof semaphore === "function") return semaphore as SemaphoreFactory | undefined;
  throw optionError(
    "concurrency({ semaphore })",
    semaphore,
    "a function that makes one: (key, limit, options) => new Semaphore(redis, key, limit, options)",
  );
}

function readLease(leaseMs: unknown): number {
  const read = optionalCount("concurrency({ leaseMs })", leaseMs, 30_000);
  if (read >= LEAST_LEASE_MS) return read;
  throw optionError(
    "concurrency({ leaseMs })",
    leaseMs,
    `${LEAST_LEASE_MS} or more, so that there is time to renew it`,
  );
}
