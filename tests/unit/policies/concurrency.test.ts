import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "@jest/globals";
import type { Refusal } from "../../../src/http/refusal.js";
import { allOf, anyOf, type ExpectationOptions, expectations, maxSize, when } from "../../../src/index.js";
import { concurrency } from "../../../src/policies/concurrency.js";
import type { ConcurrencyOptions } from "../../../src/policies/concurrency-options.js";
import type { Upload, UploadEnd } from "../../../src/policies/policy.js";

const reqOf = (user: string) => ({ headers: { user } }) as never as IncomingMessage;

function uploadOf(length: number | undefined = 5): Upload & { close(): void } {
  const callbacks: ((end: UploadEnd) => void)[] = [];
  const close = () => {
    for (const callback of callbacks.splice(0)) callback({ status: 200, isRefused: false, isWhole: true });
  };
  return { length, close, onClose: (callback) => void callbacks.push(callback) } as Upload & { close(): void };
}

const isAccepted = (verdict: unknown) => verdict === true;

describe("a limit of 2", () => {
  test("accepts two at a time, and refuses the third with 503 and Retry-After", () => {
    const policy = concurrency({ limit: 2 });
    expect(policy(reqOf("a"), uploadOf())).toBe(true);
    expect(policy(reqOf("b"), uploadOf())).toBe(true);
    expect(policy(reqOf("c"), uploadOf())).toMatchObject({ status: 503, headers: { "Retry-After": "5" } });
  });

  test("has a free place again for each one that ends, and none for a refused one", () => {
    const policy = concurrency({ limit: 2 });
    const [first, second, refused] = [uploadOf(), uploadOf(), uploadOf()];
    for (const upload of [first, second, refused]) void policy(reqOf("a"), upload);
    refused.close();
    expect(isAccepted(policy(reqOf("a"), uploadOf()))).toBe(false);
    first.close();
    expect(isAccepted(policy(reqOf("a"), uploadOf()))).toBe(true);
    expect(isAccepted(policy(reqOf("a"), uploadOf()))).toBe(false);
    second.close();
    expect(isAccepted(policy(reqOf("a"), uploadOf()))).toBe(true);
    expect(isAccepted(policy(reqOf("a"), uploadOf()))).toBe(false);
  });

  test("counts each key by itself", () => {
    const policy = concurrency({ limit: 1, key: (req) => String(req.headers.user) });
    const first = uploadOf();
    expect(isAccepted(policy(reqOf("a"), first))).toBe(true);
    expect(isAccepted(policy(reqOf("a"), uploadOf()))).toBe(false);
    expect(isAccepted(policy(reqOf("b"), uploadOf()))).toBe(true);
    first.close();
    expect(isAccepted(policy(reqOf("a"), uploadOf()))).toBe(true);
  });

  test("counts content of unknown length, and no request without content", () => {
    const policy = concurrency({ limit: 1 });
    for (let i = 0; i < 5; i++) expect(isAccepted(policy(reqOf("a"), uploadOf(0)))).toBe(true);
    const upload = { ...uploadOf(), length: undefined };
    expect(isAccepted(policy(reqOf("a"), upload))).toBe(true);
    expect(isAccepted(policy(reqOf("a"), upload))).toBe(false);
  });

  test("is each policy's own", () => {
    const [one, other] = [concurrency({ limit: 1 }), concurrency({ limit: 1 })];
    expect(isAccepted(one(reqOf("a"), uploadOf()))).toBe(true);
    expect(isAccepted(other(reqOf("a"), uploadOf()))).toBe(true);
  });
});

test("says when to come again", () => {
  const policy = concurrency({ limit: 1, retryAfterSeconds: 30 });
  void policy(reqOf("a"), uploadOf());
  expect((policy(reqOf("a"), uploadOf()) as Refusal).headers).toEqual({
    "Retry-After": "30",
    "RateLimit-Policy": '"concurrency";q=1;qu="concurrent-requests"',
    RateLimit: '"concurrency";r=0;t=30',
  });
});

test.each([undefined, null, 1, {}])("a key of %p accepts nobody", (key) => {
  const policy = concurrency({ limit: 1, key: () => key as never });
  expect(() => policy(reqOf("a"), uploadOf())).toThrow(expect.objectContaining({ code: "ERR_EXPECT_POLICY" }));
});

const key = () => "";
const semaphore = () => ({ tryAcquire: async () => true, release: async () => {} });

test.each<[message: RegExp, options: unknown]>([
  [/^concurrency\(options\): received undefined/, undefined],
  [/^concurrency\(options\): received 10/, 10],
  [/did you mean limit\?/, { limits: 1 }],
  [/^concurrency\(\{ limit \}\): received undefined/, {}],
  [/^concurrency\(\{ limit \}\): received 0/, { limit: 0 }],
  [/^concurrency\(\{ limit \}\): received 1\.5/, { limit: 1.5 }],
  [/^concurrency\(\{ limit \}\): received "10"/, { limit: "10" }],
  [/^concurrency\(\{ key \}\): received "ip"/, { limit: 1, key: "ip" }],
  [/^concurrency\(\{ retryAfterSeconds \}\): received 0/, { limit: 1, retryAfterSeconds: 0 }],
  [/^concurrency\(\{ maxWaiting \}\): received 0/, { limit: 1, maxWaiting: 0 }],
  [/^concurrency\(\{ maxWaiting \}\): received Infinity/, { limit: 1, maxWaiting: Number.POSITIVE_INFINITY }],
  [/^concurrency\(\{ maxWaiting \}\): received "100"/, { limit: 1, maxWaiting: "100" }],
  [/^concurrency\(\{ maxWaitMs \}\): received 0/, { limit: 1, maxWaiting: 1, maxWaitMs: 0 }],
  [/^concurrency\(\{ maxWaitMs \}\): received 2147483648/, { limit: 1, maxWaiting: 1, maxWaitMs: 2 ** 31 }],
  [
    /^concurrency\(\{ maxWaitMs \}\): received 5; expected nothing, unless maxWaiting is set/,
    { limit: 1, maxWaitMs: 5 },
  ],
  [/^concurrency\(\{ total \}\): received 5; expected nothing, unless key is set/, { limit: 1, total: 5 }],
  [/^concurrency\(\{ total \}\): received 1; expected the limit of one key, 2, or more/, { limit: 2, total: 1, key }],
  [/^concurrency\(\{ total \}\): received 2\.5/, { limit: 2, total: 2.5, key }],
  [
    /^concurrency\(\{ total \}\): received 5; expected nothing, if semaphore is set/,
    { limit: 1, total: 5, key, semaphore },
  ],
  [/^concurrency\(\{ name \}\): received ""/, { limit: 1, name: "" }],
  [/^concurrency\(\{ name \}\): received "a\\"b"/, { limit: 1, name: 'a"b' }],
  [
    /^concurrency\(\{ semaphore \}\): received an object; expected a function that makes one/,
    { limit: 1, semaphore: {} },
  ],
  [/^concurrency\(\{ leaseMs \}\): received 999; expected 1000 or more/, { limit: 1, semaphore, leaseMs: 999 }],
  [/^concurrency\(\{ leaseMs \}\): received "30s"/, { limit: 1, semaphore, leaseMs: "30s" }],
  [
    /^concurrency\(\{ leaseMs \}\): received 5000; expected nothing, unless semaphore is set/,
    { limit: 1, leaseMs: 5_000 },
  ],
  [/^concurrency\(\{ storeTimeoutMs \}\): received -1/, { limit: 1, semaphore, storeTimeoutMs: -1 }],
  [/^concurrency\(\{ storeTimeoutMs \}\): received 5; expected nothing/, { limit: 1, storeTimeoutMs: 5 }],
  [/^concurrency\(\{ onStoreError \}\): received "open"/, { limit: 1, semaphore, onStoreError: "open" }],
  [/^concurrency\(\{ onStoreError \}\): received "accept"; expected nothing/, { limit: 1, onStoreError: "accept" }],
])("throws %p at construction", (message, options) => {
  expect(() => concurrency(options as ConcurrencyOptions)).toThrow(
    expect.objectContaining({ code: "ERR_EXPECT_OPTION" }),
  );
  expect(() => concurrency(options as ConcurrencyOptions)).toThrow(message);
});

describe("a wait that the guard would interrupt is an error when the guard is made", () => {
  const room = concurrency({ limit: 1, maxWaiting: 10, maxWaitMs: 10_001 });
  const message =
    /: concurrency\(\{ maxWaitMs \}\): received 10001; expected at most policyTimeoutMs, 10000; raise that, or wait for less/;

  test.each<[where: string, options: () => ExpectationOptions]>([
    ["policies[1]", () => ({ policies: [maxSize(1), room] })],
    [
      "policies[0]",
      () => ({
        policies: [
          allOf(
            maxSize(1),
            anyOf(
              when(() => true, room),
              maxSize(2),
            ),
          ),
        ],
      }),
    ],
    ['extensions["wait"]', () => ({ extensions: { wait: room } })],
  ])("%s", (where, options) => {
    expect(() => expectations(options())).toThrow(message);
    expect(() => expectations(options())).toThrow(where);
    expect(() => expectations({ ...options(), policyTimeoutMs: 10_001 })).not.toThrow();
  });

  test("nobody waits without maxWaiting, however little time there is", () => {
    expect(() => expectations({ policyTimeoutMs: 1, policies: [concurrency({ limit: 1 })] })).not.toThrow();
  });
});

test("carries its name for the log", () => {
  expect(concurrency({ limit: 1 }).name).toBe("concurrency");
});
