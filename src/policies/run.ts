import type { Refusal } from "../http/refusal.js";
import { answerError, callSafely, ExpectationError, messageOf, optionError, textOf } from "../support/errors.js";
import { policyName, requireTimeToWait } from "./names.js";
import type { Policy, UploadEnd, Verdict } from "./policy.js";
import { isRefusal, refuse, withStatus } from "./refuse.js";
import { requirePolicy } from "./require-policy.js";
import type { AbortListener } from "./when-aborted.js";

/** How a run of policies ended; `policy` names the one that decided. */
export type Outcome =
  | { readonly kind: "accept" }
  | { readonly kind: "refuse"; readonly policy: string; readonly verdict: false | Refusal }
  | { readonly kind: "fault"; readonly policy: string; readonly status: 500 | 503; readonly error: Error };

const ACCEPT: Outcome = Object.freeze({ kind: "accept" });

/** One policy to run, with its name. */
export interface Trial {
  readonly name: string;
  readonly policy: Policy<never>;
}

/**
 * Runs policies in order until one does not accept.
 *
 * The outcome comes back at once as long as every policy answers at once. Never throws and never rejects:
 * an error of a policy becomes a fault, and so does a return value that is not a verdict.
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

function judge(policy: string, answer: unknown): Outcome | undefined {
  let verdict: Verdict;
  try {
    verdict = requireVerdict(policy, answer);
  } catch (error) {
    return fault(policy, error);
  }
  return isRefused(verdict) ? { kind: "refuse", policy, verdict } : undefined;
}

/** Returns a policy's answer if it is a verdict. @throws {ExpectationError} `ERR_EXPECT_POLICY` for anything else. */
export function requireVerdict(policy: string, answer: unknown): Verdict {
  if (typeof answer === "boolean" || isRefusal(answer)) return answer;
  if (answer !== undefined) throw answerError(`policy ${policy}`, answer, "true, false or refuse(status)");
  const message = `policy ${policy}: returned nothing; return true to accept, or refuse(status) to refuse`;
  throw new ExpectationError("ERR_EXPECT_POLICY", message);
}

/** Whether a verdict refuses. */
export function isRefused(verdict: Verdict): verdict is false | Refusal {
  return verdict !== true;
}

function fault(policy: string, thrown: unknown): Outcome {
  return { kind: "fault", policy, status: 500, error: errorOf(policy, thrown) };
}

function errorOf(policy: string, thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  if (!isRefusal(thrown)) return new Error(`policy ${policy} threw ${textOf(thrown)}`, { cause: thrown });
  const message = `policy ${policy} threw a refusal; expected it as its answer: return refuse(…)`;
  return new ExpectationError("ERR_EXPECT_POLICY", message);
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}

/** Whom a run asks and tells. */
export interface RunOwner<T extends Trial> {
  /** How long the policies may take together, in milliseconds. */
  readonly timeoutMs: number;
  /** Calls a policy, and returns its answer. */
  ask(trial: T): unknown;
  /** Called once, unless the run is stopped before. */
  onEnd(outcome: Outcome): void;
  /** Called when a policy fails after the run has ended without it. */
  onLateFault(policy: string, error: Error): void;
}

/**
 * One run of policies about one request. Ends once: by its policies, by time, or because it is stopped.
 */
export class PolicyRun<T extends Trial> {
  /** The name of the policy that is asked, or was asked last. */
  current = "";
  #isOver = false;
  #isAborted = false;
  #abort: AbortController | undefined;
  #listeners: AbortListener[] | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(readonly owner: RunOwner<T>) {}

  /** Whether no verdict is awaited any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Aborts when the run is aborted or its time is up. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#isAborted) this.#abort.abort();
    return this.#abort.signal;
  }

  /** Calls `listener` where {@link signal} aborts. See `when-aborted.ts`. */
  onAbort(listener: AbortListener): void {
    if (this.#isAborted) listener.handleEvent();
    else if (this.#listeners) this.#listeners.push(listener);
    else this.#listeners = [listener];
  }

  /**
   * Asks the policies in order.
   *
   * @returns whether the run is waiting for a policy.
   */
  start(trials: readonly T[]): boolean {
    const outcome = runInOrder(trials, (trial) => {
      if (this.#isOver) return false;
      this.current = trial.name;
      return this.owner.ask(trial);
    });
    if (!(outcome instanceof Promise)) {
      this.#end(outcome);
      return false;
    }
    if (!this.#isOver) this.#timer = setTimeout(() => this.#runOutOfTime(), this.owner.timeoutMs);
    // `runInOrder` never rejects. Errors that `onEnd` throws are the application's, and stay unhandled.
    void outcome.then((settled) => this.#end(settled));
    return !this.#isOver;
  }

  /** Ends the run without an outcome, and aborts its signal: the client left, or something else has decided. */
  abort(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#tellAborted();
  }

  #end(outcome: Outcome): void {
    if (this.#isOver) {
      if (outcome.kind === "fault" && !this.#isOwnAbort(outcome.error)) {
        this.owner.onLateFault(outcome.policy, outcome.error);
      }
      return;
    }
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.owner.onEnd(outcome);
  }

  // A policy that passes the signal on fails because of it.
  #isOwnAbort(error: Error): boolean {
    return this.#isAborted && [error, error.cause].some((one) => (one as Error | undefined)?.name === "AbortError");
  }

  // Returns the refusal of a listener, if there is one.
  #tellAborted(): Refusal | undefined {
    this.#isAborted = true;
    this.#abort?.abort();
    const listeners = this.#listeners ?? [];
    this.#listeners = undefined;
    return listeners.map((listener) => listener.handleEvent()).find(isRefusal);
  }

  #runOutOfTime(): void {
    const error = new Error(`policy ${this.current} did not answer within ${this.owner.timeoutMs} ms`);
    const verdict = this.#tellAborted();
    const policy = this.current;
    this.#end(verdict ? { kind: "refuse", policy, verdict } : { kind: "fault", policy, status: 503, error });
  }
}

/**
 * Returns the refusal of a request with its final status.
 *
 * 417 says that an expectation failed: a request without one gets 403 (RFC 9110 §15.5.18).
 *
 * @param override - one status for all refused expectations, in place of the policy's own.
 */
export function refusalOf(verdict: false | Refusal, hasExpectation: boolean, override?: number): Refusal {
  const refusal = verdict || refuse(417);
  let { status } = refusal;
  if (!hasExpectation) status = status === 417 ? 403 : status;
  else status = override ?? status;
  if (status === refusal.status) return refusal;
  return withStatus(refusal, status);
}

/** Logs the failure of a policy that nobody waits for any more. */
export function reportLateFault(
  logger: { error(details: object, message: string): void },
  policy: string,
  err: Error,
): void {
  const message = `policy ${policy} failed after the request was decided: ${messageOf(err)}`;
  logger.error({ event: "expectation.error", policy, err }, message);
}

/** Calls a callback that a policy passed to `onClose`. Its errors and rejections go to `report`. */
export function callOnClose(
  callback: (end: UploadEnd) => unknown,
  end: UploadEnd,
  report: (details: object, message: string) => void,
): void {
  callSafely(
    () => callback(end),
    (err) => report({ event: "expectation.error", err }, "an onClose callback threw"),
  );
}

/** Checks what a policy passes to `onClose`. @throws {ExpectationError} `ERR_EXPECT_OPTION` unless it is a function. */
export function requireCallback(callback: unknown): void {
  if (typeof callback !== "function") throw optionError("onClose(callback)", callback, "a function");
}

/**
 * Checks a list of policies and names them.
 *
 * @param policyTimeoutMs - how long they may take together, in milliseconds.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for anything else, and for a policy that may wait for longer.
 */
export function readPolicies(policies: unknown, policyTimeoutMs: number): readonly Trial[] {
  if (policies === undefined) return [];
  if (!Array.isArray(policies)) throw optionError("policies", policies, "a list of functions");
  return Array.from(policies, (policy: unknown, i) => {
    requirePolicy(`policies[${i}]`, policy, 'a function, such as maxSize("10mb") returns');
    requireTimeToWait(`policies[${i}]`, policy, policyTimeoutMs);
    return { name: policyName(policy), policy };
  });
}
