import { describe, expect, test } from "@jest/globals";
import { refuse, withStatus } from "../../../src/policies/refuse.js";
import { refusalOf } from "../../../src/policies/run.js";

const PROBLEM = { type: "https://example.com/full", title: "Full", free: 5, parts: [{ a: null }] };

describe("the problem members of a refusal", () => {
  test("are kept, as a copy that nobody changes", () => {
    const given = structuredClone(PROBLEM);
    const { problem } = refuse(507, { problem: given });
    given.free = 6;
    expect(problem).toEqual(PROBLEM);
    expect(Object.isFrozen(problem)).toBe(true);
  });

  test("are none unless they are given", () => {
    expect(refuse(507)).not.toHaveProperty("problem.type");
    expect(refuse(507, { problem: {} }).problem).toEqual({});
  });

  test.each<[what: string, problem: unknown, message: RegExp]>([
    ["null", null, /^refuse\(status, \{ problem \}\): received null; expected an object of members$/],
    ["text", "full", /received "full"; expected an object/],
    ["a list", [], /received an array; expected an object/],
    ["a function", () => ({}), /received a function.*; expected an object/],
    ["a date", new Date(0), /expected an object/],
    ["what turns into nothing", { toJSON: () => undefined }, /expected an object/],
    ["a status", { status: 5 }, /^refuse\(status, \{ problem \}\)\.status: received 5; expected no status/],
    ["a type that is no text", { type: 5 }, /^refuse\(status, \{ problem \}\)\.type: received 5; expected text$/],
    ["a title that is no text", { title: null }, /\.title: received null; expected text$/],
    ["a detail that is no text", { detail: {} }, /\.detail: received an object; expected text$/],
    ["an instance that is no text", { instance: [] }, /\.instance: received an array; expected text$/],
    ["what JSON has no text for", { free: 5n }, /^refuse\(status, \{ problem \}\): .*BigInt/],
    ["a circle", circle(), /^refuse\(status, \{ problem \}\): .*circular/i],
  ])("are not %s", (_what, problem, message) => {
    const call = () => refuse(507, { problem } as object);
    expect(call).toThrow(message);
    expect(call).toThrow(expect.objectContaining({ code: "ERR_EXPECT_OPTION" }));
  });

  test("stay with another status", () => {
    const refusal = refuse(507, { reason: "full", headers: { "Retry-After": 5 }, problem: PROBLEM });
    expect(refusalOf(refusal, true, 417)).toEqual({ ...refusal, status: 417 });
    expect(withStatus(refusal, 403, { Via: "1.1 a" })).toEqual({ ...refusal, status: 403, headers: { Via: "1.1 a" } });
  });
});

function circle(): object {
  const members: { self?: object } = {};
  members.self = members;
  return members;
}
