import { describe, expect, test } from "@jest/globals";
import { ExpectationError } from "../../../src/support/errors.js";
import { parseSize } from "../../../src/support/size.js";

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("parseSize reads", () => {
  test.each<[value: number | string, bytes: number]>([
    [1, 1],
    [1024, 1024],
    [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    ["1", 1],
    ["1024", 1024],
    ["007", 7],
    ["9007199254740991", Number.MAX_SAFE_INTEGER],
    ["1b", 1],
    ["1kb", 1024],
    ["1kib", 1024],
    ["10mb", 10 * 1024 * 1024],
    ["10mib", 10 * 1024 * 1024],
    ["5MiB", 5 * 1024 * 1024],
    ["1gb", 1024 ** 3],
    ["1GiB", 1024 ** 3],
    ["2tb", 2 * 1024 ** 4],
    ["2tib", 2 * 1024 ** 4],
    ["10 mb", 10 * 1024 * 1024],
    ["1.5kb", 1536],
    ["0.5 gb", 2 ** 29],
    ["1.50 KB", 1536],
  ])("%j as %d bytes", (value, bytes) => {
    expect(parseSize(value, "limit")).toBe(bytes);
  });
});

describe("parseSize throws for", () => {
  test.each<[value: unknown, received: string]>([
    [0, "0"],
    [-1, "-1"],
    [1.5, "1.5"],
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "Infinity"],
    [2 ** 53, "9007199254740992"],
    ["", '""'],
    [" ", '" "'],
    ["0", '"0"'],
    ["0mb", '"0mb"'],
    ["-1mb", '"-1mb"'],
    ["+1mb", '"+1mb"'],
    ["1e9", '"1e9"'],
    ["0x10", '"0x10"'],
    ["1_000", '"1_000"'],
    ["1,5mb", '"1,5mb"'],
    [".5mb", '".5mb"'],
    ["1.mb", '"1.mb"'],
    ["1.2.3mb", '"1.2.3mb"'],
    ["0.5b", '"0.5b"'],
    ["1.5", '"1.5"'],
    ["10  mb", '"10  mb"'],
    ["10\tmb", '"10\\tmb"'],
    [" 10mb", '" 10mb"'],
    ["10mb ", '"10mb "'],
    ["10mb\n", '"10mb\\n"'],
    ["mb", '"mb"'],
    ["ten", '"ten"'],
    ["10m", '"10m"'],
    ["10pb", '"10pb"'],
    ["10mbit", '"10mbit"'],
    ["10 \u212ab", '"10 \u212ab"'],
    ["\u0661mb", '"\u0661mb"'],
    ["9007199254740992", '"9007199254740992"'],
    ["9007199254740991kb", '"9007199254740991kb"'],
    [`${"9".repeat(400)}mb`, '"999'],
    [undefined, "undefined"],
    [null, "null"],
    [true, "true"],
    [10n, "10"],
    [Symbol("mb"), "Symbol(mb)"],
    [{}, "object"],
    [[1024], "an array"],
  ])("%p, and names option, value and what is right", (value, received) => {
    const error = thrownBy(() => parseSize(value, "maxSize(limit)")) as ExpectationError;
    expect(error).toBeInstanceOf(ExpectationError);
    expect(error.code).toBe("ERR_EXPECT_OPTION");
    expect(error.message).toMatch(/^maxSize\(limit\): received /);
    expect(error.message).toContain(received);
    expect(error.message).toContain('expected a positive whole number of bytes, or a size such as "10mb"');
  });

  test("an object that has no text at all", () => {
    expect(thrownBy(() => parseSize(Object.create(null), "limit"))).toMatchObject({ code: "ERR_EXPECT_OPTION" });
  });

  test("a very long text within a millisecond or so", () => {
    const begin = performance.now();
    for (const text of ["1".repeat(1e6), `1.${"1".repeat(1e6)}`, `1${" ".repeat(1e6)}mb`]) {
      expect(thrownBy(() => parseSize(text, "limit"))).toBeInstanceOf(ExpectationError);
    }
    expect(performance.now() - begin).toBeLessThan(500);
  });
});
