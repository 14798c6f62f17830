import type { IncomingMessage } from "node:http";
import type { HttpRequest } from "../http/message.js";
import { answerError } from "../support/errors.js";
import { markFactory } from "../support/factories.js";
import { optionalCount, optionalFunction, requireCount, requireKnownKeys } from "../support/options.js";
import { named } from "./names.js";
import type { Policy, Upload } from "./policy.js";
import { refuse } from "./refuse.js";

/** Options of {@link concurrency}. */
export interface ConcurrencyOptions<Req extends HttpRequest = IncomingMessage> {
  /** The most uploads in flight at the same time, for each key. */
  limit: number;
  /** Returns the key whose uploads are counted together. Default: all uploads of this policy are. */
  key?: (req: Req, upload: Upload) => string;
  /** The value of `Retry-After`, in seconds. Default 5. */
  retryAfterSeconds?: number;
}

const OPTION_KEYS = ["limit", "key", "retryAfterSeconds"] as const satisfies readonly (keyof ConcurrencyOptions)[];

/**
 * Refuses an upload while `limit` others are in flight in this process, with 503 and `Retry-After`.
 *
 * An upload counts from the verdict until the response is finished or the client has left. Requests without content do
 * not count.
 *
 * @param options - see {@link ConcurrencyOptions}; `limit` is required.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for a missing, unknown or wrong option.
 * @example concurrency({ limit: 50 })
 * @see RFC 9110 §15.6.4
 */
export function concurrency<Req extends HttpRequest = IncomingMessage>(options: ConcurrencyOptions<Req>): Policy<Req> {
  requireKnownKeys("concurrency", options, OPTION_KEYS);
  const limit = requireCount("concurrency({ limit })", options.limit);
  const key = optionalFunction("concurrency({ key })", options.key);
  const retryAfterSeconds = optionalCount("concurrency({ retryAfterSeconds })", options.retryAfterSeconds, 5);
  const busy = refuse(503, {
    reason: "too many uploads at the same time",
    headers: { "Retry-After": retryAfterSeconds },
  });
  const inFlight = new Map<string, number>();

  return named("concurrency", (req: Req, upload: Upload) => {
    if (upload.length === 0) return true;
    const group: unknown = key === undefined ? "" : key(req, upload);
    if (typeof group !== "string") {
      throw answerError("concurrency({ key })", group, "a string");
    }
    const count = inFlight.get(group) ?? 0;
    if (count >= limit) return busy;
    inFlight.set(group, count + 1);
    upload.onClose(() => {
      const others = (inFlight.get(group) as number) - 1;
      if (others === 0) inFlight.delete(group);
      else inFlight.set(group, others);
    });
    return true;
  });
}

markFactory(concurrency, "concurrency({ limit: 50 })");
