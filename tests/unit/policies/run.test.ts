import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { refuse, requireLimit } from "../../../src/policies/refuse.js";
import {
  callOnClose,
  type Outcome,
  PolicyRun,
  readPolicies,
  refusalOf,
  reportLateFault,
  requireCallback,
} from "../../../src/policies/run.js";
import { deferred } from "../../helpers/deferred.js";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const settled = () => jest.advanceTimersByTimeAsync(0);

/** A run of one policy after the other, each with the answer that is given. */
function started(...answers: unknown[]) {
  const outcomes: Outcome[] = [];
  const lateFaults: [policy: string, error: Error][] = [];
  const asked: string[] = [];
  const run = new PolicyRun({
    timeoutMs: 1_000,
    ask: ({ name, policy }) => {
      asked.push(name);
      return (policy as () => unknown)();
    },
    onEnd: (outcome) => void outcomes.push(outcome),
    onLateFault: (policy, error) => void lateFaults.push([policy, error]),
  });
  const trials = answers.map((answer, i) => ({ name: `policy${i}`, policy: (() => answer) as never }));
  return { run, outcomes, lateFaults, asked, isWaiting: run.start(trials) };
}

describe("a run of policies", () => {
  test("that answer at once is over at once", () => {
    const { run, outcomes, isWaiting } = started(true, true);
    expect(isWaiting).toBe(false);
    expect(run.isOver).toBe(true);
    expect(outcomes).toEqual([{ kind: "accept" }]);
    expect(jest.getTimerCount()).toBe(0);
  });

  test("that answer later is over then, and its timer with it", async () => {
    const verdict = deferred<boolean>();
    const { run, outcomes, isWaiting } = started(verdict.promise);
    expect([isWaiting, run.isOver, run.current]).toEqual([true, false, "policy0"]);
    verdict.resolve(true);
    await settled();
    expect(run.isOver).toBe(true);
    expect(outcomes).toEqual([{ kind: "accept" }]);
    expect(jest.getTimerCount()).toBe(0);
  });

  test("ends once, by its time: the signal aborts, and what comes later is nothing", async () => {
    const verdict = deferred<boolean>();
    const { run, outcomes, lateFaults } = started(true, verdict.promise);
    const { signal } = run;
    jest.advanceTimersByTime(999);
    expect([outcomes, signal.aborted]).toEqual([[], false]);
    jest.advanceTimersByTime(1);
    expect(outcomes).toMatchObject([{ kind: "fault", policy: "policy1", status: 503 }]);
    expect(outcomes[0]).toHaveProperty("error.message", "policy policy1 did not answer within 1000 ms");
    expect(signal.aborted).toBe(true);
    verdict.resolve(true);
    await settled();
    expect(outcomes).toHaveLength(1);
    expect(lateFaults).toEqual([]);
  });

  test("ends by its time although nobody has asked for its signal", () => {
    const { run, outcomes } = started(new Promise(() => {}));
    jest.advanceTimersByTime(1_000);
    expect(outcomes).toHaveLength(1);
    expect(run.signal.aborted).toBe(true);
  });

  test("that its own policy stops waits for nothing, and has no timer", () => {
    const run = new PolicyRun({
      timeoutMs: 1_000,
      ask: () => {
        run.abort();
        return new Promise(() => {});
      },
      onEnd: () => {},
      onLateFault: () => {},
    });
    expect(run.start([{ name: "stops", policy: () => true }])).toBe(false);
    expect(jest.getTimerCount()).toBe(0);
  });

  test("that is stopped has no outcome, and asks no further policy", async () => {
    const verdict = deferred<boolean>();
    const { run, outcomes, asked } = started(verdict.promise, true);
    const { signal } = run;
    run.abort();
    expect([run.isOver, signal.aborted, jest.getTimerCount()]).toEqual([true, true, 0]);
    verdict.resolve(true);
    await settled();
    expect(asked).toEqual(["policy0"]);
    expect(outcomes).toEqual([]);
  });

  test("gives a signal that has aborted if it is asked for it too late", () => {
    const { run } = started(new Promise(() => {}));
    run.abort();
    expect(run.signal.aborted).toBe(true);
  });

  test("reports a fault that comes behind its end, except what its own signal made", async () => {
    const aborted = Object.assign(new Error("aborted"), { name: "AbortError" });
    for (const [error, count] of [
      [new Error("late"), 1],
      [aborted, 0],
      [new Error("wrapped", { cause: aborted }), 0],
    ] as const) {
      const failing = Promise.reject(error);
      const { run, outcomes, lateFaults } = started(failing);
      run.abort();
      await settled();
      expect(outcomes).toEqual([]);
      expect(lateFaults).toEqual(count === 1 ? [["policy0", error]] : []);
    }
  });

  test("takes an AbortError for a fault if it has aborted nothing itself", async () => {
    const aborted = Object.assign(new Error("aborted"), { name: "AbortError" });
    const { outcomes } = started(Promise.reject(aborted));
    await settled();
    expect(outcomes).toEqual([{ kind: "fault", policy: "policy0", status: 500, error: aborted }]);
  });
});

describe("the refusal of a request", () => {
  test.each([
    ["false with an expectation", false, true, undefined, 417],
    ["false without one", false, false, undefined, 403],
    ["417 without one", refuse(417), false, undefined, 403],
    ["413 without one", refuse(413), false, undefined, 413],
    ["413 with one", refuse(413), true, undefined, 413],
    ["413 with one, and one status for all", refuse(413), true, 417, 417],
    ["false with one, and one status for all", false, true, 400, 400],
    ["413 without one, and one status for all", refuse(413), false, 417, 413],
  ] as const)("by %s", (_what, verdict, hasExpectation, override, status) => {
    expect(refusalOf(verdict, hasExpectation, override).status).toBe(status);
  });

  test("is the policy's own, unless its status changes", () => {
    const refusal = refuse(413);
    expect(refusalOf(refusal, true)).toBe(refusal);
  });

  test("keeps reason, fields and body when its status changes", () => {
    const parts = { reason: "too large", headers: { "Retry-After": "5" }, body: "no" };
    expect(refusalOf(refuse(413, parts), true, 417)).toEqual({ status: 417, ...parts });
    const bare = { status: 417, reason: undefined, headers: {}, body: undefined };
    expect(refusalOf(refuse(413), true, 417)).toEqual(bare);
  });
});

test("a late fault is logged as an error, with its policy", () => {
  const error = jest.fn();
  const err = new Error("boom");
  reportLateFault({ error }, "slow", err);
  const message = "policy slow failed after the request was decided: boom";
  expect(error.mock.calls).toEqual([[{ event: "expectation.error", policy: "slow", err }, message]]);
});

describe("a callback for the end", () => {
  const END = { status: 201, isRefused: false, isWhole: true };

  test("gets the end", () => {
    const callback = jest.fn();
    const report = jest.fn();
    callOnClose(callback, END, report);
    expect(callback.mock.calls).toEqual([[END]]);
    expect(report).not.toHaveBeenCalled();
  });

  test.each<[what: string, callback: (err: Error) => unknown]>([
    [
      "throws",
      (err) => {
        throw err;
      },
    ],
    ["rejects", (err) => Promise.reject(err)],
  ])("that %s is reported", async (_what, callback) => {
    const report = jest.fn();
    const err = new Error("boom");
    callOnClose(() => callback(err), END, report);
    await settled();
    expect(report.mock.calls).toEqual([[{ event: "expectation.error", err }, "an onClose callback threw"]]);
  });

  test("is a function", () => {
    expect(() => requireCallback(() => {})).not.toThrow();
    expect(() => requireCallback("end")).toThrow('onClose(callback): received "end"; expected a function');
  });
});

describe("a limit", () => {
  test.each([0, 1, Number.MAX_SAFE_INTEGER])("of %p bytes is one", (bytes) => {
    expect(() => requireLimit(bytes, refuse(413))).not.toThrow();
  });

  test.each([-1, 1.5, Number.NaN, 2 ** 53, undefined])("of %p bytes is none", (bytes) => {
    expect(() => requireLimit(bytes, refuse(413))).toThrow(
      `limitBytes(bytes): received ${bytes}; expected a whole number of bytes, 0 or more`,
    );
  });

  test.each([undefined, false, { status: 413 }])("needs a refusal, which %p is not", (refusal) => {
    expect(() => requireLimit(1, refusal)).toThrow(
      /^limitBytes\(bytes, refusal\): received .*; expected a refusal made by refuse\(status\)$/,
    );
  });
});

test("policies are a list of functions, each with its name", () => {
  function first() {
    return true;
  }
  expect(readPolicies(undefined, 1000)).toEqual([]);
  expect(readPolicies([first, () => true], 1000)).toMatchObject([
    { name: "first", policy: first },
    { name: "anonymous" },
  ]);
  expect(() => readPolicies(first, 1000)).toThrow(
    "policies: received a function (first); expected a list of functions",
  );
  expect(() => readPolicies([first, 1], 1000)).toThrow(
    'policies[1]: received 1; expected a function, such as maxSize("10mb") returns',
  );
});
