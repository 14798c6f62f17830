import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "@jest/globals";
import { allOf, anyOf, when } from "../../../src/policies/combine.js";
import { named, namesOf, policyName } from "../../../src/policies/names.js";
import type { Policy, Upload } from "../../../src/policies/policy.js";
import { isRefusal, refuse } from "../../../src/policies/refuse.js";
import { type Outcome, runInOrder } from "../../../src/policies/run.js";
import { ExpectationError } from "../../../src/support/errors.js";

/** A policy by name, and the call that gives its answer. */
interface Trial {
  readonly policy: string;
  readonly run: () => unknown;
}

const inOrder = (trials: readonly Trial[]) =>
  runInOrder(
    trials.map(({ policy, run }) => ({ name: policy, run })),
    ({ run }) => run(),
  );

const REQ = {} as IncomingMessage;
const UPLOAD = { length: 10 } as Upload;
const TEAPOT = refuse(418);

/** Trials that answer what they are given, and a list of those that were asked. */
function trialsOf(answers: Record<string, () => unknown>): { trials: Trial[]; asked: string[] } {
  const asked: string[] = [];
  const trials = Object.entries(answers).map(([policy, answer]) => ({
    policy,
    run: () => {
      asked.push(policy);
      return answer();
    },
  }));
  return { trials, asked };
}

/** A policy that keeps the order in which it was asked. */
function asking(asked: string[], name: string, answer: unknown): Policy {
  return (req, upload) => {
    expect([req, upload.length]).toEqual([REQ, UPLOAD.length]);
    asked.push(name);
    return answer as boolean;
  };
}

function thenable(verdict: unknown): PromiseLike<unknown> {
  // biome-ignore lint/suspicious/noThenProperty: what a query builder returns
  return { then: (resolve: (value: unknown) => void) => resolve(verdict) } as PromiseLike<unknown>;
}

describe("refuse", () => {
  test.each([200, 204, 302, 400, 401, 417, 503, 599])("makes a verdict with status %d", (status) => {
    expect(refuse(status)).toEqual({ status, reason: undefined, headers: {}, body: undefined });
  });

  test.each([undefined, null, "417", 0, 99, 100, 101, 199, 600, 417.5, Number.NaN, -417, {}])(
    "throws for the status %p",
    (status) => {
      const call = () => refuse(status as number);
      expect(call).toThrow(ExpectationError);
      const received = typeof status === "string" ? '"417"' : status instanceof Object ? "an object" : String(status);
      expect(call).toThrow(`refuse(status): received ${received}; expected a final status from 200 to 599`);
      expect(call).toThrow(expect.objectContaining({ code: "ERR_EXPECT_OPTION" }));
    },
  );

  test("carries reason, headers and body", () => {
    const body = new Uint8Array([1]);
    const headers = { "Retry-After": "5", Link: ["a", "b"] };
    expect(refuse(503, { reason: "busy", headers, body })).toEqual({ status: 503, reason: "busy", headers, body });
  });

  test("carries a body that is text", () => {
    expect(refuse(503, { body: "busy" }).body).toBe("busy");
  });

  test("is frozen, and so are its headers: one refusal serves many requests", () => {
    const refusal = refuse(401, { headers: { "WWW-Authenticate": "Bearer" } });
    expect(Object.isFrozen(refusal)).toBe(true);
    expect(Object.isFrozen(refusal.headers)).toBe(true);
  });

  test("takes a copy of the headers", () => {
    const headers: Record<string, string> = { Accept: "image/*" };
    const refusal = refuse(415, { headers });
    headers.Accept = "text/plain";
    expect(refusal.headers).toEqual({ Accept: "image/*" });
  });

  test("leaves out headers without a value, and writes numbers as text", () => {
    const headers = { "Retry-After": 5, Accept: undefined, Link: ["a", "b"] };
    expect(refuse(503, { headers }).headers).toEqual({ "Retry-After": "5", Link: ["a", "b"] });
  });

  test.each<[what: string, options: unknown, message: RegExp]>([
    ["a reason that is no text", { reason: 5 }, /^refuse\(status, \{ reason \}\): received 5; expected text$/],
    [
      "a body that is no text and no bytes",
      { body: {} },
      /^refuse\(status, \{ body \}\): received an object; expected text/,
    ],
    ["a header name with white space", { headers: { "X Y": "1" } }, /^refuse\(status, \{ headers \}\): .*X Y/],
    ["a header value that would begin a new line", { headers: { X: "a\r\nY: b" } }, /headers \}\): .*X/],
    ["one of many values that would", { headers: { X: ["a", "b\n"] } }, /headers \}\): .*X/],
  ])("throws for %s", (_what, options, message) => {
    const call = () => refuse(400, options as object);
    expect(call).toThrow(message);
    expect(call).toThrow(expect.objectContaining({ code: "ERR_EXPECT_OPTION" }));
  });

  test("passes on Node's own error about a header field", () => {
    const cause = expect.objectContaining({ code: "ERR_INVALID_HTTP_TOKEN" });
    expect(() => refuse(400, { headers: { "X Y": "1" } })).toThrow(expect.objectContaining({ cause }));
  });

  test.each<[what: string, value: unknown]>([
    ["a copy of one", { ...TEAPOT }],
    ["one that went through JSON", JSON.parse(JSON.stringify(TEAPOT))],
    ["an object of the same shape", { status: 418, reason: undefined, headers: {}, body: undefined }],
    ["a status", 418],
    ["null", null],
  ])("is not %s", (_what, value) => {
    expect(isRefusal(TEAPOT)).toBe(true);
    expect(isRefusal(value)).toBe(false);
  });

  test("is not an object that throws when it is looked at", () => {
    const hostile = new Proxy(
      {},
      {
        get() {
          throw new Error("boom");
        },
      },
    );
    expect(isRefusal(hostile)).toBe(false);
  });

  test("is told from other values by both copies of the package", () => {
    const fromOtherCopy = { [Symbol.for("express-expectations:refusal:1")]: true };
    expect(isRefusal(fromOtherCopy)).toBe(true);
  });
});

describe("runInOrder", () => {
  test.each<[what: string, answers: (() => unknown)[], kind: Outcome["kind"]]>([
    ["no policy", [], "accept"],
    ["true, again and again", [() => true, () => true], "accept"],
    ["nothing", [() => undefined], "fault"],
    ["false", [() => true, () => false], "refuse"],
    ["a refusal", [() => TEAPOT], "refuse"],
    [
      "a throw",
      [
        () => {
          throw new Error("x");
        },
      ],
      "fault",
    ],
    ["nonsense", [() => 1], "fault"],
  ])("answers at once after %s", (_what, answers, kind) => {
    const outcome = inOrder(answers.map((run, i) => ({ policy: `p${i}`, run })));
    expect(outcome).not.toBeInstanceOf(Promise);
    expect((outcome as Outcome).kind).toBe(kind);
  });

  test("asks in order, and the first refusal ends it", () => {
    const { trials, asked } = trialsOf({ a: () => true, b: () => TEAPOT, c: () => false });
    expect(inOrder(trials)).toEqual({ kind: "refuse", policy: "b", verdict: TEAPOT });
    expect(asked).toEqual(["a", "b"]);
  });

  test("keeps a bare false as it is", () => {
    expect(inOrder(trialsOf({ a: () => false }).trials)).toEqual({ kind: "refuse", policy: "a", verdict: false });
  });

  test("asks one after the other when answers come later", async () => {
    const asked: string[] = [];
    let answerFirst: (verdict: unknown) => void = () => {};
    const first = new Promise((resolve) => {
      answerFirst = resolve;
    });
    const outcome = inOrder([
      { policy: "a", run: () => first },
      { policy: "b", run: () => asked.push("b") > 0 },
      { policy: "c", run: async () => asked.push("c") > 0 },
      { policy: "d", run: () => asked.push("d") > 0 },
    ]);
    expect(outcome).toBeInstanceOf(Promise);
    await new Promise(setImmediate);
    expect(asked).toEqual([]);
    answerFirst(true);
    expect(await outcome).toEqual({ kind: "accept" });
    expect(asked).toEqual(["b", "c", "d"]);
  });

  test("a refusal that comes later ends it too", async () => {
    const { trials, asked } = trialsOf({ a: async () => true, b: async () => TEAPOT, c: () => true });
    expect(await inOrder(trials)).toEqual({ kind: "refuse", policy: "b", verdict: TEAPOT });
    expect(asked).toEqual(["a", "b"]);
  });

  test("waits for any thenable", async () => {
    expect(await inOrder(trialsOf({ a: () => thenable(true), b: () => thenable(false) }).trials)).toEqual({
      kind: "refuse",
      policy: "b",
      verdict: false,
    });
  });

  test("makes a throw a fault of that policy, with its error", () => {
    const error = new TypeError("broken");
    const { trials, asked } = trialsOf({
      a: () => {
        throw error;
      },
      b: () => true,
    });
    expect(inOrder(trials)).toEqual({ kind: "fault", policy: "a", status: 500, error });
    expect(asked).toEqual(["a"]);
  });

  test("makes a rejection a fault of that policy, with its error", async () => {
    const error = new TypeError("broken");
    const { trials, asked } = trialsOf({ a: async () => true, b: () => Promise.reject(error), c: () => true });
    expect(await inOrder(trials)).toEqual({ kind: "fault", policy: "b", status: 500, error });
    expect(asked).toEqual(["a", "b"]);
  });

  test("makes a throw behind an answer that came later a fault, not a rejection", async () => {
    const outcome = inOrder([
      { policy: "a", run: async () => true },
      {
        policy: "b",
        run: () => {
          throw new Error("late");
        },
      },
    ]);
    await expect(outcome).resolves.toMatchObject({ kind: "fault", policy: "b", error: { message: "late" } });
  });

  test.each<[thrown: unknown, message: string]>([
    ["text", "policy a threw text"],
    [undefined, "policy a threw undefined"],
    [Object.create(null), "policy a threw object"],
    [Symbol("s"), "policy a threw Symbol(s)"],
    [TEAPOT, "policy a threw a refusal; expected it as its answer: return refuse(…)"],
  ])("makes an error of what is none: %p", async (thrown, message) => {
    const sync = inOrder([
      {
        policy: "a",
        run: () => {
          throw thrown;
        },
      },
    ]);
    const late = await inOrder([{ policy: "a", run: () => Promise.reject(thrown) }]);
    const more = isRefusal(thrown) ? { code: "ERR_EXPECT_POLICY" } : { cause: thrown };
    for (const outcome of [sync, late]) {
      expect(outcome).toMatchObject({ kind: "fault", error: { message } });
      expect((outcome as { error: Error }).error).toEqual(expect.objectContaining(more));
    }
  });

  test.each<[verdict: unknown, received: string]>([
    [null, "null"],
    [1, "1"],
    [0, "0"],
    ["", "string"],
    ["ok", "string"],
    [417, "417"],
    [{}, "object"],
    [[], "object"],
    [{ ...TEAPOT }, "object"],
    [() => true, "function"],
    [new Error("x"), "object"],
  ])("never takes %p for a verdict", async (verdict, received) => {
    const { trials, asked } = trialsOf({ a: () => verdict, b: () => true });
    const late = trialsOf({ a: async () => verdict, b: () => true });
    for (const outcome of [inOrder(trials), await inOrder(late.trials)]) {
      expect(outcome).toMatchObject({ kind: "fault", policy: "a", status: 500, error: { code: "ERR_EXPECT_POLICY" } });
      expect((outcome as { error: Error }).error.message).toBe(
        `policy a: returned ${received}; expected true, false or refuse(status)`,
      );
    }
    expect([asked, late.asked]).toEqual([["a"], ["a"]]);
  });

  test("a policy that lacks a return accepts nobody", async () => {
    const req = { headers: { authorization: "x" } };
    const forgetful = () => {
      req.headers.authorization === "x";
    };
    const { trials, asked } = trialsOf({ a: forgetful, b: () => true });
    const late = trialsOf({ a: async () => forgetful(), b: () => true });
    for (const outcome of [inOrder(trials), await inOrder(late.trials)]) {
      expect(outcome).toMatchObject({ kind: "fault", policy: "a", status: 500, error: { code: "ERR_EXPECT_POLICY" } });
      expect((outcome as { error: Error }).error.message).toBe(
        "policy a: returned nothing; return true to accept, or refuse(status) to refuse",
      );
    }
    expect([asked, late.asked]).toEqual([["a"], ["a"]]);
  });

  test("an answer whose `then` throws is a fault, and never thrown on", () => {
    // biome-ignore lint/suspicious/noThenProperty: a hostile thenable
    const answer = Object.defineProperty({}, "then", {
      get() {
        throw new Error("trap");
      },
    });
    expect(inOrder([{ policy: "a", run: () => answer }])).toMatchObject({ kind: "fault", policy: "a" });
  });

  test("runs a thousand policies that answer later", async () => {
    const trials = Array.from({ length: 1_000 }, (_, i) => ({ policy: `p${i}`, run: async () => true }));
    expect(await inOrder(trials)).toEqual({ kind: "accept" });
  });
});

describe("allOf", () => {
  test("accepts when all accept, and asks all, in order and at once", () => {
    const asked: string[] = [];
    const policy = allOf(asking(asked, "a", true), asking(asked, "b", true));
    expect(policy(REQ, UPLOAD)).toBe(true);
    expect(asked).toEqual(["a", "b"]);
  });

  test.each<[what: string, verdict: unknown]>([
    ["false", false],
    ["a refusal", TEAPOT],
  ])("answers with the first that is %s", async (_what, verdict) => {
    const asked: string[] = [];
    const parts = [asking(asked, "a", true), asking(asked, "b", verdict), asking(asked, "c", refuse(400))];
    expect(allOf(...parts)(REQ, UPLOAD)).toBe(verdict);
    expect(asked).toEqual(["a", "b"]);
    expect(await allOf(async () => true, ...parts)(REQ, UPLOAD)).toBe(verdict);
    expect(asked).toEqual(["a", "b", "a", "b"]);
  });

  test("lets throws and rejections through", async () => {
    const throws: Policy = () => {
      throw new Error("sync");
    };
    expect(() => allOf(() => true, throws)(REQ, UPLOAD)).toThrow("sync");
    await expect(allOf(async () => true, throws)(REQ, UPLOAD)).rejects.toThrow("sync");
  });
});

describe("anyOf", () => {
  test("accepts with the first that accepts, and asks no further", async () => {
    const asked: string[] = [];
    const parts = [asking(asked, "a", TEAPOT), asking(asked, "b", true), asking(asked, "c", false)];
    expect(anyOf(...parts)(REQ, UPLOAD)).toBe(true);
    expect(asked).toEqual(["a", "b"]);
    expect(await anyOf(async () => false, ...parts)(REQ, UPLOAD)).toBe(true);
    expect(asked).toEqual(["a", "b", "a", "b"]);
  });

  test("answers with the last refusal when none accepts", async () => {
    expect(
      anyOf(
        () => false,
        () => TEAPOT,
      )(REQ, UPLOAD),
    ).toBe(TEAPOT);
    expect(
      anyOf(
        () => TEAPOT,
        () => false,
      )(REQ, UPLOAD),
    ).toBe(false);
    expect(
      await anyOf(
        () => false,
        async () => TEAPOT,
      )(REQ, UPLOAD),
    ).toBe(TEAPOT);
  });

  test("a throw or a rejection ends the run: a fault is no refusal", async () => {
    const throws: Policy = () => {
      throw new Error("sync");
    };
    expect(() => anyOf(throws, () => true)(REQ, UPLOAD)).toThrow("sync");
    await expect(
      anyOf(
        async () => Promise.reject(new Error("late")),
        () => true,
      )(REQ, UPLOAD),
    ).rejects.toThrow("late");
  });

  test.each([
    ["at once", (answer: boolean) => answer],
    ["later", async (answer: boolean) => answer],
  ])("a limit counts only where its branch accepts, answering %s", async (_when, answers) => {
    const limits: number[] = [];
    const upload = { ...UPLOAD, limitBytes: (bytes: number) => void limits.push(bytes) } as Upload;
    const limited =
      (bytes: number, answer: boolean): Policy =>
      (_req, { limitBytes }) => {
        limitBytes(bytes, TEAPOT);
        return answers(answer);
      };
    expect(await anyOf(limited(1, false), limited(2, true), limited(3, true))(REQ, upload)).toBe(true);
    expect(limits).toEqual([2]);
    expect(await anyOf(limited(4, false))(REQ, upload)).toBe(false);
    expect(limits).toEqual([2]);
  });
});

describe("when", () => {
  test("asks the policy about the requests that are picked, at once", () => {
    const policy = when<IncomingMessage>(
      (req, upload) => req === REQ && upload === UPLOAD,
      () => TEAPOT,
    );
    expect(policy(REQ, UPLOAD)).toBe(TEAPOT);
  });

  test("accepts all others, at once, and does not ask", () => {
    const asked: string[] = [];
    expect(when(() => false, asking(asked, "a", false))(REQ, UPLOAD)).toBe(true);
    expect(asked).toEqual([]);
  });

  test("waits for a predicate that answers later", async () => {
    expect(
      await when(
        async () => true,
        () => TEAPOT,
      )(REQ, UPLOAD),
    ).toBe(TEAPOT);
    expect(
      await when(
        async () => true,
        async () => TEAPOT,
      )(REQ, UPLOAD),
    ).toBe(TEAPOT);
    expect(
      await when(
        async () => false,
        () => TEAPOT,
      )(REQ, UPLOAD),
    ).toBe(true);
  });

  test.each([undefined, null, 0, 1, "yes", {}])("never takes %p of a predicate for an answer", async (picked) => {
    let asked = 0;
    const policy = () => ++asked > 0;
    const message = "when(predicate): returned ";
    expect(() => when((() => picked) as never, policy)(REQ, UPLOAD)).toThrow(message);
    await expect(when((async () => picked) as never, policy)(REQ, UPLOAD)).rejects.toThrow(message);
    expect(asked).toBe(0);
  });

  test("lets a predicate's throws and rejections through", async () => {
    const fails = () => {
      throw new Error("sync");
    };
    expect(() => when(fails, () => true)(REQ, UPLOAD)).toThrow("sync");
    await expect(
      when(
        () => Promise.reject(new Error("late")),
        () => true,
      )(REQ, UPLOAD),
    ).rejects.toThrow("late");
  });
});

describe("combinators", () => {
  const COMBINED: [name: string, combine: (policy: Policy) => Policy][] = [
    ["allOf", (policy) => allOf(policy, () => true)],
    ["allOf, as the last", (policy) => allOf(() => true, policy)],
    ["allOf, after one that answers later", (policy) => allOf(async () => true, policy)],
    ["anyOf", (policy) => anyOf(policy, () => true)],
    ["anyOf, as the last", (policy) => anyOf(() => false, policy)],
    [
      "anyOf, after one that answers later",
      (policy) =>
        anyOf(
          async () => false,
          policy,
          () => true,
        ),
    ],
    ["when", (policy) => when(() => true, policy)],
    ["when, later", (policy) => when(async () => true, policy)],
  ];

  test.each(COMBINED)("%s: an answer that is no verdict accepts nobody", async (_name, combine) => {
    for (const answer of [undefined, null, 1, "ok", {}]) {
      for (const policy of [() => answer, async () => answer]) {
        const forgetful = Object.defineProperty(policy as unknown as Policy, "name", { value: "forgetful" });
        const outcome = await inOrder([{ policy: "combined", run: () => combine(forgetful)(REQ, UPLOAD) }]);
        expect(outcome).toMatchObject({ kind: "fault", status: 500, error: { code: "ERR_EXPECT_POLICY" } });
      }
    }
  });

  test.each(["allOf", "anyOf"])("%s names the policy that returned nothing", (name) => {
    const forgetful = (() => {}) as unknown as Policy;
    const combined = name === "allOf" ? allOf(forgetful, () => true) : anyOf(forgetful, () => true);
    expect(() => combined(REQ, UPLOAD)).toThrow(
      "policy forgetful: returned nothing; return true to accept, or refuse(status) to refuse",
    );
  });

  test("a limit of a branch that returns nothing does not count", () => {
    const limits: number[] = [];
    const upload = { ...UPLOAD, limitBytes: (bytes: number) => void limits.push(bytes) } as Upload;
    const forgetful = ((_req: unknown, { limitBytes }: Upload) => void limitBytes(1, TEAPOT)) as unknown as Policy;
    expect(() => anyOf(forgetful)(REQ, upload)).toThrow("returned nothing");
    expect(limits).toEqual([]);
  });

  test.each<[call: () => unknown, message: string]>([
    [() => allOf(), "allOf: received nothing; expected one policy function or more"],
    [() => anyOf(), "anyOf: received nothing; expected one policy function or more"],
    [() => allOf(() => true, null as never), "allOf: received object; expected one policy function or more"],
    [() => anyOf("x" as never), "anyOf: received string; expected one policy function or more"],
    [() => anyOf([() => true] as never), "anyOf: received a list; expected one policy function or more, each an"],
    [() => when(true as never, () => true), "when(predicate, policy): predicate: received true; expected a function"],
    [() => when(() => true, undefined as never), "when(predicate, policy): policy: received undefined; expected a"],
  ])("throw at construction: %s", (call, message) => {
    expect(call).toThrow(message);
    expect(call).toThrow(expect.objectContaining({ code: "ERR_EXPECT_OPTION" }));
  });

  test("carry names for the log", () => {
    const signedIn = () => true;
    expect(policyName(allOf(signedIn))).toBe("allOf");
    expect(policyName(anyOf(signedIn))).toBe("anyOf");
    expect(policyName(when(() => true, signedIn))).toBe("when(signedIn)");
    expect(
      policyName(
        when(
          () => true,
          () => true,
        ),
      ),
    ).toBe("when(anonymous)");
    expect(policyName(named("mine", () => true))).toBe("mine");
  });

  test("carry the names of what they combine, also of another copy of the package", () => {
    const signedIn = () => true;
    const nested = when(() => true, anyOf(signedIn, named("mine", signedIn)));
    expect(namesOf(nested)).toEqual(["when(anyOf)", "anyOf", "signedIn", "mine"]);
    expect(namesOf(allOf(signedIn))).toEqual(["allOf", "signedIn"]);
    const fromOtherCopy = Object.assign(() => true, {
      [Symbol.for("express-expectations:traits:1")]: { parts: [signedIn] },
    });
    expect(namesOf(fromOtherCopy)).toEqual(["anonymous", "signedIn"]);
  });

  test("may be given another name", () => {
    expect(
      policyName(
        Object.defineProperty(
          allOf(() => true),
          "name",
          { value: "mine" },
        ),
      ),
    ).toBe("mine");
  });

  test("take each other", async () => {
    const policy = allOf(
      anyOf(
        () => false,
        when(
          async () => true,
          () => true,
        ),
      ),
      when(
        () => true,
        anyOf(() => TEAPOT),
      ),
    );
    expect(await policy(REQ, UPLOAD)).toBe(TEAPOT);
  });
});
