import type { IncomingMessage } from "node:http";
import type { HttpRequest } from "../http/message.js";
import { answerError } from "../support/errors.js";
import { markFactory } from "../support/factories.js";
import { whenContentEnds } from "./content-end.js";
import { named } from "./names.js";
import { asksForLimits, type Policy, type Upload, type UploadEnd, type Verdict } from "./policy.js";
import { type QuotaOptions, type QuotaSettings, readQuotaOptions } from "./quota-options.js";
import { overBudget, STORE_FAILED } from "./quota-refusals.js";
import { type Answer, consume, look, type Reservation, refund } from "./quota-store.js";
import { LENGTH_REQUIRED, largerThanCounted } from "./unknown-length.js";
import { withTimeout } from "./with-timeout.js";

/**
 * Refuses an upload that is over the budget of its key, in bytes or requests, before it is sent: with 429, `Retry-After`
 * and the `RateLimit` fields.
 *
 * Reserves the cost with the verdict, in one step of the store, so that no two uploads use the same points. When the
 * upload ends, it refunds the points of bytes that did not arrive. It refunds all points if the upload was refused,
 * abandoned before all content had come, or failed (a final status of 400 or more). Reservations are not refunded after the window has ended.
 *
 * A question without an upload (`upload.isPreflight`) gets the answer that the upload would get, and reserves nothing.
 *
 * Put it after the policies that need no store. If bytes are charged, a request without content costs nothing.
 *
 * @param options - see {@link QuotaOptions}; `limiter` and `key` are required.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for a missing, unknown or wrong option.
 * @example quota({ limiter: new RateLimiterMemory({ points: 1e9, duration: 3600 }), key: (req) => req.user.id })
 * @see RFC 6585 §4 (429), draft-ietf-httpapi-ratelimit-headers
 */
export function quota<Req extends HttpRequest = IncomingMessage>(options: QuotaOptions<Req>): Policy<Req> {
  const settings = readQuotaOptions(options);
  const larger = largerThanCounted(settings.unknownLengthCost);
  return named("quota", (req: Req, upload: Upload) => {
    if (asksForLimits(upload)) return true;
    const cost = costOf(settings, req, upload);
    if (cost === undefined) return LENGTH_REQUIRED;
    if (cost === 0) return true;
    if (upload.length === undefined && settings.cost === "bytes") upload.limitBytes(cost, larger);
    return reserve(settings, req, upload, keyOf(settings, req, upload), cost);
  });
}

markFactory(quota, "quota({ limiter, key })");

function costOf<Req extends HttpRequest>(settings: QuotaSettings<Req>, req: Req, upload: Upload): number | undefined {
  const { cost } = settings;
  if (cost === "requests") return 1;
  if (cost === "bytes") return upload.length ?? settings.unknownLengthCost;
  const points = cost(req, upload);
  if (Number.isSafeInteger(points) && points >= 0) return points;
  throw answerError("quota({ cost })", points, "a whole number of points, 0 or more");
}

// An empty key is an error: all clients without a key would share one budget.
function keyOf<Req extends HttpRequest>(settings: QuotaSettings<Req>, req: Req, upload: Upload): string {
  const key: unknown = settings.key(req, upload);
  if (typeof key === "string" && key !== "") return key;
  throw answerError("quota({ key })", key, "a string that is not empty");
}

async function reserve<Req extends HttpRequest>(
  settings: QuotaSettings<Req>,
  req: Req,
  upload: Upload,
  key: string,
  points: number,
): Promise<Verdict> {
  const { limiter, storeTimeoutMs } = settings;
  const reportStore = (error: unknown) => upload.report("quota: the store failed", error);
  const refundAll = ({ isCounted, window }: Answer) =>
    isCounted ? refund(limiter, { key, points, window }, points) : undefined;
  // Points that can never be granted would count until they are refunded, and other uploads of the key would be refused
  // meanwhile.
  const isQuestion = upload.isPreflight || points > limiter.points;
  const asked = isQuestion ? look(limiter, key, points) : consume(limiter, key, points);
  let answer: Answer;
  try {
    answer = await withTimeout(asked, storeTimeoutMs);
  } catch (error) {
    reportStore(error);
    // The store may still answer, and have counted points that no upload uses.
    void asked.then(refundAll).catch(() => {});
    return settings.onStoreError === "accept" ? true : STORE_FAILED;
  }
  if (answer.isGranted) {
    if (answer.isCounted) refundAtEnd(settings, req, upload, { key, points, window: answer.window });
    return true;
  }
  // Refund before the refusal is sent, so that the client's next upload finds the points.
  await withTimeout(Promise.resolve(refundAll(answer)), storeTimeoutMs).catch(reportStore);
  return overBudget(settings, points, answer);
}

function refundAtEnd<Req extends HttpRequest>(
  settings: QuotaSettings<Req>,
  req: Req,
  upload: Upload,
  reservation: Reservation,
): void {
  upload.onClose((end) => {
    const settle = () => {
      const unspent = reservation.points - spentPoints(settings, upload, reservation.points, end);
      refund(settings.limiter, reservation, unspent).catch((error: unknown) => {
        upload.report("quota: the store failed; the unused part of a reservation was not refunded", error);
      });
    };
    if (settings.cost === "bytes" && isStored(end)) whenContentEnds(req, upload, end, reservation.points, settle);
    else settle();
  });
}

// If the client left, nobody knows the application's answer. Content that came whole is charged then, or uploads would be
// free for everybody who does not wait for the response.
function isStored({ status, isRefused, isWhole }: UploadEnd): boolean {
  if (isRefused) return false;
  return status === undefined ? isWhole : status < 400;
}

function spentPoints<Req extends HttpRequest>(
  { cost, countFailed }: QuotaSettings<Req>,
  { received }: Upload,
  reserved: number,
  end: UploadEnd,
): number {
  if (!isStored(end) && !countFailed) return 0;
  if (cost === "bytes") return Math.min(received, reserved);
  return end.isRefused ? 0 : reserved;
}
