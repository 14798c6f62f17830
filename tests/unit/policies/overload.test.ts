import type { IncomingMessage } from "node:http";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import type { Refusal } from "../../../src/http/refusal.js";
import { currentLoad } from "../../../src/policies/load.js";
import { overload } from "../../../src/policies/overload.js";
import type { OverloadOptions } from "../../../src/policies/overload-options.js";
import type { Upload } from "../../../src/policies/policy.js";

const REQ = { headers: {} } as IncomingMessage;
const upload = (length: number | undefined = 5, isPreflight = false) => ({ length, isPreflight }) as Upload;

/** What `performance.now()` tells; goes on from test to test, as the one load of the process does. */
let now = 1e6;

describe("a policy", () => {
  beforeEach(() => {
    aSecondLater();
    jest.spyOn(performance, "now").mockImplementation(() => now);
  });
  afterEach(() => void jest.restoreAllMocks());
  const aSecondLater = () => {
    now += 1_000;
  };

  test("refuses with 503 and Retry-After while the user's own function says so", () => {
    let isOverloaded = false;
    const policy = overload({ isOverloaded: () => isOverloaded, retryAfterSeconds: 3 });
    expect(policy(REQ, upload())).toBe(true);
    isOverloaded = true;
    aSecondLater();
    expect(policy(REQ, upload())).toMatchObject({
      status: 503,
      headers: { "Retry-After": "3" },
      reason: "overloaded: isOverloaded()",
      problem: { detail: "the server is overloaded" },
    });
    expect(policy(REQ, upload(5, true))).toMatchObject({ status: 503 });
    isOverloaded = false;
    aSecondLater();
    expect(policy(REQ, upload())).toBe(true);
  });

  test("asks the user's function once a second at most, and measures as often", () => {
    const isOverloaded = jest.fn(() => true);
    const policy = overload({ isOverloaded });
    for (let i = 0; i < 1_000; i++) void policy(REQ, upload());
    expect(isOverloaded).toHaveBeenCalledTimes(1);
    const load = currentLoad();
    now += 999;
    void policy(REQ, upload());
    expect(isOverloaded).toHaveBeenCalledTimes(1);
    expect(currentLoad()).toBe(load);
    now += 1;
    expect(currentLoad()).not.toBe(load);
    void policy(REQ, upload());
    expect(isOverloaded).toHaveBeenCalledTimes(2);
  });

  test("measures once for all policies", () => {
    const policies = [1, 2, 3].map(() => overload({ maxRss: 1 }));
    for (const policy of policies) expect(policy(REQ, upload())).toMatchObject({ status: 503 });
    const load = currentLoad();
    for (const policy of policies) void policy(REQ, upload());
    expect(currentLoad()).toBe(load);
  });

  test("accepts a request without content", () => {
    expect(overload({ maxRss: 1 })(REQ, upload(0))).toBe(true);
  });

  test.each([undefined, null, 1, "true", Promise.resolve(true)])(
    "accepts nobody while the user's function answers %p",
    (answer) => {
      const policy = overload({ isOverloaded: () => answer as never });
      for (let i = 0; i < 3; i++) {
        expect(() => policy(REQ, upload())).toThrow(expect.objectContaining({ code: "ERR_EXPECT_POLICY" }));
      }
    },
  );

  test("accepts nobody while the user's function throws", () => {
    let isBroken = true;
    const policy = overload({
      isOverloaded: () => {
        if (isBroken) throw new Error("broken");
        return false;
      },
    });
    for (let i = 0; i < 3; i++) expect(() => policy(REQ, upload())).toThrow("broken");
    isBroken = false;
    expect(policy(REQ, upload())).toBe(true);
  });

  test("has heap and memory from the first measurement on", () => {
    const reason = (options: OverloadOptions) => (overload(options)(REQ, upload()) as Refusal).reason;
    expect(reason({ maxHeap: 1 })).toMatch(/^overloaded: heap of \d+ MiB$/);
    expect(reason({ maxRss: "1kb" })).toMatch(/^overloaded: resident memory of \d+ MiB$/);
    expect(overload({ maxHeap: "100tb", maxRss: "100tb" })(REQ, upload())).toBe(true);
  });
});

test.each<[message: RegExp, options: unknown]>([
  [/^overload\(options\): received undefined; expected an object$/, undefined],
  [/^overload\(options\): received no limit; expected one of maxEventLoopDelayMs, .*, isOverloaded$/, {}],
  [/received no limit/, { recoverAt: 0.5, retryAfterSeconds: 5 }],
  [/did you mean maxEventLoopDelayMs\?/, { maxEventLoopDelay: 5 }],
  ...[null, 0, -1, 1.5, "200", Number.NaN, Number.POSITIVE_INFINITY].map((ms): [RegExp, unknown] => [
    /^overload\(\{ maxEventLoopDelayMs \}\): received .*; expected a whole number from 1/,
    { maxEventLoopDelayMs: ms },
  ]),
  ...[null, 0, -1, 1, 95, "0.9", Number.NaN].map((share): [RegExp, unknown] => [
    /^overload\(\{ maxEventLoopUtilization \}\): received .*; expected a number above 0 and below 1$/,
    { maxEventLoopUtilization: share },
  ]),
  ...["maxHeap", "maxRss"].flatMap((option) =>
    [null, 0, -1, "much", {}].map((size): [RegExp, unknown] => [
      new RegExp(`^overload\\(\\{ ${option} \\}\\): received .*; expected a positive whole number of bytes`),
      { [option]: size },
    ]),
  ),
  ...[null, true, "f", {}].map((isOverloaded): [RegExp, unknown] => [
    /^overload\(\{ isOverloaded \}\): received .*; expected a function$/,
    { isOverloaded, maxRss: 1 },
  ]),
  ...[null, 0, 1.1, "0.5", Number.NaN].map((recoverAt): [RegExp, unknown] => [
    /^overload\(\{ recoverAt \}\): received .*; expected a number above 0 and at most 1$/,
    { recoverAt, maxRss: 1 },
  ]),
  [/^overload\(\{ retryAfterSeconds \}\): received 0; expected a whole number/, { retryAfterSeconds: 0, maxRss: 1 }],
])("throws %s for %j", (message, options) => {
  const make = () => overload(options as OverloadOptions);
  expect(make).toThrow(message);
  expect(make).toThrow(expect.objectContaining({ code: "ERR_EXPECT_OPTION" }));
});
