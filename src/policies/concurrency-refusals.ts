import type { Refusal } from "../http/refusal.js";
import { refuse } from "./refuse.js";
import type { RoomSettings } from "./waiting-room.js";

/** Why an upload has got no place, or has lost it. */
export type NoPlace = "full" | "late" | "evicted" | "left" | "lost" | "store-failed";

const LATE = "too many uploads at the same time: no place has become free in time";

const REASONS: Readonly<Record<NoPlace, string>> = {
  full: "too many uploads at the same time",
  late: LATE,
  evicted: "too many uploads at the same time: a client with fewer uploads was waiting",
  // Sent if the time of all policies together was up before that of the wait.
  left: LATE,
  lost: "the upload has lost its place",
  "store-failed": "the places for uploads cannot be read at present",
};

const REDUCED_CAPACITY = {
  type: "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
  title: "Request cannot be satisfied due to temporary server capacity constraints",
};

const STORE_RETRY_SECONDS = 10;

/**
 * Makes the refusals of one `concurrency` policy.
 *
 * The last one for each reason is used again while its `Retry-After` is the same: a full server refuses thousands of
 * uploads a second.
 *
 * @see draft-ietf-httpapi-ratelimit-headers-11 §3 (the unit `concurrent-requests`), §4, §5
 */
export class ConcurrencyRefusals {
  readonly #last = new Map<NoPlace, { readonly seconds: number; readonly refusal: Refusal }>();

  constructor(readonly settings: Pick<RoomSettings, "name" | "limit">) {}

  /** @param seconds - when to come again. */
  refusalOf(why: NoPlace, seconds: number): Refusal {
    const last = this.#last.get(why);
    if (last?.seconds === seconds) return last.refusal;
    const refusal = this.#make(why, seconds);
    this.#last.set(why, { seconds, refusal });
    return refusal;
  }

  #make(why: NoPlace, seconds: number): Refusal {
    const reason = REASONS[why];
    // The store decides when there are places again, and nothing is known about it.
    if (why === "store-failed") {
      return refuse(503, { reason, headers: { "Retry-After": STORE_RETRY_SECONDS } });
    }
    const { name, limit } = this.settings;
    return refuse(503, {
      reason,
      headers: {
        "Retry-After": seconds,
        "RateLimit-Policy": `"${name}";q=${limit};qu="concurrent-requests"`,
        RateLimit: `"${name}";r=0;t=${seconds}`,
      },
      problem: { ...REDUCED_CAPACITY, "violated-policies": [name] },
    });
  }
}
