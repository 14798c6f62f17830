import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "@jest/globals";
import type { Refusal } from "../../../src/http/refusal.js";
import { type ConcurrencyOptions, concurrency } from "../../../src/policies/concurrency.js";
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
  expect((policy(reqOf("a"), uploadOf()) as Refusal).headers).toEqual({ "Retry-After": "30" });
});

test.each([undefined, null, 1, {}])("a key of %p accepts nobody", (key) => {
  const policy = concurrency({ limit: 1, key: () => key as never });
  expect(() => policy(reqOf("a"), uploadOf())).toThrow(expect.objectContaining({ code: "ERR_EXPECT_POLICY" }));
});

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
])("throws %p at construction", (message, options) => {
  expect(() => concurrency(options as ConcurrencyOptions)).toThrow(
    expect.objectContaining({ code: "ERR_EXPECT_OPTION" }),
  );
  expect(() => concurrency(options as ConcurrencyOptions)).toThrow(message);
});

test("carries its name for the log", () => {
  expect(concurrency({ limit: 1 }).name).toBe("concurrency");
});
