import type { IncomingMessage, ServerResponse } from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import { isFinalOnWire } from "../node/response.js";
import { MAX_TIMER_MS } from "../support/options.js";

/** How fast content has to come. */
export interface Rate {
  /** On average, over the whole time in which the application has asked for bytes. */
  readonly bytesPerSecond: number;
  /** How long the content may take beyond that, in milliseconds. */
  readonly graceMs: number;
}

/** A rate, and what happens when the content falls behind it. Without that, the server's own refusal. */
export interface RequiredRate extends Rate {
  readonly onSlow?: () => void;
}

/** The upload whose time is counted. */
export interface TimedUpload {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly stream: ServerHttp2Stream | undefined;
  readonly context: {
    /** How long no byte may come, in milliseconds. */
    readonly bodyTimeoutMs: number;
    /** The rate of accepted uploads for which nobody has required another one. */
    readonly bodyRate: Rate;
  };
  readonly state: "none" | "pending" | "continued" | "refused";
  /** When a guard last accepted; `undefined` when none did. */
  readonly acceptedAt: number | undefined;
  /** Whether the response is finished, or the client has left. */
  readonly isClosed: boolean;
  /** Whether somebody asks for bytes, and none have come since. */
  readonly isAsking: boolean;
  readonly isInjected: boolean;
  /** Whether nobody is left to respond to. */
  readonly isGone: boolean;
  /** Whether the content has arrived to its end. */
  readonly hasArrived: boolean;
  /** Bytes of content that have arrived until now. */
  readonly received: number;
  readonly listener: {
    /** No byte has come in time. */
    onIdle(upload: TimedUpload): void;
    /** The content falls behind the server's own rate. */
    onSlow(upload: TimedUpload): void;
  };
}

/** The name under which slow uploads are logged. */
export const TOO_SLOW = "body-rate";

/** Why a slow upload was refused. */
export function slowness({ bytesPerSecond }: Rate): string {
  return `slower than ${bytesPerSecond} bytes per second`;
}

/** How often one upload is looked at again, at most. Otherwise one that comes just at its rate would cost a timer each time. */
const RECHECK_MS = 20;

/**
 * Ends an upload that stands still, or is too slow.
 *
 * Time counts only while somebody asks for bytes: an application that reads slowly is not a slow client. One timer for
 * each upload, which does not keep the process alive. It is set again when it has fired, and not for each piece of
 * content.
 */
export class BodyClock {
  /** Since when time counts, by `performance.now()`. */
  #askedAt: number | undefined;
  /** How long somebody has asked before that, in milliseconds. */
  #waitedMs = 0;
  #rates: RequiredRate[] | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOverdue = false;
  #isTold = false;
  #hasFired = false;

  constructor(readonly upload: TimedUpload) {}

  /** Whether Node's `requestTimeout` has passed, and did not end the upload. */
  get isOverdue(): boolean {
    return this.#isOverdue;
  }

  /** Node's `requestTimeout` has passed, which Node reports once. From now on this clock alone ends the upload. */
  outlast(): void {
    this.#isOverdue = true;
    this.renew();
  }

  /** Requires a rate, in place of the default one. If there are several, each holds. */
  require(rate: RequiredRate): void {
    if (this.#rates) this.#rates.push(rate);
    else this.#rates = [rate];
    this.renew();
  }

  /** What holds for the upload has changed: it was accepted, or a rate is required. */
  renew(): void {
    this.start();
    if (this.#timer) this.#arm(0);
  }

  /** Time counts from now on, if somebody asks. */
  start(): void {
    if (!this.upload.isAsking || this.#askedAt !== undefined) return;
    if (this.#waitsForTurn) {
      if (!this.#isTold) this.upload.res.once("socket", () => this.start());
      this.#isTold = true;
      return;
    }
    if (!this.#isTimed) return;
    this.#askedAt = performance.now();
    if (this.#timer) return;
    if (this.#hasFired) {
      this.#arm(this.#firstDue(this.#askedAt).leftMs);
      return;
    }
    // The same delay for most uploads, so that their timers share one list.
    const graces = this.#required.map(({ graceMs }) => graceMs);
    this.#arm(Math.min(this.upload.context.bodyTimeoutMs, ...graces));
  }

  /** Bytes have come. */
  hear(): void {
    if (this.#askedAt === undefined) return;
    this.#waitedMs += performance.now() - this.#askedAt;
    this.#askedAt = undefined;
  }

  /** Nothing is waited for any more. */
  stop(): void {
    this.hear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  // Whether the client is at fault if no content comes.
  get #isTimed(): boolean {
    const { req, res, stream, state, isClosed, isInjected, isGone, hasArrived } = this.upload;
    if (isInjected || hasArrived || req.destroyed || state === "refused") return false;
    const isContinued = state === "continued";
    // Behind the response, Node's own time holds unless it has passed.
    if (!stream && isClosed) return this.#isOverdue;
    if (isGone) return false;
    return isContinued || isFinalOnWire(res) || (this.#isInCharge && state !== "pending");
  }

  // The 100 waits behind an earlier response: the client has not seen it yet.
  get #waitsForTurn(): boolean {
    const { res, stream, state, isClosed } = this.upload;
    return state === "continued" && !stream && !isClosed && !res.socket;
  }

  // Whether this clock stands in for Node's `requestTimeout`.
  get #isInCharge(): boolean {
    return this.upload.acceptedAt !== undefined || this.#isOverdue;
  }

  get #required(): readonly RequiredRate[] {
    if (this.#rates) return this.#rates;
    return this.#isInCharge ? [this.upload.context.bodyRate] : NO_RATES;
  }

  #arm(ms: number): void {
    clearTimeout(this.#timer);
    const leastMs = this.#hasFired ? RECHECK_MS : 1;
    const delay = Math.min(Math.max(Math.ceil(ms), leastMs), MAX_TIMER_MS);
    this.#timer = setTimeout(() => this.#check(), delay).unref();
  }

  #check(): void {
    this.#timer = undefined;
    this.#hasFired = true;
    // Otherwise the next read sets the timer.
    if (this.#askedAt === undefined) return;
    const { leftMs } = this.#firstDue(this.#askedAt);
    if (leftMs > 0) this.#arm(leftMs);
    // If the process was busy, there may be bytes that it has not read yet.
    else setImmediate(() => this.#judge());
  }

  #judge(): void {
    if (this.#askedAt === undefined || this.#timer) return;
    const { leftMs, onDue } = this.#firstDue(this.#askedAt);
    if (leftMs > 0) this.#arm(leftMs);
    else if (this.#isTimed) onDue();
  }

  #firstDue(askedAt: number): { leftMs: number; onDue: () => void } {
    const { upload } = this;
    const askedMs = performance.now() - askedAt;
    let leftMs = upload.context.bodyTimeoutMs - askedMs;
    let onDue = () => upload.listener.onIdle(upload);
    for (const { bytesPerSecond, graceMs, onSlow } of this.#required) {
      const earnedMs = (upload.received * 1000) / bytesPerSecond;
      const rateLeftMs = graceMs + earnedMs - this.#waitedMs - askedMs;
      if (rateLeftMs >= leftMs) continue;
      leftMs = rateLeftMs;
      onDue = onSlow ?? (() => upload.listener.onSlow(upload));
    }
    return { leftMs, onDue };
  }
}

const NO_RATES: readonly RequiredRate[] = Object.freeze([]);
