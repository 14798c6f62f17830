import type { IncomingMessage } from "node:http";
import type { HttpRequest } from "../http/message.js";
import { answerError } from "../support/errors.js";
import { optionalCount, optionalFunction, requireCount, requireKnownKeys } from "../support/options.js";
import { named } from "./names.js";
import type { Policy, Upload } from "./policy.js";
import { refuse } from "./refuse.js";

/** Options of {@link concurrency}. */
export interface ConcurrencyOptions<Req extends HttpRequest = IncomingMessage> {
  /** Uploads in flight at the same time, for each key. */
  limit: number;
  /** Whose uploads are counted together. Default: all of this policy's. */
  key?: (req: Req, upload: Upload) => string;
  /** What `Retry-After` says, in seconds. Default 5. */
  retryAfterSeconds?: number;
}

const OPTION_KEYS = ["limit", "key", "retryAfterSeconds"] as const satisfies readonly (keyof ConcurrencyOptions)[];

/**
 * Refuses an upload while `limit` others are in flight in this process, with 503 and `Retry-After`.
 *
 * A place is taken with the verdict, and free again when the response is finished or the client has left. Requests
 * without content take none.
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
      throw answerError("concurrency({ key })", group, "text");
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
