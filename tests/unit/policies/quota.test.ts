import { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { RateLimiterMemory } from "rate-limiter-flexible";
import type { Refusal } from "../../../src/http/refusal.js";
import type { Limiter } from "../../../src/policies/limiter.js";
import type { Policy, Upload, UploadEnd, Verdict } from "../../../src/policies/policy.js";
import { quota } from "../../../src/policies/quota.js";
import type { QuotaOptions } from "../../../src/policies/quota-options.js";
import * as fc from "../../helpers/properties.js";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const STORED: UploadEnd = { status: 201, isRefused: false, isWhole: true };
const FAILED: UploadEnd = { status: 500, isRefused: false, isWhole: true };
const NOT_FOUND: UploadEnd = { status: 404, isRefused: false, isWhole: true };
const LEFT: UploadEnd = { status: undefined, isRefused: false, isWhole: false };
const LEFT_WHOLE: UploadEnd = { status: undefined, isRefused: false, isWhole: true };
const REFUSED: UploadEnd = { status: 415, isRefused: true, isWhole: true };
const REDIRECTED: UploadEnd = { status: 303, isRefused: true, isWhole: true };

interface TestUpload extends Upload {
  received: number;
  readonly limits: { bytes: number; refusal: Refusal }[];
  readonly reports: { message: string; error: unknown }[];
  close(end: UploadEnd): Promise<void>;
}

function uploadOf(length: number | undefined): TestUpload {
  const closing: ((end: UploadEnd) => void)[] = [];
  const upload: TestUpload = {
    length,
    limits: [],
    reports: [],
    received: 0,
    expectation: undefined,
    mediaType: undefined,
    signal: new AbortController().signal,
    isPreflight: false,
    refuse() {},
    requireRate() {},
    limitBytes: (bytes, refusal) => void upload.limits.push({ bytes, refusal }),
    onClose: (callback) => void closing.push(callback),
    report: (message, error) => void upload.reports.push({ message, error }),
    async close(end) {
      for (const callback of closing) callback(end);
      await settled();
    },
  };
  return upload;
}

const settled = () => jest.advanceTimersByTimeAsync(0);

const reqOf = (fields: object = {}) =>
  Object.assign(new EventEmitter(), {
    headers: {},
    complete: true,
    destroyed: false,
    ...fields,
  }) as never as IncomingMessage & { complete: boolean };

const memory = (points = 100, duration = 60, more: object = {}) => new RateLimiterMemory({ points, duration, ...more });

const budget = (limiter: Limiter, options: Partial<QuotaOptions> = {}) =>
  quota({ limiter, key: () => "key", ...options });

async function consumed(limiter: Limiter): Promise<number> {
  return (await limiter.get("key"))?.consumedPoints ?? 0;
}

async function judge(policy: Policy, upload: Upload, req = reqOf()): Promise<number | "accepted"> {
  const verdict = (await policy(req, upload)) as Verdict;
  return verdict === true ? "accepted" : (verdict as Refusal).status;
}

/** A limiter whose single calls can be replaced. */
function altered(limiter: Limiter, calls: Partial<Limiter>): Limiter {
  const { points, duration } = limiter;
  return {
    points,
    duration,
    consume: (key, cost) => limiter.consume(key, cost),
    get: (key) => limiter.get(key),
    penalty: (key, cost) => limiter.penalty(key, cost),
    reward: (key, cost) => limiter.reward(key, cost),
    ...calls,
  };
}

const never = () => new Promise<never>(() => {});
const down = () => Promise.reject(Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }));

describe("the cost", () => {
  test.each<[options: Partial<QuotaOptions>, length: number | undefined, status: number | "accepted", points: number]>([
    [{}, 40, "accepted", 40],
    [{ cost: "bytes" }, 40, "accepted", 40],
    [{ cost: "bytes" }, 100, "accepted", 100],
    [{ cost: "bytes" }, 101, 429, 0],
    [{ cost: "bytes" }, 0, "accepted", 0],
    [{ cost: "bytes" }, undefined, 411, 0],
    [{ unknownLengthCost: 30 }, undefined, "accepted", 30],
    [{ unknownLengthCost: "30b" }, undefined, "accepted", 30],
    [{ unknownLengthCost: 30 }, 40, "accepted", 40],
    [{ cost: "requests" }, 4000, "accepted", 1],
    [{ cost: "requests" }, undefined, "accepted", 1],
    [{ cost: "requests" }, 0, "accepted", 1],
    [{ cost: (_req, { length }) => Math.ceil((length ?? 0) / 10) }, 95, "accepted", 10],
    [{ cost: () => 0 }, 95, "accepted", 0],
  ])("%j: a length of %p is %p and takes %p points", async (options, length, status, points) => {
    const limiter = memory();
    expect(await judge(budget(limiter, options), uploadOf(length))).toBe(status);
    expect(await consumed(limiter)).toBe(points);
  });

  test("of an unknown length is the most that it may bring", async () => {
    const upload = uploadOf(undefined);
    await judge(budget(memory(), { unknownLengthCost: 30 }), upload);
    expect(upload.limits).toMatchObject([{ bytes: 30, refusal: { status: 413 } }]);
    const known = uploadOf(30);
    await judge(budget(memory(), { unknownLengthCost: 30 }), known);
    expect(known.limits).toEqual([]);
  });

  test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "1", undefined])(
    "that a function answers with %p accepts nobody",
    (cost) => {
      expect(() => budget(memory(), { cost: () => cost as number })(reqOf(), uploadOf(1))).toThrow(
        expect.objectContaining({ code: "ERR_EXPECT_POLICY" }),
      );
    },
  );

  test.each([undefined, null, "", 1, {}])("a key of %p accepts nobody", (key) => {
    expect(() => budget(memory(), { key: () => key as string })(reqOf(), uploadOf(1))).toThrow(
      expect.objectContaining({ code: "ERR_EXPECT_POLICY" }),
    );
  });

  test("is charged to its key alone", async () => {
    const policy = budget(memory(), { key: (req) => String(req.headers.authorization) });
    const by = (authorization: string) => reqOf({ headers: { authorization } });
    expect(await judge(policy, uploadOf(100), by("a"))).toBe("accepted");
    expect(await judge(policy, uploadOf(1), by("a"))).toBe(429);
    expect(await judge(policy, uploadOf(100), by("b"))).toBe("accepted");
  });
});

describe("a question", () => {
  const question = (length: number | undefined) => Object.assign(uploadOf(length), { isPreflight: true });

  test.each<[used: number, length: number | undefined, options: Partial<QuotaOptions>]>([
    [0, 100, {}],
    [0, 101, {}],
    [60, 40, {}],
    [60, 41, {}],
    [100, 1, {}],
    [100, 0, {}],
    [99, 5_000, { cost: "requests" }],
    [100, 5_000, { cost: "requests" }],
  ])(
    "after %p points about a length of %p and %j gets the upload's answer, and counts nothing",
    async (used, length, options) => {
      const limiter = memory();
      if (used > 0) await limiter.consume("key", used);
      const policy = budget(limiter, options);
      const asked = question(length);
      const answer = await policy(reqOf(), asked);
      expect(await consumed(limiter)).toBe(used);
      await asked.close(STORED);
      expect(await consumed(limiter)).toBe(used);
      const verdict = await policy(reqOf(), uploadOf(length));
      expect(answer).toEqual(verdict);
    },
  );

  test.each([{}, { unknownLengthCost: 40 }, { cost: () => 7 }] as const)(
    "about limits alone is accepted, and the store is not asked (%j)",
    async (options) => {
      const fail = () => Promise.reject(new Error("asked"));
      const asked = Object.assign(question(undefined), { limitBytes: fail });
      expect(await budget(altered(memory(), { consume: fail, get: fail }), options)(reqOf(), asked)).toBe(true);
    },
  );

  test("does not write to the store", async () => {
    const fail = () => Promise.reject(new Error("written"));
    const policy = budget(altered(memory(), { consume: fail, penalty: fail, reward: fail }));
    expect(await judge(policy, question(100))).toBe("accepted");
    expect(await judge(policy, question(101))).toBe(429);
  });

  test("is answered by what an insurance limiter has left", async () => {
    const get = async () => ({ consumedPoints: 10, remainingPoints: 5, msBeforeNext: 1_000 });
    const policy = budget(altered(memory(), { get }));
    expect(await judge(policy, question(5))).toBe("accepted");
    expect(await judge(policy, question(6))).toBe(429);
  });

  test.each([
    ["refuse", 503],
    ["accept", "accepted"],
  ] as const)("while the store fails: %s", async (onStoreError, outcome) => {
    const policy = budget(altered(memory(), { get: down }), { onStoreError });
    expect(await judge(policy, question(5))).toBe(outcome);
  });
});

describe("a refusal", () => {
  test("says when to come again and what is left, as structured fields", async () => {
    const policy = budget(memory());
    await judge(policy, uploadOf(60));
    await jest.advanceTimersByTimeAsync(17_500);
    expect(await policy(reqOf(), uploadOf(50))).toMatchObject({
      status: 429,
      reason: "over budget: 50 asked for, 40 of 100 left",
      headers: {
        "Retry-After": "43",
        "RateLimit-Policy": '"default";q=100;qu="content-bytes";w=60',
        RateLimit: '"default";r=40;t=43',
      },
      problem: {
        type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
        title: "Request cannot be satisfied as assigned quota has been exceeded",
        "violated-policies": ["default"],
      },
    });
  });

  test("names the policy that is violated", async () => {
    const refusal = await budget(memory(1), { name: "per user" })(reqOf(), uploadOf(2));
    expect(refusal).toMatchObject({ problem: { "violated-policies": ["per user"] } });
  });

  test.each<[what: string, limiter: RateLimiterMemory, options: Partial<QuotaOptions>, headers: object]>([
    [
      "of requests",
      memory(1, 60),
      { cost: "requests", name: "per user" },
      { "Retry-After": "60", "RateLimit-Policy": '"per user";q=1;w=60', RateLimit: '"per user";r=0;t=60' },
    ],
    [
      "of a window that never ends",
      memory(1, 0),
      { cost: "requests" },
      { "RateLimit-Policy": '"default";q=1', RateLimit: '"default";r=0' },
    ],
    [
      "of a window that nobody has begun",
      memory(0, 60),
      {},
      {
        "Retry-After": "60",
        "RateLimit-Policy": '"default";q=0;qu="content-bytes";w=60',
        RateLimit: '"default";r=0;t=60',
      },
    ],
  ])("%s has the fields that are true of it", async (_what, limiter, options, headers) => {
    const policy = budget(limiter, options);
    await judge(policy, uploadOf(1));
    expect(((await policy(reqOf(), uploadOf(1))) as Refusal).headers).toEqual(headers);
  });

  test("by the limiter leaves what it could not grant", async () => {
    const limiter = memory();
    const policy = budget(limiter);
    expect(await judge(policy, uploadOf(60))).toBe("accepted");
    expect(await judge(policy, uploadOf(60))).toBe(429);
    expect(await consumed(limiter)).toBe(60);
    expect(await judge(policy, uploadOf(40))).toBe("accepted");
    expect(await judge(policy, uploadOf(1))).toBe(429);
  });

  test("of more than the whole budget takes nothing from the others, not even meanwhile", async () => {
    const limiter = memory();
    const consume = jest.fn<Limiter["consume"]>();
    expect(await judge(budget(altered(limiter, { consume })), uploadOf(1_000))).toBe(429);
    expect(consume).not.toHaveBeenCalled();
    expect(await judge(budget(limiter), uploadOf(1_000))).toBe(429);
    expect(await judge(budget(limiter), uploadOf(100))).toBe("accepted");
  });

  test("by an insurance limiter with less to give does not say that there is enough", async () => {
    const insurance = memory(10);
    await insurance.consume("key", 10);
    const limiter = altered(memory(), { consume: (key, points) => insurance.consume(key, points) });
    expect(await budget(limiter)(reqOf(), uploadOf(5))).toMatchObject({ headers: { RateLimit: '"default";r=4;t=60' } });
  });

  test("that blocks the key leaves it blocked", async () => {
    const limiter = memory(100, 60, { blockDuration: 600 });
    const policy = budget(limiter);
    await judge(policy, uploadOf(60));
    expect(await policy(reqOf(), uploadOf(60))).toMatchObject({ status: 429, headers: { "Retry-After": "600" } });
    await jest.advanceTimersByTimeAsync(61_000);
    expect(await judge(policy, uploadOf(1))).toBe(429);
  });

  test("that was not counted gives nothing back", async () => {
    const limiter = memory();
    await limiter.consume("key", 60);
    const reward = jest.fn<Limiter["reward"]>();
    // A key that is blocked in this process: the store is not asked.
    const consume = () => Promise.reject({ msBeforeNext: 5_000, remainingPoints: 0, consumedPoints: 0 });
    const verdict = await budget(altered(limiter, { consume, reward }))(reqOf(), uploadOf(10));
    expect(verdict).toMatchObject({ status: 429, headers: { "Retry-After": "5", RateLimit: '"default";r=0;t=5' } });
    expect(reward).not.toHaveBeenCalled();
  });
});

describe("at the end, an upload of 80 with 30 arrived", () => {
  test.each<[end: UploadEnd, cost: QuotaOptions["cost"], countFailed: boolean, points: number]>([
    [STORED, "bytes", false, 30],
    [STORED, "bytes", true, 30],
    [FAILED, "bytes", false, 0],
    [FAILED, "bytes", true, 30],
    [NOT_FOUND, "bytes", false, 0],
    [LEFT, "bytes", false, 0],
    [LEFT_WHOLE, "bytes", false, 30],
    [LEFT, "bytes", true, 30],
    [REFUSED, "bytes", false, 0],
    [REFUSED, "bytes", true, 30],
    [REDIRECTED, "bytes", false, 0],
    [STORED, "requests", false, 1],
    [FAILED, "requests", false, 0],
    [FAILED, "requests", true, 1],
    [LEFT, "requests", true, 1],
    [REFUSED, "requests", false, 0],
    [REFUSED, "requests", true, 0],
    [STORED, () => 7, false, 7],
    [LEFT, () => 7, false, 0],
  ])("that ended as %j, by %p, countFailed %p, has cost %p", async (end, cost, countFailed, points) => {
    const limiter = memory();
    const upload = uploadOf(80);
    await judge(budget(limiter, { cost: cost ?? "bytes", countFailed }), upload);
    upload.received = 30;
    await upload.close(end);
    expect(await consumed(limiter)).toBe(points);
    expect(upload.reports).toEqual([]);
  });

  test("gives an unknown length's reserve back, down to what came", async () => {
    const limiter = memory();
    const upload = uploadOf(undefined);
    await judge(budget(limiter, { unknownLengthCost: 50 }), upload);
    upload.received = 20;
    await upload.close(STORED);
    expect(await consumed(limiter)).toBe(20);
  });

  test("waits for the content where the application answers before it has arrived", async () => {
    const limiter = memory();
    const req = reqOf({ complete: false });
    const upload = uploadOf(80);
    await judge(budget(limiter), upload, req);
    upload.received = 30;
    await upload.close(STORED);
    expect(await consumed(limiter)).toBe(80);
    upload.received = 70;
    req.emit("close");
    await settled();
    expect(await consumed(limiter)).toBe(70);
    req.emit("close");
    await settled();
    expect(await consumed(limiter)).toBe(70);
  });
});

describe("nothing is given back", () => {
  async function reserved(limiter: Limiter) {
    const upload = uploadOf(80);
    expect(await judge(budget(limiter), upload)).toBe("accepted");
    return upload;
  }

  test("after the window has ended: it would be credit", async () => {
    const limiter = memory();
    const upload = await reserved(limiter);
    await jest.advanceTimersByTimeAsync(60_001);
    await upload.close(LEFT);
    expect(await limiter.get("key")).toBeNull();
    const policy = budget(limiter);
    expect(await judge(policy, uploadOf(100))).toBe("accepted");
    expect(await judge(policy, uploadOf(1))).toBe(429);
  });

  test("to the window that came after", async () => {
    const limiter = memory();
    const upload = await reserved(limiter);
    await jest.advanceTimersByTimeAsync(60_001);
    expect(await judge(budget(limiter), uploadOf(90))).toBe("accepted");
    await upload.close(LEFT);
    expect(await consumed(limiter)).toBe(90);
  });

  test("to a store that has forgotten the key", async () => {
    const limiter = memory();
    const upload = await reserved(limiter);
    await limiter.delete("key");
    await upload.close(LEFT);
    expect(await limiter.get("key")).toBeNull();
  });

  test("to a store that has forgotten the key and counts anew", async () => {
    const limiter = memory();
    const upload = await reserved(limiter);
    await jest.advanceTimersByTimeAsync(10_000);
    await limiter.delete("key");
    await limiter.consume("key", 90);
    await upload.close(LEFT);
    expect(await consumed(limiter)).toBe(90);
  });

  test("that lasts, where the window ends while it is on its way", async () => {
    const limiter = memory();
    const slow = altered(limiter, {
      reward: async (key, points) => {
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        return limiter.reward(key, points);
      },
    });
    const upload = await reserved(slow);
    await jest.advanceTimersByTimeAsync(59_500);
    await upload.close(LEFT);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(await consumed(limiter)).toBe(0);
    expect(await judge(budget(limiter), uploadOf(100))).toBe("accepted");
    expect(await judge(budget(limiter), uploadOf(1))).toBe(429);
  });

  test("but what is given back in a window that never ends", async () => {
    const limiter = memory(100, 0);
    const upload = await reserved(limiter);
    await jest.advanceTimersByTimeAsync(10 ** 9);
    await upload.close(LEFT);
    expect(await consumed(limiter)).toBe(0);
  });
});

describe("a store", () => {
  const DOWN = expect.objectContaining({ code: "ECONNREFUSED" });

  test("that is down refuses with 503 and Retry-After, and is reported", async () => {
    const upload = uploadOf(10);
    const verdict = await budget(altered(memory(), { consume: down }))(reqOf(), upload);
    expect(verdict).toMatchObject({ status: 503, headers: { "Retry-After": "10" } });
    expect(JSON.stringify(verdict)).not.toContain("ECONNREFUSED");
    expect(upload.reports).toEqual([{ message: "quota: the store failed", error: DOWN }]);
  });

  test("that is down refuses what is over the whole budget, too", async () => {
    const upload = uploadOf(1_000);
    expect(await judge(budget(altered(memory(), { get: down })), upload)).toBe(503);
    expect(upload.reports).toHaveLength(1);
  });

  test("that throws at once is down", async () => {
    const consume = () => {
      throw new Error("not connected");
    };
    expect(await judge(budget(altered(memory(), { consume })), uploadOf(10))).toBe(503);
  });

  test.each([undefined, null, {}, "OK", { msBeforeNext: "1", consumedPoints: 1 }])(
    "that answers %p accepts nobody",
    async (answer) => {
      const upload = uploadOf(10);
      const consume = async () => answer as never;
      expect(await judge(budget(altered(memory(), { consume })), upload)).toBe(503);
      expect(upload.reports).toHaveLength(1);
    },
  );

  test.each<["refuse" | "accept", number | "accepted"]>([
    ["refuse", 503],
    ["accept", "accepted"],
  ])("that is slow, with onStoreError %p, is %p in time", async (onStoreError, status) => {
    const upload = uploadOf(10);
    const policy = budget(altered(memory(), { consume: never }), { storeTimeoutMs: 200, onStoreError });
    const verdict = judge(policy, upload);
    await jest.advanceTimersByTimeAsync(199);
    expect(upload.reports).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(await verdict).toBe(status);
    expect(upload.reports).toMatchObject([{ error: { message: "no answer within 200 ms" } }]);
  });

  test("that counts too late gets the points back", async () => {
    const limiter = memory();
    const consume: Limiter["consume"] = async (key, points) => {
      const result = await limiter.consume(key, points);
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      return result;
    };
    const verdict = judge(budget(altered(limiter, { consume })), uploadOf(10));
    await jest.advanceTimersByTimeAsync(1_000);
    expect(await verdict).toBe(503);
    expect(await consumed(limiter)).toBe(10);
    await jest.advanceTimersByTimeAsync(4_000);
    expect(await consumed(limiter)).toBe(0);
  });

  test("that fails at the end is reported, and harms nobody", async () => {
    const upload = uploadOf(10);
    await judge(budget(altered(memory(), { reward: down })), upload);
    await upload.close(LEFT);
    expect(upload.reports).toMatchObject([{ error: { code: "ECONNREFUSED" } }]);
  });

  test("that hangs while a refused wish is given back holds the refusal up no longer than it may", async () => {
    const upload = uploadOf(60);
    const limiter = memory();
    await limiter.consume("key", 60);
    const verdict = judge(budget(altered(limiter, { reward: never }), { storeTimeoutMs: 200 }), upload);
    await jest.advanceTimersByTimeAsync(200);
    expect(await verdict).toBe(429);
    expect(upload.reports).toHaveLength(1);
  });

  test("that is asked once grants no point twice", async () => {
    const limiter = memory();
    const policy = budget(limiter);
    const verdicts = await Promise.all(Array.from({ length: 200 }, () => judge(policy, uploadOf(2))));
    expect(verdicts.filter((verdict) => verdict === "accepted")).toHaveLength(50);
    expect(await consumed(limiter)).toBe(100);
  });
});

test("in any order of uploads, ends and hours, no window grants more than its budget, and none gets credit", async () => {
  const step = fc.record({
    size: fc.integer({ min: 1, max: 120 }),
    arrives: fc.double({ min: 0, max: 1, noNaN: true }),
    lastsMs: fc.integer({ min: 0, max: 90_000 }),
    waitMs: fc.integer({ min: 0, max: 40_000 }),
    end: fc.constantFrom(STORED, FAILED, LEFT, LEFT_WHOLE, REFUSED),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
      const limiter = memory();
      const policy = budget(limiter);
      const granted: { window: number; spent: number }[] = [];
      let window = 0;
      let windowEnd = 0;
      for (const { size, arrives, lastsMs, waitMs, end } of steps) {
        if (Date.now() >= windowEnd) window++;
        const upload = uploadOf(size);
        const verdict = await judge(policy, upload);
        const state = await limiter.get("key");
        if (state && Date.now() >= windowEnd) windowEnd = Date.now() + state.msBeforeNext;
        if (verdict === "accepted") {
          const grant = { window, spent: size };
          granted.push(grant);
          setTimeout(() => {
            upload.received = Math.round(size * arrives);
            grant.spent = end === STORED ? upload.received : 0;
            void upload.close(end);
          }, lastsMs);
        }
        const inWindow = granted.filter((grant) => grant.window === window);
        const spent = inWindow.reduce((sum, grant) => sum + grant.spent, 0);
        expect(spent).toBeLessThanOrEqual(100);
        if (Date.now() < windowEnd) expect(state?.consumedPoints).toBeGreaterThanOrEqual(spent);
        await jest.advanceTimersByTimeAsync(waitMs);
      }
      await jest.advanceTimersByTimeAsync(100_000);
      expect(await limiter.get("key")).toBeNull();
    }),
    { numRuns: 200 },
  );
});

describe("an option", () => {
  const key = () => "key";
  test.each<[message: RegExp, options: unknown]>([
    [/^quota\(options\): received undefined; expected an object/, undefined],
    [/did you mean limiter/, { limitr: memory(), key }],
    [/^quota\(\{ limiter \}\): received undefined; expected a limiter of rate-limiter-flexible/, { key }],
    [/^quota\(\{ limiter \}\): received an object/, { limiter: { points: 1, duration: 1 }, key }],
    [/^quota\(\{ limiter \}\)\.points: received 1\.5/, { limiter: memory(1.5), key }],
    [/^quota\(\{ limiter \}\)\.points: received -1/, { limiter: memory(-1), key }],
    [/^quota\(\{ limiter \}\)\.points: received 1000000000000000/, { limiter: memory(10 ** 15), key }],
    [/^quota\(\{ limiter \}\)\.execEvenly: received true/, { limiter: memory(1, 1, { execEvenly: true }), key }],
    [/^quota\(\{ key \}\): received undefined/, { limiter: memory() }],
    [/^quota\(\{ key \}\): received "me"/, { limiter: memory(), key: "me" }],
    [/^quota\(\{ cost \}\): received "byte"/, { limiter: memory(), key, cost: "byte" }],
    [/^quota\(\{ unknownLengthCost \}\): received 0/, { limiter: memory(), key, unknownLengthCost: 0 }],
    [
      /^quota\(\{ unknownLengthCost \}\): received "1mb"; expected at most the limiter's 100/,
      { limiter: memory(), key, unknownLengthCost: "1mb" },
    ],
    [
      /^quota\(\{ unknownLengthCost \}\): received 9; expected nothing/,
      { limiter: memory(), key, cost: "requests", unknownLengthCost: 9 },
    ],
    [/^quota\(\{ name \}\): received "a\\"b"/, { limiter: memory(), key, name: 'a"b' }],
    [/^quota\(\{ name \}\): received ""/, { limiter: memory(), key, name: "" }],
    [/^quota\(\{ countFailed \}\): received 1/, { limiter: memory(), key, countFailed: 1 }],
    [/^quota\(\{ storeTimeoutMs \}\): received 0/, { limiter: memory(), key, storeTimeoutMs: 0 }],
    [/^quota\(\{ onStoreError \}\): received "allow"/, { limiter: memory(), key, onStoreError: "allow" }],
  ])("that is wrong throws %p", (message, options) => {
    expect(() => quota(options as QuotaOptions)).toThrow(expect.objectContaining({ code: "ERR_EXPECT_OPTION" }));
    expect(() => quota(options as QuotaOptions)).toThrow(message);
  });
});

test("carries its name for the log", () => {
  expect(budget(memory()).name).toBe("quota");
});
