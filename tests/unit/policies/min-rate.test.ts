import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "@jest/globals";
import { type MinRateOptions, minRate } from "../../../src/policies/min-rate.js";
import type { Upload } from "../../../src/policies/policy.js";
import { ExpectationError } from "../../../src/support/errors.js";

const REQ = { headers: {} } as IncomingMessage;

/** An upload, and the rates that are required of it. */
function uploadOf(length: number | undefined) {
  const rates: unknown[] = [];
  const requireRate = (...rate: number[]) => void rates.push(rate);
  return { rates, upload: { length, requireRate } as unknown as Upload };
}

describe("minRate", () => {
  test.each<[length: number | undefined, options: MinRateOptions | undefined, rates: unknown[]]>([
    [5, undefined, [[500, 20_000]]],
    [undefined, {}, [[500, 20_000]]],
    [5, { graceMs: 1 }, [[500, 1]]],
    [0, undefined, []],
  ])("of a length of %p with %p accepts, and requires %p", (length, options, rates) => {
    const { upload, rates: required } = uploadOf(length);
    expect(minRate(500, options)(REQ, upload)).toBe(true);
    expect(required).toEqual(rates);
  });

  test.each<[args: unknown[], message: RegExp]>([
    ...[undefined, null, 0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "500", 500n, {}, [500]].map(
      (value): [unknown[], RegExp] => [
        [value],
        /^minRate\(bytesPerSecond\): received .*; expected a whole number from 1$/,
      ],
    ),
    ...[null, 0, -1, 1.5, Number.NaN, 2 ** 31, "1", true].map((graceMs): [unknown[], RegExp] => [
      [1, { graceMs }],
      /^minRate\(\{ graceMs \}\): received .*; expected a whole number from 1 to 2147483647$/,
    ]),
    [[1, null], /^minRate\(options\): received null; expected an object$/],
    [[1, 20_000], /^minRate\(options\): received 20000; expected an object$/],
    [[1, { grace: 1 }], /^minRate\(options\): unknown option "grace"; did you mean graceMs\?$/],
  ])("throws for %p", (args, message) => {
    const make = () => minRate(...(args as [number, object]));
    expect(make).toThrow(ExpectationError);
    expect(make).toThrow(message);
    expect(make).toThrow(expect.objectContaining({ code: "ERR_EXPECT_OPTION" }));
  });
});
