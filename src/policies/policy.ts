import type { IncomingMessage } from "node:http";
import type { Expectation } from "../http/expect-header.js";
import type { HttpRequest } from "../http/message.js";
import type { Refusal } from "../http/refusal.js";

/** How a request that a policy judged has ended. */
export interface UploadEnd {
  /** The final status if the whole response was sent; `undefined` if the client left before. */
  readonly status: number | undefined;
  /** Whether a guard or the server refused it, so that the response is not the application's. */
  readonly isRefused: boolean;
  /** Whether the content has arrived to its end. */
  readonly isWhole: boolean;
}

/**
 * The upload that a policy judges. Each policy receives it beside the request.
 */
export interface Upload {
  /** The expectation to judge: `100-continue` if the client waits for it, or an extension with its value. */
  readonly expectation: Expectation | undefined;
  /** The declared length in bytes; 0 without content; `undefined` if unknown (chunked, or HTTP/2 without a length). */
  readonly length: number | undefined;
  /** The `type/subtype` of `Content-Type` in lower case; `undefined` if it is missing or cannot be parsed. */
  readonly mediaType: string | undefined;
  /** Aborts when the client leaves or the policy's time (`policyTimeoutMs`) is up. */
  readonly signal: AbortSignal;
  /** The bytes of content that have arrived so far. */
  readonly received: number;
  /**
   * Whether a client only asks (see {@link preflight}). A policy then answers by looking: it reserves nothing and takes no
   * place, because the upload itself is judged again. If `length` is `undefined` too, the client asks for limits alone.
   */
  readonly isPreflight: boolean;
  /**
   * Refuses from now on. The first refusal of an upload counts.
   *
   * While policies are judging, it is their verdict, and no later policy is asked. After the upload was accepted, it
   * cuts the upload off, in the middle of its content too: its reader gets `ERR_EXPECT_REFUSED`, and a response that
   * has begun is broken off. Does nothing once the whole response is written, or the client has left.
   *
   * @throws {ExpectationError} `ERR_EXPECT_OPTION` if `refusal` was not made by {@link refuse}.
   */
  refuse(refusal: Refusal): void;
  /**
   * Refuses with `refusal` as soon as more than `bytes` have arrived, also after the upload was accepted.
   *
   * @throws {ExpectationError} `ERR_EXPECT_OPTION` if `bytes` is not a whole number, or `refusal` was not made by
   *   {@link refuse}.
   */
  limitBytes(bytes: number, refusal: Refusal): void;
  /**
   * Cuts the upload off with 408 as soon as its content comes more slowly than `bytesPerSecond`, on average and beyond
   * `graceMs`. Time counts only while the application asks for content. Replaces `minBytesPerSecond` of {@link attach};
   * if several rates are required, each holds.
   *
   * @throws {ExpectationError} `ERR_EXPECT_OPTION` if one of them is not a whole number from 1.
   */
  requireRate(bytesPerSecond: number, graceMs: number): void;
  /**
   * Calls `callback` once, when the response is finished or the client has left, whichever comes first.
   *
   * Errors that the callback throws are logged and do not affect the request.
   *
   * @throws {ExpectationError} `ERR_EXPECT_OPTION` if `callback` is not a function.
   */
  onClose(callback: (end: UploadEnd) => void): void;
  /** Logs an error at the level `error`. Does not affect the verdict. */
  report(message: string, error: unknown): void;
}

/** The decision of a policy: `true` accepts, `false` refuses with 417, {@link refuse} refuses with its own status. */
export type Verdict = boolean | Refusal;

/**
 * Decides about a request before its content is sent.
 *
 * Only `true` accepts. A policy that returns nothing, such as one that lacks a `return`, refuses with 500.
 */
export type Policy<Req extends HttpRequest = IncomingMessage> = (
  req: Req,
  upload: Upload,
) => Verdict | Promise<Verdict>;

/** Whether a client asks for limits alone, and describes no upload that could be refused for its length or type. */
export function asksForLimits({ isPreflight, length }: Upload): boolean {
  return isPreflight && length === undefined;
}
