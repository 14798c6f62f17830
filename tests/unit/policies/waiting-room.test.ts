import type { IncomingMessage } from "node:http";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import type { Refusal, Verdict } from "../../../src/index.js";
import { concurrency } from "../../../src/policies/concurrency.js";
import type { ConcurrencyOptions } from "../../../src/policies/concurrency-options.js";
import { placeTeller } from "../../../src/support/places.js";
import * as fc from "../../helpers/properties.js";
import { type TestUpload, testUpload } from "../../helpers/upload.js";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => {
  // Nothing is left behind, in whatever way an upload has ended.
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

const req = { headers: {} } as never as IncomingMessage;
const settled = () => jest.advanceTimersByTimeAsync(0);

/** Uploads of one policy, with what has become of each. */
function roomOf(options: Omit<ConcurrencyOptions, "key"> & { key?: true }) {
  const keys = new Map<unknown, string>();
  const key: ConcurrencyOptions["key"] = (_req, upload) => keys.get(upload) ?? "";
  const policy = concurrency({ ...options, ...(options.key ? { key } : { key: undefined }) } as ConcurrencyOptions);
  const order: string[] = [];
  function enter(name: string, of = "", fields: Partial<TestUpload> = {}) {
    const upload = testUpload(fields);
    keys.set(upload, of);
    const entered = { name, upload, verdict: undefined as Verdict | undefined };
    const note = (verdict: Verdict) => {
      entered.verdict = verdict;
      if (verdict === true) order.push(name);
    };
    const answer = policy(req, upload);
    if (answer instanceof Promise) void answer.then(note);
    else note(answer);
    return entered;
  }
  return { policy, enter, order };
}

const statusOf = ({ verdict }: { verdict: Verdict | undefined }) => (verdict as Refusal | undefined)?.status;
const reasonOf = ({ verdict }: { verdict: Verdict | undefined }) => (verdict as Refusal | undefined)?.reason;

describe("a limit of 1, of which three may wait", () => {
  const options = { limit: 1, maxWaiting: 3, maxWaitMs: 1_000 };

  test("gives the place to whoever came first", async () => {
    const { enter, order, policy } = roomOf(options);
    const [a, b, c, d] = [enter("a"), enter("b"), enter("c"), enter("d")];
    expect(policy.places).toMatchObject({ inUse: 1, waiting: 3, limit: 1 });
    expect(statusOf(enter("e"))).toBe(503);
    for (const one of [a, b, c, d]) {
      one.upload.close();
      await settled();
    }
    expect(order).toEqual(["a", "b", "c", "d"]);
    expect(policy.places).toMatchObject({ inUse: 0, waiting: 0 });
  });

  test("a newcomer does not overtake those who wait", async () => {
    const { enter, order } = roomOf(options);
    const a = enter("a");
    const b = enter("b");
    a.upload.close();
    const c = enter("c");
    await settled();
    expect(order).toEqual(["a", "b"]);
    b.upload.close();
    await settled();
    expect(order).toEqual(["a", "b", "c"]);
    c.upload.close();
  });

  test("refuses with 503 who has waited long enough, and nobody before", async () => {
    const { enter, policy } = roomOf(options);
    const a = enter("a");
    const b = enter("b");
    await jest.advanceTimersByTimeAsync(999);
    expect(b.verdict).toBeUndefined();
    await jest.advanceTimersByTimeAsync(1);
    expect(b.verdict).toMatchObject({ status: 503, headers: { "Retry-After": "5" } });
    expect(reasonOf(b)).toBe("too many uploads at the same time: no place has become free in time");
    expect(policy.places).toMatchObject({ inUse: 1, waiting: 0 });
    a.upload.close();
    expect(policy.places.inUse).toBe(0);
  });

  test("whoever leaves gives up its place in the row at once", async () => {
    const { enter, order, policy } = roomOf(options);
    const [a, b, c, d] = [enter("a"), enter("b"), enter("c"), enter("d")];
    c.upload.abort();
    expect(policy.places.waiting).toBe(2);
    const e = enter("e");
    b.upload.abort();
    a.upload.close();
    await settled();
    expect(order).toEqual(["a", "d"]);
    d.upload.close();
    await settled();
    expect(order).toEqual(["a", "d", "e"]);
    e.upload.close();
  });

  test("an upload that has ended in the moment in which it got its place passes it on", async () => {
    const { enter, order, policy } = roomOf(options);
    const [a, b, c] = [enter("a"), enter("b"), enter("c")];
    a.upload.close();
    b.upload.abort();
    b.upload.close();
    await settled();
    expect(order).toEqual(["a", "b", "c"]);
    c.upload.close();
    expect(policy.places).toMatchObject({ inUse: 0, waiting: 0 });
  });

  test("an upload whose time is up already does not wait", async () => {
    const { enter, policy } = roomOf(options);
    const a = enter("a");
    const controller = new AbortController();
    controller.abort();
    const b = enter("b", "", { signal: controller.signal });
    await settled();
    expect(statusOf(b)).toBe(503);
    expect(policy.places.waiting).toBe(0);
    a.upload.close();
  });

  test("a question is answered by looking", () => {
    const { enter, policy } = roomOf(options);
    const isPreflight = true;
    expect(enter("?", "", { isPreflight }).verdict).toBe(true);
    const entered = ["a", "b", "c"].map((name) => enter(name));
    expect(enter("?", "", { isPreflight }).verdict).toBe(true);
    entered.push(enter("d"));
    expect(statusOf(enter("?", "", { isPreflight }))).toBe(503);
    expect(policy.places).toMatchObject({ inUse: 1, waiting: 3 });
    for (const { upload } of entered.reverse()) {
      upload.abort();
      upload.close();
    }
    expect(enter("?", "", { isPreflight }).verdict).toBe(true);
    expect(policy.places).toMatchObject({ inUse: 0, waiting: 0 });
  });
});

describe("Retry-After", () => {
  test("is the time in which those who wait get their places, by how long uploads have taken", async () => {
    const { enter } = roomOf({ limit: 2, maxWaiting: 2, maxWaitMs: 60_000 });
    const [a, b, c, d] = [enter("a"), enter("b"), enter("c"), enter("d")];
    expect(enter("e").verdict).toMatchObject({ headers: { "Retry-After": "5" } });
    await jest.advanceTimersByTimeAsync(10_000);
    a.upload.close();
    const e = enter("e");
    // Two wait, and two places change hands every ten seconds.
    expect(enter("f").verdict).toMatchObject({
      headers: {
        "Retry-After": "15",
        "RateLimit-Policy": '"concurrency";q=2;qu="concurrent-requests"',
        RateLimit: '"concurrency";r=0;t=15',
      },
      problem: {
        type: "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
        "violated-policies": ["concurrency"],
      },
    });
    for (const one of [b, c, d, e]) {
      one.upload.close();
      await settled();
    }
  });

  test("does not follow the clock of the day", async () => {
    const { enter } = roomOf({ limit: 1 });
    const a = enter("a");
    await jest.advanceTimersByTimeAsync(2_000);
    jest.setSystemTime(Date.now() + 86_400_000);
    a.upload.close();
    const b = enter("b");
    expect(enter("c").verdict).toMatchObject({ headers: { "Retry-After": "2" } });
    b.upload.close();
  });

  test("looks at all keys where they share a total", async () => {
    const { enter } = roomOf({ limit: 1, total: 1, key: true, maxWaiting: 3, maxWaitMs: 60_000 });
    const a = enter("a", "x");
    await jest.advanceTimersByTimeAsync(10_000);
    a.upload.close();
    const entered = [enter("b", "x"), enter("c", "y"), enter("d", "z"), enter("e", "w")];
    expect(enter("f", "v").verdict).toMatchObject({ headers: { "Retry-After": "40" } });
    for (const one of entered) {
      one.upload.close();
      await settled();
    }
  });
});

describe("keys", () => {
  test("have places and rows of their own", async () => {
    const { enter, order } = roomOf({ limit: 1, key: true, maxWaiting: 10 });
    const [a, b, c, d] = [enter("a1", "a"), enter("b1", "b"), enter("a2", "a"), enter("b2", "b")];
    b.upload.close();
    await settled();
    expect(order).toEqual(["a1", "b1", "b2"]);
    for (const one of [a, c, d]) {
      one.upload.close();
      await settled();
    }
    expect(order).toEqual(["a1", "b1", "b2", "a2"]);
  });

  test("a key with few uploads takes the last place of one with many, until both wait with as many", async () => {
    const { enter, policy } = roomOf({ limit: 1, key: true, maxWaiting: 4 });
    const [a, b] = [enter("a", "a"), enter("b", "b")];
    const many = ["a1", "a2", "a3", "a4"].map((name) => enter(name, "a"));
    const few = [enter("b1", "b"), enter("b2", "b")];
    await settled();
    expect(many.map(reasonOf)).toEqual([
      undefined,
      undefined,
      "too many uploads at the same time: a client with fewer uploads was waiting",
      "too many uploads at the same time: a client with fewer uploads was waiting",
    ]);
    expect([statusOf(enter("b3", "b")), statusOf(enter("a5", "a"))]).toEqual([503, 503]);
    expect(policy.places.waiting).toBe(4);
    for (const one of [a, b, ...many, ...few]) {
      one.upload.close();
      await settled();
    }
    expect(policy.places).toMatchObject({ inUse: 0, waiting: 0 });
  });

  test("take turns for the places that they share", async () => {
    const { enter, order, policy } = roomOf({ limit: 2, total: 2, key: true, maxWaiting: 10, maxWaitMs: 60_000 });
    const names = ["a1", "a2", "a3", "a4", "a5", "b1", "c1", "c2"];
    const entered = new Map(names.map((name) => [name, enter(name, name[0])]));
    for (let i = 0; i < names.length; i++) {
      expect(policy.places.inUse).toBe(Math.min(2, names.length - i));
      entered.get(order[i] as string)?.upload.close();
      await settled();
    }
    expect(order).toEqual(["a1", "a2", "b1", "c1", "a3", "c2", "a4", "a5"]);
    expect(policy.places).toMatchObject({ inUse: 0, waiting: 0 });
  });

  test("take turns: a long row does not keep others waiting", async () => {
    const { enter, order } = roomOf({ limit: 1, total: 1, key: true, maxWaiting: 10, maxWaitMs: 60_000 });
    const names = ["a1", "a2", "a3", "b1", "c1", "a4", "b2"];
    const entered = new Map(names.map((name) => [name, enter(name, name[0])]));
    for (let i = 0; i < names.length; i++) {
      entered.get(order[i] as string)?.upload.close();
      await settled();
    }
    expect(order).toEqual(["a1", "b1", "c1", "a2", "b2", "a3", "a4"]);
  });

  test("a key whose uploads have all left is forgotten in the turns", async () => {
    const { enter, order, policy } = roomOf({ limit: 1, total: 1, key: true, maxWaiting: 10, maxWaitMs: 60_000 });
    const a = enter("a", "a");
    const [b, c] = [enter("b", "b"), enter("c", "c")];
    b.upload.abort();
    a.upload.close();
    await settled();
    expect(order).toEqual(["a", "c"]);
    c.upload.close();
    expect(policy.places).toMatchObject({ inUse: 0, waiting: 0 });
  });
});

test("a limit of 1, and 10,000 wait: all get the place, in order", async () => {
  const { enter, order, policy } = roomOf({ limit: 1, maxWaiting: 10_000, maxWaitMs: 60_000 });
  const entered = Array.from({ length: 10_001 }, (_, i) => enter(String(i)));
  expect([policy.places.waiting, statusOf(enter("one too many"))]).toEqual([10_000, 503]);
  // Some leave, from all over the row.
  for (let i = 1; i < entered.length; i += 7) entered[i]?.upload.abort();
  for (const { upload } of entered) {
    upload.close();
    await Promise.resolve();
  }
  await settled();
  expect(order).toEqual(entered.map(({ name }) => name).filter((_, i) => i % 7 !== 1));
  expect(policy.places).toMatchObject({ inUse: 0, waiting: 0 });
});

test("tells what happens to places", async () => {
  const teller = placeTeller();
  const changes: [string, number][] = [];
  const former = teller.tell;
  teller.tell = (change, waitedMs) => void changes.push([change, Math.round(waitedMs)]);
  try {
    const { enter } = roomOf({ limit: 1, maxWaiting: 2, maxWaitMs: 1_000 });
    const a = enter("a");
    const b = enter("b");
    await jest.advanceTimersByTimeAsync(200);
    const c = enter("c");
    enter("d");
    await jest.advanceTimersByTimeAsync(100);
    a.upload.close();
    c.upload.abort();
    enter("e");
    await jest.advanceTimersByTimeAsync(1_000);
    b.upload.close();
  } finally {
    teller.tell = former;
  }
  expect(changes).toEqual([
    ["taken", 0],
    ["waiting", 0],
    ["waiting", 0],
    ["full", 0],
    ["freed", 0],
    ["taken", 300],
    ["left", 100],
    ["waiting", 0],
    ["late", 1_000],
    ["freed", 0],
  ]);
});

type Step =
  | { readonly kind: "enter"; readonly key: string }
  | { readonly kind: "close" | "abort"; readonly at: number }
  | { readonly kind: "wait"; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("enter" as const), key: fc.constantFrom("a", "b", "c", "d") }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("close" as const), at: fc.nat(100) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("abort" as const), at: fc.nat(100) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(700) }) },
);

test("whatever happens: no place too many, none free while somebody waits for it, order kept, nothing left", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        limit: fc.integer({ min: 1, max: 3 }),
        more: fc.option(fc.nat(4), { nil: undefined }),
        maxWaiting: fc.integer({ min: 1, max: 6 }),
        steps: fc.array(step, { maxLength: 60 }),
      }),
      async ({ limit, more, maxWaiting, steps }) => {
        const total = more === undefined ? undefined : limit + more;
        const { enter, policy, order } = roomOf({
          limit,
          key: true,
          maxWaiting,
          maxWaitMs: 1_000,
          ...(total === undefined ? {} : { total }),
        });
        type Entered = ReturnType<typeof enter> & { key: string };
        let present: Entered[] = [];
        const holding = (key?: string) =>
          present.filter((one) => one.verdict === true && (key === undefined || one.key === key));
        const waiting = (key?: string) =>
          present.filter((one) => one.verdict === undefined && (key === undefined || one.key === key));
        let names = 0;
        for (const one of steps) {
          if (one.kind === "enter") {
            present.push(Object.assign(enter(String(names++).padStart(3, "0"), one.key), { key: one.key }));
          } else if (one.kind === "wait") await jest.advanceTimersByTimeAsync(one.ms);
          else {
            const candidates = one.kind === "close" ? holding() : waiting();
            const picked = candidates[one.at % Math.max(1, candidates.length)];
            if (one.kind === "abort") picked?.upload.abort();
            picked?.upload.close();
            present = present.filter((other) => other !== picked);
          }
          await settled();
          present = present.filter(({ verdict }) => verdict === true || verdict === undefined);
          expect(policy.places).toMatchObject({ inUse: holding().length, waiting: waiting().length });
          expect(waiting().length).toBeLessThanOrEqual(maxWaiting);
          expect(holding().length).toBeLessThanOrEqual(total ?? Number.POSITIVE_INFINITY);
          for (const key of ["a", "b", "c", "d"]) {
            const taken = holding(key).length;
            expect(taken).toBeLessThanOrEqual(limit);
            const isOneFree = taken < limit && holding().length < (total ?? Number.POSITIVE_INFINITY);
            if (isOneFree) expect(waiting(key)).toEqual([]);
          }
        }
        for (const one of [...waiting(), ...holding()]) {
          if (one.verdict === undefined) one.upload.abort();
          one.upload.close();
        }
        await settled();
        for (const one of present) one.upload.close();
        expect(policy.places).toMatchObject({ inUse: 0, waiting: 0 });
        expect(jest.getTimerCount()).toBe(0);
        expect(new Set(order).size).toBe(order.length);
      },
    ),
    { numRuns: 200 },
  );
});
