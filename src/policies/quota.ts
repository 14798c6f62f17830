import type { IncomingMessage } from "node:http";
import type { HttpRequest } from "../http/message.js";
import type { Refusal } from "../http/refusal.js";
import { answerError, optionError } from "../support/errors.js";
import { optionalBoolean, optionalCount, optionalOneOf, requireKnownKeys } from "../support/options.js";
import { parseSize } from "../support/size.js";
import { named } from "./names.js";
import type { Policy, Upload, UploadEnd, Verdict } from "./policy.js";
import { refuse } from "./refuse.js";

/** What a {@link Limiter} answers about one key; `RateLimiterRes` of `rate-limiter-flexible`. */
export interface LimiterResult {
  /** Milliseconds to the end of the window; negative where it never ends. */
  readonly msBeforeNext: number;
  readonly consumedPoints: number;
}

/**
 * A limiter of `rate-limiter-flexible` 11, in memory or in any of its stores, that is shared by whoever shares the
 * budget.
 */
export interface Limiter {
  /** The budget of one key and window. */
  readonly points: number;
  /** Length of a window in seconds; 0 for one that never ends. */
  readonly duration: number;
  readonly blockDuration?: number;
  readonly execEvenly?: boolean;
  consume(key: string, points: number): Promise<LimiterResult>;
  get(key: string): Promise<LimiterResult | null>;
  penalty(key: string, points: number): Promise<LimiterResult>;
  reward(key: string, points: number): Promise<LimiterResult>;
}

/** Options of {@link quota}. */
export interface QuotaOptions<Req extends HttpRequest = IncomingMessage> {
  /** Keeps the budget: `points` for each key in `duration` seconds. */
  limiter: Limiter;
  /** Whose budget an upload is charged to: a user, a tenant, an address; a constant for one budget of all. */
  key: (req: Req, upload: Upload) => string;
  /**
   * `"bytes"` (default): the upload's length; `"requests"`: 1; or a function, whose points are charged as they are
   * and never corrected to what arrived.
   */
  cost?: "bytes" | "requests" | ((req: Req, upload: Upload) => number);
  /**
   * Bytes, or a size such as `"10mb"`: reserved for an upload of unknown length where bytes are counted, and the most
   * that it may bring. Without it such an upload is refused with 411.
   */
  unknownLengthCost?: number | string;
  /** What the `RateLimit` fields call the budget. Default `"default"`. */
  name?: string;
  /** Whether an upload that failed or was abandoned is charged for what had arrived. Default `false`: it is free. */
  countFailed?: boolean;
  /** How long the store may take, in milliseconds. Default 1,000. */
  storeTimeoutMs?: number;
  /** What becomes of uploads while the store fails: `"refuse"` (default) with 503, or `"accept"` uncounted. */
  onStoreError?: "refuse" | "accept";
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

/** Most that a structured field can say: fifteen digits (RFC 9651 §3.3.1). */
const MOST_POINTS = 999_999_999_999_999;

/** How much two looks at the end of one window may differ, and how near to it nothing is given back any more. */
const SLACK_MS = 100;

const STORE_RETRY_SECONDS = 10;

/**
 * Refuses an upload that is over its key's budget of bytes or requests, with 429, `Retry-After` and the `RateLimit`
 * fields, before it is sent.
 *
 * Reserves the cost with the verdict, in one step of the store, so that no two uploads share the last of a budget.
 * What did not arrive is given back at the end, all of it where the upload was refused, abandoned or failed (a final
 * status of 400 or more); but nothing after the window has ended, which would be credit for the next. Put it behind
 * the policies that need no store. Requests without content cost no bytes.
 *
 * @param options - see {@link QuotaOptions}; `limiter` and `key` are required.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for a missing, unknown or wrong option.
 * @example quota({ limiter: new RateLimiterMemory({ points: 1e9, duration: 3600 }), key: (req) => req.user.id })
 * @see RFC 6585 §4 (429), draft-ietf-httpapi-ratelimit-headers
 */
export function quota<Req extends HttpRequest = IncomingMessage>(options: QuotaOptions<Req>): Policy<Req> {
  const settings = readOptions(options);
  const { unknownLengthCost } = settings;
  const lengthRequired = refuse(411, { reason: "Content-Length is required" });
  const longerThanReserved = refuse(413, {
    reason: `longer than the ${unknownLengthCost ?? 0} bytes that content of unknown length may have`,
  });
  return named("quota", (req: Req, upload: Upload) => {
    const cost = costOf(settings, req, upload);
    if (cost === undefined) return lengthRequired;
    if (cost === 0) return true;
    if (upload.length === undefined && settings.cost === "bytes") upload.limitBytes(cost, longerThanReserved);
    return reserve(settings, req, upload, keyOf(settings, req, upload), cost);
  });
}

interface Settings<Req extends HttpRequest> extends Required<Omit<QuotaOptions<Req>, "unknownLengthCost">> {
  readonly unknownLengthCost: number | undefined;
}

function readOptions<Req extends HttpRequest>(options: QuotaOptions<Req>): Settings<Req> {
  requireKnownKeys("quota", options, OPTION_KEYS);
  const { limiter, key, cost = "bytes", unknownLengthCost, name = "default" } = options;
  requireLimiter(limiter);
  if (typeof key !== "function") throw optionError("quota({ key })", key, "a function that says whose budget it is");
  if (cost !== "bytes" && cost !== "requests" && typeof cost !== "function") {
    throw optionError("quota({ cost })", cost, '"bytes", "requests" or a function');
  }
  if (unknownLengthCost !== undefined && cost !== "bytes") {
    throw optionError("quota({ unknownLengthCost })", unknownLengthCost, 'nothing, unless cost is "bytes"');
  }
  if (typeof name !== "string" || !/^[\x20\x21\x23-\x5b\x5d-\x7e]{1,64}$/.test(name)) {
    throw optionError("quota({ name })", name, "1 to 64 printable ASCII characters without quotes and backslashes");
  }
  return {
    limiter,
    key,
    cost,
    name,
    unknownLengthCost: unknownLengthCost === undefined ? undefined : reserveOf(unknownLengthCost, limiter),
    countFailed: optionalBoolean("quota({ countFailed })", options.countFailed, false),
    storeTimeoutMs: optionalCount("quota({ storeTimeoutMs })", options.storeTimeoutMs, 1_000),
    onStoreError: optionalOneOf("quota({ onStoreError })", options.onStoreError, ["refuse", "accept"], "refuse"),
  };
}

function reserveOf(unknownLengthCost: number | string, { points }: Limiter): number {
  const reserved = parseSize(unknownLengthCost, "quota({ unknownLengthCost })");
  if (reserved <= points) return reserved;
  throw optionError("quota({ unknownLengthCost })", unknownLengthCost, `at most the limiter's ${points} points`);
}

const LIMITER_METHODS = ["consume", "get", "penalty", "reward"] as const satisfies readonly (keyof Limiter)[];

function requireLimiter(limiter: Partial<Limiter> | undefined): void {
  if (!LIMITER_METHODS.every((method) => typeof limiter?.[method] === "function")) {
    throw optionError("quota({ limiter })", limiter, "a limiter of rate-limiter-flexible, such as a RateLimiterMemory");
  }
  const { points, duration, execEvenly } = limiter as Limiter;
  if (!Number.isInteger(points) || points < 0 || points > MOST_POINTS) {
    throw optionError("quota({ limiter }).points", points, `a whole number from 0 to ${MOST_POINTS}`);
  }
  if (typeof duration !== "number" || !(duration >= 0)) {
    throw optionError("quota({ limiter }).duration", duration, "seconds, or 0 for a window that never ends");
  }
  if (execEvenly === true) {
    throw optionError("quota({ limiter }).execEvenly", execEvenly, "false, since it holds verdicts back");
  }
}

function costOf<Req extends HttpRequest>(settings: Settings<Req>, req: Req, upload: Upload): number | undefined {
  const { cost } = settings;
  if (cost === "requests") return 1;
  if (cost === "bytes") return upload.length ?? settings.unknownLengthCost;
  const points = cost(req, upload);
  if (Number.isSafeInteger(points) && points >= 0) return points;
  throw answerError("quota({ cost })", points, "whole points");
}

// Without a key, all who have none would share one budget.
function keyOf<Req extends HttpRequest>(settings: Settings<Req>, req: Req, upload: Upload): string {
  const key: unknown = settings.key(req, upload);
  if (typeof key === "string" && key !== "") return key;
  throw answerError("quota({ key })", key, "text that is not empty");
}

/** Points that are counted for a key, and the window that they are counted in. */
interface Reservation {
  readonly key: string;
  readonly points: number;
  readonly window: Window;
}

async function reserve<Req extends HttpRequest>(
  settings: Settings<Req>,
  req: Req,
  upload: Upload,
  key: string,
  points: number,
): Promise<Verdict> {
  const { limiter, storeTimeoutMs } = settings;
  const reportStore = (error: unknown) => upload.report("quota: the store failed", error);
  const giveAllBack = ({ isCounted, window }: Answer) =>
    isCounted ? giveBack(limiter, { key, points, window }, points) : undefined;
  const asked = points > limiter.points ? look(limiter, key) : consume(limiter, key, points);
  let answer: Answer;
  try {
    answer = await inTime(asked, storeTimeoutMs);
  } catch (error) {
    reportStore(error);
    // What the store counts after all, nobody uses.
    void asked.then(giveAllBack).catch(() => {});
    return settings.onStoreError === "accept" ? true : STORE_FAILED;
  }
  if (answer.isGranted) {
    settleAtEnd(settings, req, upload, { key, points, window: answer.window });
    return true;
  }
  // Before the refusal goes out: what is asked for next finds them.
  await inTime(Promise.resolve(giveAllBack(answer)), storeTimeoutMs).catch(reportStore);
  return overBudget(settings, points, answer);
}

const STORE_FAILED = refuse(503, {
  reason: "the budget cannot be read at present",
  headers: { "Retry-After": STORE_RETRY_SECONDS },
});

/** What a limiter said about a wish for points. */
interface Answer {
  readonly isGranted: boolean;
  /** Whether the store counts the points: granted, or refused but counted all the same. */
  readonly isCounted: boolean;
  /** Points that are left to the key, without these. */
  readonly left: number;
  readonly msToEnd: number;
  readonly window: Window;
}

async function consume(limiter: Limiter, key: string, points: number): Promise<Answer> {
  const askedAt = performance.now();
  let isGranted = true;
  const result: unknown = await limiter.consume(key, points).catch((refused: unknown) => {
    if (!isResult(refused)) throw refused;
    isGranted = false;
    return refused;
  });
  const { consumedPoints, msBeforeNext } = requireResult(result);
  const blocks = (limiter.blockDuration ?? 0) > 0;
  // A key that is blocked in memory is refused uncounted; one that the store blocks is blocked by its points.
  const isCounted = isGranted || (consumedPoints >= points && !blocks);
  const left = isCounted ? limiter.points - consumedPoints + points : 0;
  return { isGranted, isCounted, left, msToEnd: msBeforeNext, window: windowOf(askedAt, msBeforeNext) };
}

// More than the whole budget is no wish that a limiter could ever grant; to count it would shut others out meanwhile.
async function look(limiter: Limiter, key: string): Promise<Answer> {
  const askedAt = performance.now();
  const result: unknown = await limiter.get(key);
  const { consumedPoints, msBeforeNext } =
    result === null ? { consumedPoints: 0, msBeforeNext: 0 } : requireResult(result);
  const left = limiter.points - consumedPoints;
  return { isGranted: false, isCounted: false, left, msToEnd: msBeforeNext, window: windowOf(askedAt, msBeforeNext) };
}

function isResult(value: unknown): value is LimiterResult {
  if (typeof value !== "object" || value === null || value instanceof Error) return false;
  const { msBeforeNext, consumedPoints } = value as Partial<LimiterResult>;
  return Number.isFinite(msBeforeNext) && Number.isFinite(consumedPoints);
}

function requireResult(value: unknown): LimiterResult {
  if (isResult(value)) return value;
  throw answerError("quota({ limiter })", value, "consumedPoints and msBeforeNext");
}

/** draft-ietf-httpapi-ratelimit-headers-11 §3, §4: lists of strings with parameters; `r` and `t` are whole numbers. */
function overBudget<Req extends HttpRequest>(
  { limiter, name, cost }: Settings<Req>,
  points: number,
  { left, msToEnd }: Answer,
): Refusal {
  const { points: budget, duration } = limiter;
  // An insurance limiter may have less to give than its limiter.
  const available = Math.max(0, Math.min(left, budget, points - 1));
  const unit = cost === "bytes" ? ';qu="content-bytes"' : "";
  const window = duration > 0 ? `;w=${Math.ceil(duration)}` : "";
  // Nobody has begun a window yet: the next one is whole.
  const seconds = duration > 0 ? Math.ceil((msToEnd > 0 ? msToEnd : duration * 1000) / 1000) : undefined;
  return refuse(429, {
    reason: `over budget: ${points} asked for, ${available} of ${budget} left`,
    headers: {
      "Retry-After": seconds,
      "RateLimit-Policy": `"${name}";q=${budget}${unit}${window}`,
      RateLimit: `"${name}";r=${available}${seconds === undefined ? "" : `;t=${seconds}`}`,
    },
  });
}

function settleAtEnd<Req extends HttpRequest>(
  settings: Settings<Req>,
  req: Req,
  upload: Upload,
  reservation: Reservation,
): void {
  upload.onClose((end) => {
    const settle = () => {
      const unspent = reservation.points - spentOf(settings, upload, reservation.points, end);
      giveBack(settings.limiter, reservation, unspent).catch((error: unknown) => {
        upload.report("quota: the store failed, and what was not used is not given back", error);
      });
    };
    // An application may answer before all has arrived, and go on reading.
    const mayGrow = isStored(end) && settings.cost === "bytes" && upload.received < reservation.points;
    if (mayGrow && !req.complete && !req.destroyed) (req as IncomingMessage).once("close", settle);
    else settle();
  });
}

function isStored({ status, isRefused }: UploadEnd): boolean {
  return status !== undefined && status < 400 && !isRefused;
}

function spentOf<Req extends HttpRequest>(
  { cost, countFailed }: Settings<Req>,
  { received }: Upload,
  reserved: number,
  end: UploadEnd,
): number {
  if (!isStored(end) && !countFailed) return 0;
  if (cost === "bytes") return Math.min(received, reserved);
  return end.isRefused ? 0 : reserved;
}

/** When a window ends, on this process's clock: not before `earliest`, not after `latest`. */
interface Window {
  readonly earliest: number;
  readonly latest: number;
}

function windowOf(askedAt: number, msToEnd: number): Window {
  if (msToEnd < 0) return { earliest: Number.POSITIVE_INFINITY, latest: Number.POSITIVE_INFINITY };
  return { earliest: askedAt + msToEnd, latest: performance.now() + msToEnd };
}

function isSame(a: Window, b: Window): boolean {
  return a.earliest <= b.latest + SLACK_MS && b.earliest <= a.latest + SLACK_MS;
}

function isOver({ earliest }: Window): boolean {
  return performance.now() >= earliest - SLACK_MS;
}

/**
 * Gives points back to the window that they were reserved in, and to no other: a store that has forgotten the key, or
 * begun a new window, would make credit of them (FACTS: rate-limiter-flexible).
 */
async function giveBack(limiter: Limiter, { key, window }: Reservation, points: number): Promise<void> {
  if (points <= 0 || isOver(window)) return;
  const lookedAt = performance.now();
  const now: unknown = await limiter.get(key);
  if (now === null || isOver(window)) return;
  const found = requireResult(now);
  if (found.consumedPoints < points || !isSame(window, windowOf(lookedAt, found.msBeforeNext))) return;
  const rewardedAt = performance.now();
  const after = requireResult(await limiter.reward(key, points));
  if (after.consumedPoints >= 0 && isSame(window, windowOf(rewardedAt, after.msBeforeNext))) return;
  // The window ended while the reward was on its way.
  await limiter.penalty(key, points);
}

function inTime<T>(answer: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
