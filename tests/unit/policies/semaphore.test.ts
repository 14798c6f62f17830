import type { IncomingMessage } from "node:http";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import type { Refusal, SemaphoreFactory, SemaphoreOptions, Verdict } from "../../../src/index.js";
import { concurrency } from "../../../src/policies/concurrency.js";
import type { ConcurrencyOptions } from "../../../src/policies/concurrency-options.js";
import { type TestUpload, testUpload } from "../../helpers/upload.js";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => {
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

const req = { headers: {} } as never as IncomingMessage;
const settled = () => jest.advanceTimersByTimeAsync(0);
const LEASE_MS = 3_000;

/** A store as redis-semaphore and Redis are one, in which several policies may have their places. */
class Store {
  readonly places = new Map<string, number>();
  asked = 0;
  mode: "answers" | "fails" | "is silent" = "answers";
  readonly options: SemaphoreOptions[] = [];
  readonly #pending: (() => void)[] = [];

  readonly semaphore: SemaphoreFactory = (_key, limit, options) => {
    this.options.push(options);
    const { identifier, lockTimeout, acquiredExternally } = options;
    return {
      tryAcquire: () =>
        this.#answer(() => {
          this.asked++;
          for (const [id, end] of this.places) if (end <= performance.now()) this.places.delete(id);
          const isThere = this.places.has(identifier);
          if (acquiredExternally ? !isThere : this.places.size >= limit) return false;
          this.places.set(identifier, performance.now() + lockTimeout);
          return true;
        }),
      release: () => this.#answer(() => this.places.delete(identifier)),
    };
  };

  /** What was not answered is answered now. */
  wakeUp(): void {
    this.mode = "answers";
    for (const answer of this.#pending.splice(0)) answer();
  }

  #answer<T>(act: () => T): Promise<T> {
    if (this.mode === "fails") return Promise.reject(new Error("connection refused"));
    if (this.mode === "answers") return Promise.resolve().then(act);
    return new Promise((resolve) => this.#pending.push(() => resolve(act())));
  }
}

function processOf(store: Store, options: Partial<ConcurrencyOptions> = {}) {
  const policy = concurrency({ limit: 2, semaphore: store.semaphore, leaseMs: LEASE_MS, ...options });
  const order: string[] = [];
  const uploads: TestUpload[] = [];
  function enter(name = "") {
    const upload = testUpload();
    const one = { name, upload, verdict: undefined as Verdict | undefined, error: undefined as unknown };
    Promise.resolve(policy(req, upload)).then(
      (verdict) => {
        one.verdict = verdict;
        if (verdict === true) order.push(name);
      },
      (error: unknown) => {
        one.error = error;
      },
    );
    uploads.push(upload);
    return one;
  }
  async function closeAll() {
    for (const upload of uploads) {
      upload.abort();
      upload.close();
    }
    await settled();
  }
  return { policy, enter, order, closeAll };
}

const statusOf = ({ verdict }: { verdict: Verdict | undefined }) => (verdict as Refusal | undefined)?.status;

describe("two processes and a limit of 2", () => {
  test("share the places", async () => {
    const store = new Store();
    const [one, other] = [processOf(store), processOf(store)];
    const uploads = [one.enter(), other.enter(), one.enter(), other.enter()];
    await settled();
    expect(uploads.map(({ verdict }) => verdict === true)).toEqual([true, true, false, false]);
    expect(uploads[2]?.verdict).toMatchObject({ status: 503, headers: { "Retry-After": "5" } });
    uploads[0]?.upload.close();
    await settled();
    const next = other.enter();
    await settled();
    expect(next.verdict).toBe(true);
    await one.closeAll();
    await other.closeAll();
    expect(store.places.size).toBe(0);
  });

  test.each<[options: Partial<ConcurrencyOptions>, key: string]>([
    [{}, "concurrency"],
    [{ name: "images" }, "images"],
    [{ name: "images", key: () => "ann" }, "images:ann"],
  ])("are kept apart by name and key: %j", async (options, key) => {
    const store = new Store();
    const keys: string[] = [];
    const semaphore: SemaphoreFactory = (...args) => {
      keys.push(args[0]);
      return store.semaphore(...args);
    };
    const { enter, closeAll } = processOf(store, { ...options, semaphore });
    enter();
    await settled();
    await closeAll();
    expect(keys).toEqual([key]);
  });

  test("a process asks for no place that it knows to be taken", async () => {
    const store = new Store();
    const { enter, closeAll } = processOf(store);
    enter();
    enter();
    await settled();
    expect(store.asked).toBe(2);
    const third = enter();
    await settled();
    expect([statusOf(third), store.asked]).toEqual([503, 2]);
    await closeAll();
  });

  test("keep their places as long as the uploads live, and get other options each time", async () => {
    const store = new Store();
    const { enter, closeAll } = processOf(store);
    enter();
    await jest.advanceTimersByTimeAsync(10 * LEASE_MS);
    expect(store.places.size).toBe(1);
    const [first, second] = store.options as [SemaphoreOptions, SemaphoreOptions];
    expect(first).toMatchObject({ lockTimeout: LEASE_MS, refreshInterval: 0, acquireAttemptsLimit: 1 });
    expect(first.acquiredExternally).toBeUndefined();
    expect(second).toMatchObject({ identifier: first.identifier, acquiredExternally: true });
    await closeAll();
    expect(store.places.size).toBe(0);
  });

  test("the places of a process that has died are free when its leases end", async () => {
    const store = new Store();
    store.places.set("of the dead", performance.now() + LEASE_MS);
    store.places.set("of the dead, too", performance.now() + LEASE_MS);
    const { enter, closeAll } = processOf(store, { maxWaiting: 5, maxWaitMs: 2 * LEASE_MS });
    const waiting = enter();
    await jest.advanceTimersByTimeAsync(LEASE_MS - 50);
    expect(waiting.verdict).toBeUndefined();
    await jest.advanceTimersByTimeAsync(200);
    expect(waiting.verdict).toBe(true);
    await closeAll();
  });
});

describe("who waits", () => {
  const options = { maxWaiting: 10, maxWaitMs: 20_000 };

  test("gets places in order, also those that another process frees", async () => {
    const store = new Store();
    const [one, other] = [processOf(store, options), processOf(store)];
    const held = [other.enter(), other.enter()];
    await settled();
    const uploads = ["a", "b", "c", "d"].map(one.enter);
    for (const { upload } of held) {
      await jest.advanceTimersByTimeAsync(1_000);
      upload.close();
    }
    await jest.advanceTimersByTimeAsync(200);
    expect(one.order).toEqual(["a", "b"]);
    for (const { upload } of uploads) {
      upload.close();
      // Of its own places a process knows at once.
      await settled();
    }
    expect(one.order).toEqual(["a", "b", "c", "d"]);
    await other.closeAll();
    expect(store.places.size).toBe(0);
  });

  test("a thousand ask the store as often as one", async () => {
    const store = new Store();
    const [one, other] = [processOf(store, { maxWaiting: 1_000, maxWaitMs: 5_000 }), processOf(store)];
    other.enter();
    other.enter();
    await settled();
    for (let i = 0; i < 1_000; i++) one.enter();
    const before = store.asked;
    await jest.advanceTimersByTimeAsync(1_000);
    expect(store.asked - before).toBeLessThan(20);
    await one.closeAll();
    await other.closeAll();
  });

  test("gives a place back that arrives after all have left", async () => {
    const store = new Store();
    const [one, other] = [processOf(store, options), processOf(store)];
    const held = other.enter();
    other.enter();
    await settled();
    const waiting = one.enter();
    await settled();
    store.mode = "is silent";
    await jest.advanceTimersByTimeAsync(150);
    waiting.upload.abort();
    waiting.upload.close();
    held.upload.close();
    store.wakeUp();
    await settled();
    expect(store.places.size).toBe(1);
    expect(one.policy.places).toMatchObject({ inUse: 0, waiting: 0 });
    await other.closeAll();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(store.places.size).toBe(0);
  });

  test("goes on waiting while the store fails, and is served when it is back", async () => {
    const store = new Store();
    const [one, other] = [processOf(store, options), processOf(store)];
    const held = other.enter();
    other.enter();
    await settled();
    const waiting = one.enter("a");
    await settled();
    store.mode = "fails";
    await jest.advanceTimersByTimeAsync(500);
    expect(waiting.upload.reports).toHaveLength(1);
    store.mode = "answers";
    held.upload.close();
    await jest.advanceTimersByTimeAsync(200);
    expect(waiting.verdict).toBe(true);
    await one.closeAll();
    await other.closeAll();
  });

  test("is let in by the limit of its process while the store fails, with onStoreError: accept", async () => {
    const store = new Store();
    const [one, other] = [processOf(store, { ...options, onStoreError: "accept" }), processOf(store)];
    other.enter();
    other.enter();
    await settled();
    const waiting = ["a", "b", "c"].map(one.enter);
    await settled();
    store.mode = "fails";
    await jest.advanceTimersByTimeAsync(150);
    expect(waiting.map(({ verdict }) => verdict)).toEqual([true, true, undefined]);
    store.mode = "answers";
    await one.closeAll();
    await other.closeAll();
  });
});

describe("a store that fails", () => {
  test("refuses with 503 and Retry-After, and logs the store's error", async () => {
    const store = new Store();
    store.mode = "fails";
    const { enter } = processOf(store);
    const one = enter();
    await settled();
    expect(one.verdict).toMatchObject({ status: 503, headers: { "Retry-After": "10" } });
    expect(one.upload.reports).toMatchObject([
      { message: "concurrency: the store failed", error: { message: "connection refused" } },
    ]);
  });

  test("does not hold a verdict up, and what it grants late is given back", async () => {
    const store = new Store();
    store.mode = "is silent";
    const { enter } = processOf(store, { storeTimeoutMs: 200 });
    const one = enter();
    await jest.advanceTimersByTimeAsync(199);
    expect(one.verdict).toBeUndefined();
    await jest.advanceTimersByTimeAsync(1);
    expect(statusOf(one)).toBe(503);
    store.wakeUp();
    await settled();
    expect([store.asked, store.places.size]).toEqual([1, 0]);
  });

  test("accepts with onStoreError: accept, up to the limit of the process", async () => {
    const store = new Store();
    store.mode = "fails";
    const { enter, closeAll } = processOf(store, { onStoreError: "accept" });
    const uploads = [enter(), enter()];
    await settled();
    uploads.push(enter());
    await settled();
    expect(uploads.map(({ verdict }) => verdict === true)).toEqual([true, true, false]);
    await closeAll();
  });

  test("cuts uploads off when their leases have ended, not before", async () => {
    const store = new Store();
    const { enter, closeAll } = processOf(store);
    const one = enter();
    await settled();
    store.mode = "fails";
    await jest.advanceTimersByTimeAsync(LEASE_MS - 1);
    expect(one.upload.refusals).toEqual([]);
    expect(one.upload.reports).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(one.upload.refusals).toMatchObject([{ status: 503, headers: { "Retry-After": "10" } }]);
    await closeAll();
  });

  test("for less than a lease harms nobody", async () => {
    const store = new Store();
    const { enter, closeAll } = processOf(store);
    const one = enter();
    await settled();
    for (let i = 0; i < 3; i++) {
      store.mode = i === 1 ? "is silent" : "fails";
      await jest.advanceTimersByTimeAsync(LEASE_MS / 2);
      store.wakeUp();
      await jest.advanceTimersByTimeAsync(LEASE_MS);
    }
    expect([one.upload.refusals, store.places.size]).toEqual([[], 1]);
    await closeAll();
  });

  test("lets uploads end in peace with onStoreError: accept, also when it has forgotten them", async () => {
    const store = new Store();
    const { enter, closeAll } = processOf(store, { onStoreError: "accept" });
    const one = enter();
    await settled();
    store.mode = "fails";
    await jest.advanceTimersByTimeAsync(LEASE_MS / 2);
    store.places.clear();
    store.mode = "answers";
    await jest.advanceTimersByTimeAsync(2 * LEASE_MS);
    const other = enter();
    await settled();
    store.mode = "fails";
    await jest.advanceTimersByTimeAsync(2 * LEASE_MS);
    expect([one.upload.refusals, other.upload.refusals]).toEqual([[], []]);
    await closeAll();
  });
});

describe("a lease that is lost", () => {
  test.each(["refuse", "accept"] as const)("cuts the upload off, with onStoreError: %s", async (onStoreError) => {
    const store = new Store();
    const { enter, closeAll, policy } = processOf(store, { onStoreError });
    const one = enter();
    await settled();
    store.places.clear();
    await jest.advanceTimersByTimeAsync(LEASE_MS);
    expect(one.upload.refusals).toMatchObject([{ status: 503, reason: "the upload has lost its place" }]);
    await closeAll();
    expect(policy.places.inUse).toBe(0);
  });

  test("is lost once, whatever the semaphore says then", async () => {
    const store = new Store();
    const { enter, closeAll } = processOf(store);
    const one = enter();
    await settled();
    store.options[0]?.onLockLost();
    store.options[0]?.onLockLost();
    await jest.advanceTimersByTimeAsync(2 * LEASE_MS);
    await closeAll();
    store.options[0]?.onLockLost();
    expect(one.upload.refusals).toHaveLength(1);
  });

  test("at once: refuses before a byte is sent", async () => {
    const semaphore: SemaphoreFactory = (_key, _limit, { onLockLost }) => {
      onLockLost();
      return { tryAcquire: async () => true, release: async () => {} };
    };
    const { enter, closeAll } = processOf(new Store(), { semaphore });
    const one = enter();
    await settled();
    expect(one.upload.refusals).toMatchObject([{ status: 503 }]);
    await closeAll();
  });

  test("does not matter once the upload is over", async () => {
    const store = new Store();
    const { enter, closeAll } = processOf(store);
    const one = enter();
    await settled();
    one.upload.close();
    store.places.clear();
    await jest.advanceTimersByTimeAsync(2 * LEASE_MS);
    expect(one.upload.refusals).toEqual([]);
    await closeAll();
  });
});

test("places are counted through any order of answers, ends and failures", async () => {
  const store = new Store();
  const { enter, policy, closeAll } = processOf(store, { maxWaiting: 5, maxWaitMs: 2_000, onStoreError: "accept" });
  const modes = ["answers", "fails", "is silent"] as const;
  let entered: ReturnType<typeof enter>[] = [];
  for (let i = 0; i < 200; i++) {
    if (i % 5 === 0) store.wakeUp();
    store.mode = modes[((i * 7) % 11) % 3] as (typeof modes)[number];
    entered.push(enter(), enter());
    await jest.advanceTimersByTimeAsync((i * 37) % 300);
    const [ending] = entered.splice((i * 13) % entered.length, 1);
    if (ending?.verdict === undefined) ending?.upload.abort();
    ending?.upload.close();
    await settled();
    entered = entered.filter(({ verdict }) => verdict === true || verdict === undefined);
    expect(policy.places.inUse).toBeLessThanOrEqual(2);
    expect(entered.filter(({ verdict }) => verdict === true).length).toBeLessThanOrEqual(2);
  }
  store.wakeUp();
  await closeAll();
  await jest.advanceTimersByTimeAsync(5_000);
  expect(policy.places).toMatchObject({ inUse: 0, waiting: 0 });
});

describe("a semaphore that is none", () => {
  const good = { tryAcquire: async () => true, release: async () => {} };

  test.each<[what: string, semaphore: unknown, message: RegExp]>([
    [
      "a factory that throws",
      () => {
        throw new Error("no client");
      },
      /no client/,
    ],
    ["nothing", () => undefined, /concurrency\(\{ semaphore \}\): returned undefined/],
    ["an object without methods", () => ({}), /expected an object with tryAcquire\(\) and release\(\)/],
    ["no release", () => ({ tryAcquire: good.tryAcquire }), /expected an object with tryAcquire/],
    ["a promise", async () => good, /returned a promise/],
    ["an answer that is none", () => ({ ...good, tryAcquire: async () => "OK" }), /tryAcquire\(\): returned string/],
    ["no answer", () => ({ ...good, tryAcquire() {} }), /tryAcquire\(\): returned undefined/],
  ])("%s: a fault, and nobody is accepted", async (_what, semaphore, message) => {
    const { enter, policy } = processOf(new Store(), { semaphore: semaphore as SemaphoreFactory });
    const one = enter();
    await settled();
    expect([one.verdict, String(one.error)]).toEqual([undefined, expect.stringMatching(message)]);
    expect(policy.places.inUse).toBe(0);
  });

  test("that throws instead of rejecting counts as a store that fails", async () => {
    const semaphore = () => ({
      ...good,
      tryAcquire: () => {
        throw new Error("down");
      },
    });
    const { enter } = processOf(new Store(), { semaphore: semaphore as SemaphoreFactory });
    const one = enter();
    await settled();
    expect(statusOf(one)).toBe(503);
  });

  test("whose release fails is logged, and does not keep the place of this process", async () => {
    const release = () => Promise.reject(new Error("gone"));
    const { enter, policy } = processOf(new Store(), { semaphore: () => ({ ...good, release }) });
    const one = enter();
    await settled();
    one.upload.close();
    await settled();
    expect(one.upload.reports).toMatchObject([{ error: { message: "gone" } }]);
    expect(policy.places.inUse).toBe(0);
  });
});
