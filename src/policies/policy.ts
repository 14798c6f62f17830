import type { IncomingMessage } from "node:http";
import type { Expectation } from "../http/expect-header.js";
import type { HttpRequest } from "../http/message.js";
import type { Refusal } from "../http/refusal.js";

/** How a request that a policy judged came to its end. */
export interface UploadEnd {
  /** The final status, where the whole response went out; `undefined` where the client left before. */
  readonly status: number | undefined;
  /** Whether a guard or the server refused it, in place of the application's own answer. */
  readonly isRefused: boolean;
}

/**
 * What a policy is told about the upload it judges, beside the request itself.
 */
export interface Upload {
  /** The expectation that is judged: `100-continue` where the client waits for it, or an extension with its value. */
  readonly expectation: Expectation | undefined;
  /** Announced bytes of content; 0 for none; `undefined` where the length is unknown (chunked, HTTP/2 without length). */
  readonly length: number | undefined;
  /** `type/subtype` of `Content-Type` in lower case; `undefined` without a readable one. */
  readonly mediaType: string | undefined;
  /** Aborts when the client leaves or the policy's time is up. */
  readonly signal: AbortSignal;
  /** Bytes of content that have arrived until now. */
  readonly received: number;
  /** Refuses with `refusal` as soon as more than `bytes` have arrived, also in the middle of the body. */
  limitBytes(bytes: number, refusal: Refusal): void;
  /** Calls back once, when the response is finished or the client has left, whichever comes first. */
  onClose(callback: (end: UploadEnd) => void): void;
  /** Logs a fault that need not decide about the upload, at `error`. */
  report(message: string, error: unknown): void;
}

/** What a policy answers: `true` or nothing accepts, `false` refuses with 417, {@link refuse} with its own status. */
export type Verdict = boolean | undefined | Refusal;

/** Decides about a request before its body is sent. */
export type Policy<Req extends HttpRequest = IncomingMessage> = (
  req: Req,
  upload: Upload,
  // biome-ignore lint/suspicious/noConfusingVoidType: a policy without a return statement accepts
) => Verdict | void | Promise<Verdict | void>;
