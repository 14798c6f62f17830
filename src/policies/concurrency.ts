import type { IncomingMessage } from "node:http";
import type { HttpRequest } from "../http/message.js";
import type { Refusal } from "../http/refusal.js";
import { answerError } from "../support/errors.js";
import { markFactory } from "../support/factories.js";
import type { Places } from "../support/places.js";
import { type ConcurrencyOptions, type ConcurrencySettings, readConcurrencyOptions } from "./concurrency-options.js";
import { ConcurrencyRefusals, type NoPlace } from "./concurrency-refusals.js";
import type { LeaseEnd } from "./lease.js";
import { LocalRoom } from "./local-room.js";
import { named } from "./names.js";
import type { Policy, Upload, Verdict } from "./policy.js";
import { SharedRoom, STORE_FAILED } from "./shared-room.js";
import type { Entry, WaitingRoom } from "./waiting-room.js";

/** What {@link concurrency} returns: a policy that tells how many places are taken. */
export type ConcurrencyPolicy<Req extends HttpRequest = IncomingMessage> = Policy<Req> & {
  /** The places of this process at this moment, of all keys together. */
  readonly places: Places;
};

/** `Retry-After` before any place has become free, in seconds. */
const FIRST_RETRY_SECONDS = 5;

/**
 * Refuses an upload while `limit` others are in flight, with 503 and `Retry-After`. With `maxWaiting`, uploads wait for a
 * place first: a client that waits for its 100 costs next to nothing.
 *
 * An upload has its place from the verdict until the response is finished or the client has left. Requests without
 * content need none. A question without an upload (`upload.isPreflight`) takes none.
 *
 * Counts the uploads of this process or, with `semaphore`, of all processes that share a store. An upload that loses its
 * place there is cut off with 503.
 *
 * Put it last: an upload keeps its place while later policies decide.
 *
 * @param options - see {@link ConcurrencyOptions}; `limit` is required.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for a missing, unknown or wrong option.
 * @example concurrency({ limit: 50, maxWaiting: 1_000, maxWaitMs: 8_000 })
 * @see RFC 9110 §15.6.4, draft-ietf-httpapi-ratelimit-headers
 */
export function concurrency<Req extends HttpRequest = IncomingMessage>(
  options: ConcurrencyOptions<Req>,
): ConcurrencyPolicy<Req> {
  const settings = readConcurrencyOptions(options);
  const { semaphore, maxWaiting, maxWaitMs } = settings;
  const room: WaitingRoom = semaphore
    ? new SharedRoom({ ...settings, semaphore }, decide)
    : new LocalRoom(settings, decide);
  const refusals = new ConcurrencyRefusals(settings);

  function refusalOf(why: NoPlace, key: string): Refusal {
    const seconds = settings.retryAfterSeconds ?? room.secondsUntilFree(key) ?? FIRST_RETRY_SECONDS;
    return refusals.refusalOf(why, seconds);
  }

  function decide(entry: Entry, key: string, upload: Upload): Verdict {
    if (typeof entry === "string") return refusalOf(entry, key);
    upload.onClose(() => room.leave(entry));
    entry.lease?.hold({
      onFault: (error) => upload.report(STORE_FAILED, error),
      onEnd: (end) => loseLease(end, key, upload),
    });
    return true;
  }

  function loseLease(end: LeaseEnd, key: string, upload: Upload): void {
    if (end === "store-failed" && settings.onStoreError === "accept") return;
    room.tell("lost");
    upload.refuse(refusalOf(end, key));
  }

  const policy = named(
    "concurrency",
    (req: Req, upload: Upload) => {
      if (upload.length === 0) return true;
      const key = keyOf(settings, req, upload);
      if (upload.isPreflight) return room.hasSpace(key) ? true : refusalOf("full", key);
      return room.enter(key, upload);
    },
    { maxWaitMs: maxWaiting === 0 ? 0 : maxWaitMs },
  );
  return Object.defineProperty(policy, "places", { value: room.places, enumerable: true }) as ConcurrencyPolicy<Req>;
}

markFactory(concurrency, "concurrency({ limit: 50 })");

function keyOf<Req extends HttpRequest>(settings: ConcurrencySettings<Req>, req: Req, upload: Upload): string {
  if (settings.key === undefined) return "";
  const key: unknown = settings.key(req, upload);
  if (typeof key === "string") return key;
  throw answerError("concurrency({ key })", key, "a string");
}
