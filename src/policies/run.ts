import type { Refusal } from "../http/refusal.js";
import type { Logger } from "../observe/logger.js";
import { answerError, callSafely, ExpectationError, textOf } from "../support/errors.js";
import type { Policy, UploadEnd } from "./policy.js";
import { isRefusal } from "./refuse.js";

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

/** Calls what a policy passed to `onClose`: what it throws, or rejects with, is logged. */
export function callOnClose(callback: (end: UploadEnd) => unknown, end: UploadEnd, logger: Logger): void {
  callSafely(
    () => callback(end),
    (err) => logger.error({ event: "expectation.error", err }, "an onClose callback threw"),
  );
}
