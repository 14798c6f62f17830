import { describe, expect, test } from "@jest/globals";
import { ExpectationError, silent } from "../../../src/index.js";
import { holdExpectation } from "../../../src/proxies/relay.js";

describe("holdExpectation({ … })", () => {
  test.each([
    ["an unknown option", { originTimeout: 1 }, /did you mean originTimeoutMs\?/],
    ["a time that is none", { originTimeoutMs: 0 }, /originTimeoutMs/],
    ["a logger that is none", { logger: {} }, /logger/],
    ["what is no object", 5, /expected an object/],
  ])("refuses %s", (_what, options, message) => {
    const make = () => holdExpectation(options as never);
    expect(make).toThrow(ExpectationError);
    expect(make).toThrow(message);
    expect(make).toThrow(expect.objectContaining({ code: "ERR_EXPECT_OPTION" }));
  });

  test("makes a middleware that is named in stacks", () => {
    expect(holdExpectation({ logger: silent }).name).toBe("expectationHold");
    expect(holdExpectation().length).toBe(3);
  });
});
