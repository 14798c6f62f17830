import type { IncomingMessage } from "node:http";
import type { HttpRequest } from "../http/message.js";
import type { Refusal } from "../http/refusal.js";
import { answerError } from "../support/errors.js";
import { markFactory } from "../support/factories.js";
import { currentLoad, type Load } from "./load.js";
import { LoadLimits } from "./load-limits.js";
import { named } from "./names.js";
import { type OverloadOptions, readOverloadOptions } from "./overload-options.js";
import type { Policy, Upload } from "./policy.js";
import { refuse } from "./refuse.js";

/**
 * Refuses uploads while the process has more to do than is allowed, with 503 and `Retry-After`.
 *
 * The load is measured when an upload comes, at most once a second, and covers the last second or two while uploads come.
 * Measuring begins with the first upload. What is over its limit counts as over until it falls below `recoverAt` of the
 * limit. The log has what was exceeded; the client is told only that the server is overloaded. Accepts a request
 * without content.
 *
 * @param options - see {@link OverloadOptions}; one limit at least, or `isOverloaded`.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for no limit at all, and for an unknown or wrong option.
 * @example overload({ maxEventLoopDelayMs: 200, maxRss: "1gb" })
 * @see RFC 9110 §15.6.4
 */
export function overload<Req extends HttpRequest = IncomingMessage>(options: OverloadOptions): Policy<Req> {
  const { allowed, isOverloaded, recoverAt, retryAfterSeconds } = readOverloadOptions(options);
  const limits = new LoadLimits(allowed, recoverAt);
  let judged: Load | undefined;
  let refusal: Refusal | undefined;

  function judge(load: Load): Refusal | undefined {
    const exceeded = limits.exceededBy(load) ?? (isOverloaded && isTrue(isOverloaded) ? "isOverloaded()" : undefined);
    if (exceeded === undefined) return undefined;
    return refuse(503, {
      reason: `overloaded: ${exceeded}`,
      headers: { "Retry-After": retryAfterSeconds },
      problem: { detail: "the server is overloaded" },
    });
  }

  return named("overload", (_req: Req, upload: Upload) => {
    if (upload.length === 0) return true;
    const load = currentLoad();
    if (load !== judged) {
      refusal = judge(load);
      judged = load;
    }
    return refusal ?? true;
  });
}

markFactory(overload, "overload({ maxEventLoopDelayMs: 200 })");

function isTrue(isOverloaded: () => boolean): boolean {
  const answer: unknown = isOverloaded();
  if (typeof answer === "boolean") return answer;
  throw answerError("overload({ isOverloaded })", answer, "true or false");
}
