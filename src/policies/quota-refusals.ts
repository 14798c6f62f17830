import type { HttpRequest } from "../http/message.js";
import type { Refusal } from "../http/refusal.js";
import type { QuotaSettings } from "./quota-options.js";
import type { Answer } from "./quota-store.js";
import { refuse } from "./refuse.js";

const STORE_RETRY_SECONDS = 10;

const QUOTA_EXCEEDED = {
  type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
  title: "Request cannot be satisfied as assigned quota has been exceeded",
};

/** Refuses an upload while the store fails. */
export const STORE_FAILED: Refusal = refuse(503, {
  reason: "the upload budget cannot be read at present",
  headers: { "Retry-After": STORE_RETRY_SECONDS },
});

/**
 * Makes the refusal of an upload that is over its budget, with the `RateLimit` fields and the problem type.
 *
 * @param points - the points that the upload asked for.
 * @see draft-ietf-httpapi-ratelimit-headers-11 §3, §4, §5; `r` and `t` are whole numbers
 */
export function overBudget<Req extends HttpRequest>(
  { limiter, name, cost }: QuotaSettings<Req>,
  points: number,
  { left, msToEnd }: Answer,
): Refusal {
  const { points: budget, duration } = limiter;
  // While the store is down an insurance limiter may answer, with a smaller budget than this limiter's. `left` is too
  // high then, but fewer than `points` are left in any case.
  const available = Math.max(0, Math.min(left, budget, points - 1));
  const unit = cost === "bytes" ? ';qu="content-bytes"' : "";
  const window = duration > 0 ? `;w=${Math.ceil(duration)}` : "";
  // No window has begun for a key that the store does not have: the next one lasts its whole length.
  const seconds = duration > 0 ? Math.ceil((msToEnd > 0 ? msToEnd : duration * 1000) / 1000) : undefined;
  return refuse(429, {
    reason: `over budget: ${points} asked for, ${available} of ${budget} left`,
    problem: { ...QUOTA_EXCEEDED, "violated-policies": [name] },
    headers: {
      "Retry-After": seconds,
      "RateLimit-Policy": `"${name}";q=${budget}${unit}${window}`,
      RateLimit: `"${name}";r=${available}${seconds === undefined ? "" : `;t=${seconds}`}`,
    },
  });
}
