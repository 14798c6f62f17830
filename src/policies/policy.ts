import { type IncomingMessage, validateHeaderName, validateHeaderValue } from "node:http";
import type { Expectation } from "../http/expect-header.js";
import type { HttpRequest } from "../http/message.js";
import type { Logger } from "../observe/logger.js";
import { answerError, callSafely, ExpectationError, optionError, textOf } from "../support/errors.js";
import { requireKnownKeys } from "../support/options.js";

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

const REFUSAL = Symbol.for("express-expectations:refusal:1");

/** A refusal as a value: the final status in place of `100 Continue`. Made by {@link refuse}. */
export interface Refusal {
  readonly status: number;
  readonly reason: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string | Uint8Array | undefined;
}

/** What a policy answers: `true` or nothing accepts, `false` refuses with 417, {@link refuse} with its own status. */
export type Verdict = boolean | undefined | Refusal;

/** Decides about a request before its body is sent. */
export type Policy<Req extends HttpRequest = IncomingMessage> = (
  req: Req,
  upload: Upload,
  // biome-ignore lint/suspicious/noConfusingVoidType: a policy without a return statement accepts
) => Verdict | void | Promise<Verdict | void>;

/** What {@link refuse} takes beside the status. */
export interface RefusalOptions {
  /** Why, for the log and for the problem details that the client gets. */
  reason?: string;
  /** Further response fields. */
  headers?: Record<string, string | number | readonly string[] | undefined>;
  /** Sent as it is, whatever `refusalBody` says; `text/plain` unless `headers` name a `Content-Type`. */
  body?: string | Uint8Array;
}

/**
 * Makes the verdict that refuses a request with a final status of the policy's own.
 *
 * @param status - a final status: 200 to 599.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for any other status.
 * @example (req) => req.headers.authorization ? true : refuse(401, { headers: { "WWW-Authenticate": "Bearer" } })
 * @see RFC 9110 §10.1.1: a final status instead of 100 (Continue)
 */
export function refuse(status: number, options: RefusalOptions = {}): Refusal {
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw optionError("refuse(status)", status, "a final status from 200 to 599");
  }
  requireKnownKeys("refuse", options, ["reason", "headers", "body"]);
  const { reason, body } = options;
  if (reason !== undefined && typeof reason !== "string")
    throw optionError("refuse(status, { reason })", reason, "text");
  if (body !== undefined && typeof body !== "string" && !(body instanceof Uint8Array)) {
    throw optionError("refuse(status, { body })", body, "text or bytes");
  }
  const refusal: Refusal = { status, reason, headers: checkedFields(options.headers), body };
  Object.defineProperty(refusal, REFUSAL, { value: true });
  return Object.freeze(refusal);
}

// Checked here, where the policy's author sees it, rather than when the response is under way.
function checkedFields(fields: RefusalOptions["headers"]): Refusal["headers"] {
  const checked: Record<string, string | readonly string[]> = {};
  for (const [name, value] of Object.entries(fields ?? {})) {
    if (value === undefined) continue;
    const lines = (Array.isArray(value) ? value : [value]).map(String);
    try {
      validateHeaderName(name);
      for (const line of lines) validateHeaderValue(name, line);
    } catch (cause) {
      throw new ExpectationError("ERR_EXPECT_OPTION", `refuse(status, { headers }): ${(cause as Error).message}`, {
        cause,
      });
    }
    checked[name] = lines.length === 1 ? (lines[0] as string) : lines;
  }
  return Object.freeze(checked);
}

/** Whether a value was made by {@link refuse}, in this copy of the package or another. */
export function isRefusal(value: unknown): value is Refusal {
  try {
    return typeof value === "object" && value !== null && (value as { [REFUSAL]?: true })[REFUSAL] === true;
  } catch {
    return false;
  }
}

/**
 * Checks what a policy passes to `limitBytes`.
 *
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for what is no number of bytes, or no refusal.
 */
export function requireLimit(bytes: unknown, refusal: unknown): void {
  if (!Number.isSafeInteger(bytes) || (bytes as number) < 0)
    throw optionError("limitBytes(bytes)", bytes, "whole bytes");
  if (!isRefusal(refusal)) throw optionError("limitBytes(bytes, refusal)", refusal, "what refuse(status) makes");
}

/** Calls what a policy passed to `onClose`: what it throws, or rejects with, is logged. */
export function callOnClose(callback: (end: UploadEnd) => unknown, end: UploadEnd, logger: Logger): void {
  callSafely(
    () => callback(end),
    (err) => logger.error({ event: "expectation.error", err }, "an onClose callback threw"),
  );
}

/** How a run of policies ended; `policy` names the one that decided. */
export type Outcome =
  | { readonly kind: "accept" }
  | { readonly kind: "refuse"; readonly policy: string; readonly verdict: false | Refusal }
  | { readonly kind: "fault"; readonly policy: string; readonly status: 500 | 503; readonly error: Error };

export const ACCEPT: Outcome = Object.freeze({ kind: "accept" });

/** One policy to run, with its name. */
export interface Trial {
  readonly name: string;
  readonly policy: Policy<never>;
}

/**
 * Runs policies in order until one does not accept.
 *
 * The outcome comes back at once as long as every policy answers at once. Never throws and never rejects:
 * what a policy throws becomes a fault, and so does an answer that is no verdict.
 *
 * @param ask - calls the policy, and gives its answer.
 */
export function runInOrder<T extends { readonly name: string }>(
  trials: readonly T[],
  ask: (trial: T) => unknown,
  from = 0,
): Outcome | Promise<Outcome> {
  for (let i = from; i < trials.length; i++) {
    const trial = trials[i] as T;
    const policy = trial.name;
    let answer: unknown;
    let isLater: boolean;
    try {
      answer = ask(trial);
      isLater = isThenable(answer);
    } catch (error) {
      return fault(policy, error);
    }
    if (isLater) {
      return Promise.resolve(answer).then(
        (verdict) => judge(policy, verdict) ?? runInOrder(trials, ask, i + 1),
        (error: unknown) => fault(policy, error),
      );
    }
    const ended = judge(policy, answer);
    if (ended) return ended;
  }
  return ACCEPT;
}

function judge(policy: string, verdict: unknown): Outcome | undefined {
  if (verdict === true || verdict === undefined) return undefined;
  if (verdict === false || isRefusal(verdict)) return { kind: "refuse", policy, verdict };
  return fault(policy, answerError(`policy ${policy}`, verdict, "true, false, undefined or refuse(status)"));
}

function fault(policy: string, thrown: unknown): Outcome {
  return { kind: "fault", policy, status: 500, error: errorOf(policy, thrown) };
}

function errorOf(policy: string, thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  if (!isRefusal(thrown)) return new Error(`policy ${policy} threw ${textOf(thrown)}`);
  const message = `policy ${policy} threw a refusal; expected it as its answer: return refuse(…)`;
  return new ExpectationError("ERR_EXPECT_POLICY", message);
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}

/** A policy's name for logs and metrics. */
export function policyName(policy: { readonly name: string }): string {
  return policy.name === "" ? "anonymous" : policy.name;
}

const PARTS = Symbol.for("express-expectations:parts:1");

/** Every policy's name among those that a policy is made of, its own first. */
export function namesOf(policy: Policy<never>): string[] {
  const parts = (policy as { [PARTS]?: readonly Policy<never>[] })[PARTS] ?? [];
  return [policyName(policy), ...parts.flatMap(namesOf)];
}

/**
 * Gives a policy the name that logs show. Called as a middleware, where it would never hand a request on, it throws.
 *
 * @param parts - the policies that it asks.
 */
export function named<Req extends HttpRequest>(
  name: string,
  policy: Policy<Req>,
  parts: readonly Policy<Req>[] = [],
): Policy<Req> {
  const checked = (req: Req, upload: Upload, next?: unknown) => {
    if (next === undefined) return policy(req, upload);
    throw new ExpectationError(
      "ERR_EXPECT_OPTION",
      `${name}: used as a middleware, and is a policy; a guard runs it: app.use(expectations({ policies: [${name}(…)] }))`,
    );
  };
  return Object.defineProperties(checked, {
    name: { value: name, configurable: true },
    [PARTS]: { value: parts },
  });
}

/**
 * Accepts when every policy accepts; the first refusal is the answer.
 *
 * @example allOf(signedIn, mediaTypes(["image/*"]))
 */
export function allOf<Req extends HttpRequest = IncomingMessage>(...policies: Policy<Req>[]): Policy<Req> {
  requirePolicies("allOf", policies);
  return named(
    "allOf",
    (req: Req, upload: Upload) => firstThat(policies, req, upload, (verdict) => !accepts(verdict)),
    policies,
  );
}

/**
 * Accepts when one policy accepts; where none does, the last refusal is the answer.
 *
 * A policy that throws is no refusal: the fault ends the run.
 *
 * @example anyOf(signedIn, smallerThan("1kb"))
 */
export function anyOf<Req extends HttpRequest = IncomingMessage>(...policies: Policy<Req>[]): Policy<Req> {
  requirePolicies("anyOf", policies);
  const firstAccepting = (req: Req, upload: Upload) => {
    const branches = policies.map((policy) => withLimitsOnAccept(policy));
    return firstThat(branches, req, upload, (verdict) => verdict !== false && !isRefusal(verdict));
  };
  return named("anyOf", firstAccepting, policies);
}

/**
 * Asks `policy` about the requests that `predicate` picks; accepts all others.
 *
 * @example when((req) => req.method === "PUT", knownLength())
 */
export function when<Req extends HttpRequest = IncomingMessage>(
  predicate: (req: Req, upload: Upload) => boolean | Promise<boolean>,
  policy: Policy<Req>,
): Policy<Req> {
  for (const [name, given] of Object.entries({ predicate, policy })) {
    if (typeof given !== "function") throw optionError(`when(predicate, policy): ${name}`, given, "a function");
  }
  const whenPicked = (req: Req, upload: Upload) => {
    const picked = predicate(req, upload);
    if (typeof picked === "boolean") return picked ? policy(req, upload) : true;
    return Promise.resolve(picked).then((yes) => (yes ? policy(req, upload) : true));
  };
  return named(`when(${policyName(policy)})`, whenPicked, [policy]);
}

type Answer = ReturnType<Policy>;

// The answer of the first policy that `ends` the row, or else of the last one; in step as long as all answer at once.
function firstThat<Req extends HttpRequest>(
  policies: readonly Policy<Req>[],
  req: Req,
  upload: Upload,
  ends: (verdict: unknown) => boolean,
  from = 0,
): Answer {
  for (let i = from; i < policies.length; i++) {
    const answer = (policies[i] as Policy<Req>)(req, upload);
    const isLast = i === policies.length - 1;
    if (isThenable(answer)) {
      return Promise.resolve(answer).then((verdict) =>
        isLast || ends(verdict) ? verdict : firstThat(policies, req, upload, ends, i + 1),
      ) as Answer;
    }
    if (isLast || ends(answer)) return answer;
  }
  return true;
}

// A limit that a branch sets counts only where that branch accepts.
function withLimitsOnAccept<Req extends HttpRequest>(policy: Policy<Req>): Policy<Req> {
  return (req, upload) => {
    const limits: Parameters<Upload["limitBytes"]>[] = [];
    const view = Object.create(upload, {
      limitBytes: { value: (...limit: Parameters<Upload["limitBytes"]>) => void limits.push(limit) },
    }) as Upload;
    const settle = <V>(verdict: V): V => {
      if (accepts(verdict)) for (const limit of limits) upload.limitBytes(...limit);
      return verdict;
    };
    const answer = policy(req, view);
    return isThenable(answer) ? (Promise.resolve(answer).then(settle) as Answer) : settle(answer);
  };
}

function accepts(verdict: unknown): boolean {
  return verdict === true || verdict === undefined;
}

function requirePolicies(combinator: string, policies: readonly unknown[]): void {
  if (policies.length > 0 && policies.every((policy) => typeof policy === "function")) return;
  const wrong = policies.find((policy) => typeof policy !== "function");
  const received = Array.isArray(wrong) ? "a list" : policies.length === 0 ? "nothing" : typeof wrong;
  throw new ExpectationError(
    "ERR_EXPECT_OPTION",
    `${combinator}: received ${received}; expected one policy function or more, each an argument of its own`,
  );
}
