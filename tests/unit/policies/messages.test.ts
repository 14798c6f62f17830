import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "@jest/globals";
import type { Refusal } from "../../../src/http/refusal.js";
import { authorize } from "../../../src/policies/authorize.js";
import { when } from "../../../src/policies/combine.js";
import { concurrency } from "../../../src/policies/concurrency.js";
import { knownLength } from "../../../src/policies/known-length.js";
import type { Limiter } from "../../../src/policies/limiter.js";
import { mediaTypes } from "../../../src/policies/media-types.js";
import type { Policy, Upload } from "../../../src/policies/policy.js";
import { preconditions } from "../../../src/policies/preconditions.js";
import { quota } from "../../../src/policies/quota.js";

const REQ = { method: "PUT", headers: { "if-match": "*" } } as unknown as IncomingMessage;
const MALFORMED_REQ = { method: "PUT", headers: { "if-match": "x" } } as unknown as IncomingMessage;

const uploadOf = (length: number | undefined) =>
  ({ length, limitBytes() {}, onClose() {}, report() {} }) as unknown as Upload;

const down = () => Promise.reject(new Error("down"));
const limiter: Limiter = { points: 100, duration: 60, consume: down, get: down, penalty: down, reward: down };
const key = () => "key";

/** A policy with one upload in flight. */
function busy(): Policy {
  const policy = concurrency({ limit: 1 });
  void policy(REQ, uploadOf(1));
  return policy;
}

describe("the reason of a refusal", () => {
  test.each<[policy: Policy, req: IncomingMessage, length: number | undefined, status: number, reason: string]>([
    [knownLength(), REQ, undefined, 411, "Content-Length is required"],
    [busy(), REQ, 1, 503, "too many uploads at the same time"],
    [authorize(() => false, { challenge: "Bearer" }), REQ, 1, 401, "credentials are required"],
    [authorize(() => "forbidden", { challenge: "Bearer" }), REQ, 1, 403, "these credentials do not allow it"],
    [preconditions(() => undefined), REQ, 1, 412, "a precondition does not hold"],
    [preconditions(() => undefined), MALFORMED_REQ, 1, 400, "If-Match or If-None-Match is not a list of entity tags"],
    [quota({ limiter, key }), REQ, undefined, 411, "Content-Length is required"],
    [quota({ limiter, key }), REQ, 1, 503, "the upload budget cannot be read at present"],
  ])("by %p is in plain words", async (policy, req, length, status, reason) => {
    expect(await policy(req, uploadOf(length))).toMatchObject({ status, reason });
  });

  test("by quota says what its reserve is", () => {
    const refusals: Refusal[] = [];
    const upload = {
      ...uploadOf(undefined),
      limitBytes: (_: number, refusal: Refusal) => void refusals.push(refusal),
    } as Upload;
    void quota({ limiter, key, unknownLengthCost: 50 })(REQ, upload);
    expect(refusals).toMatchObject([
      { status: 413, reason: "larger than the 50 bytes allowed for content of unknown length" },
    ]);
  });
});

describe("a callback that answers nothing is named, and what it should answer", () => {
  const nothing = (() => undefined) as never;
  test.each<[policy: Policy, message: string]>([
    [
      authorize(nothing, { challenge: "Bearer" }),
      'authorize(verify): answered undefined; expected true, false, "forbidden" or refuse(status)',
    ],
    [when(nothing, knownLength()), "when(predicate): answered undefined; expected true or false"],
    [concurrency({ limit: 1, key: nothing }), "concurrency({ key }): answered undefined; expected a string"],
    [quota({ limiter, key: nothing }), "quota({ key }): answered undefined; expected a string that is not empty"],
    [
      quota({ limiter, key, cost: nothing }),
      "quota({ cost }): answered undefined; expected a whole number of points, 0 or more",
    ],
    [
      preconditions((() => 5) as never),
      'preconditions(lookup): answered 5; expected nothing, or { etag: "\\"…\\"", lastModified: Date }',
    ],
  ])("%p", (policy, message) => {
    expect(() => policy(REQ, uploadOf(1))).toThrow(expect.objectContaining({ code: "ERR_EXPECT_POLICY", message }));
  });
});

test("an entity tag is text", () => {
  const policy = preconditions(() => ({ etag: ['"a"'] }) as never);
  expect(() => policy(REQ, uploadOf(1))).toThrow(/^preconditions\(lookup\): answered object; expected nothing, or /);
});

describe("a wrong option is named, and what is right", () => {
  test.each<[make: () => unknown, message: string]>([
    [
      () => authorize(undefined as never, { challenge: "Bearer" }),
      "authorize(verify): received undefined; expected a function",
    ],
    [
      () => authorize(() => true, { challenge: "" }),
      'authorize({ challenge }): received ""; expected a challenge, such as "Bearer" or \'Basic realm="uploads"\'',
    ],
    [
      () => mediaTypes([["a/b"]] as never),
      'mediaTypes(types)[0]: received an array; expected "type/subtype", "type/*" or "+suffix"',
    ],
    [() => preconditions(undefined as never), "preconditions(lookup): received undefined; expected a function"],
    [
      () => quota({ limiter: { ...limiter, reward: undefined } as never, key }),
      "quota({ limiter }): received an object; expected a limiter of rate-limiter-flexible, such as a RateLimiterMemory",
    ],
    [
      () => quota({ limiter: { ...limiter, points: -1 }, key }),
      "quota({ limiter }).points: received -1; expected a whole number from 0 to 999999999999999",
    ],
    [
      () => quota({ limiter: { ...limiter, execEvenly: true }, key }),
      "quota({ limiter }).execEvenly: received true; expected false, because it would delay each verdict",
    ],
    [
      () => quota({ limiter, key: "me" as never }),
      'quota({ key }): received "me"; expected a function that returns the budget\'s key',
    ],
    [
      () => quota({ limiter, key, cost: "byte" as never }),
      'quota({ cost }): received "byte"; expected "bytes", "requests" or a function',
    ],
    [
      () => quota({ limiter, key, name: "é" }),
      'quota({ name }): received "é"; expected 1 to 64 printable ASCII characters without quotes and backslashes',
    ],
    [
      () => quota({ limiter, key, name: 5 as never }),
      "quota({ name }): received 5; expected 1 to 64 printable ASCII characters without quotes and backslashes",
    ],
    [
      () => quota({ limiter, key, onStoreError: "x" as never }),
      'quota({ onStoreError }): received "x"; expected "refuse" or "accept"',
    ],
  ])("%#", (make, message) => {
    expect(make).toThrow(expect.objectContaining({ code: "ERR_EXPECT_OPTION", message }));
  });

  test("the largest budget is accepted", () => {
    expect(() => quota({ limiter: { ...limiter, points: 999_999_999_999_999 }, key })).not.toThrow();
  });
});
