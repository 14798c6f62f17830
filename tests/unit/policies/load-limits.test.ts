import { describe, expect, test } from "@jest/globals";
import type { Load } from "../../../src/policies/load.js";
import { type AllowedLoad, LoadLimits } from "../../../src/policies/load-limits.js";

const MIB = 2 ** 20;
const IDLE: Load = { eventLoopDelayMs: 0, eventLoopUtilization: 0, heapBytes: 0, rssBytes: 0 };

function limits(allowed: Partial<AllowedLoad>, recoverAt?: number): LoadLimits {
  const none = {
    maxEventLoopDelayMs: undefined,
    maxEventLoopUtilization: undefined,
    maxHeap: undefined,
    maxRss: undefined,
  };
  return new LoadLimits({ ...none, ...allowed }, recoverAt);
}

test.each<[allowed: Partial<AllowedLoad>, measure: keyof Load, at: number, over: number, reason: string]>([
  [{ maxEventLoopDelayMs: 200 }, "eventLoopDelayMs", 200, 200.6, "event loop late by 201 ms"],
  [{ maxEventLoopUtilization: 0.9 }, "eventLoopUtilization", 0.9, 0.951, "event loop busy for 95 % of the time"],
  [{ maxHeap: 100 * MIB }, "heapBytes", 100 * MIB, 101 * MIB, "heap of 101 MiB"],
  [{ maxRss: 100 * MIB }, "rssBytes", 100 * MIB, 101 * MIB, "resident memory of 101 MiB"],
])("%j is exceeded by more than that, and says by what", (allowed, measure, at, over, reason) => {
  const made = limits(allowed);
  expect(made.exceededBy(IDLE)).toBeUndefined();
  expect(made.exceededBy({ ...IDLE, [measure]: at })).toBeUndefined();
  expect(made.exceededBy({ ...IDLE, [measure]: over })).toBe(reason);
  // Only what has a limit counts.
  const others = Object.fromEntries(Object.keys(IDLE).map((name) => [name, Number.MAX_VALUE])) as unknown as Load;
  expect(limits(allowed).exceededBy({ ...others, [measure]: at })).toBeUndefined();
});

describe("an overload is over", () => {
  test.each<[allowed: Partial<AllowedLoad>, measure: keyof Load, recoverAt: number | undefined, below: number]>([
    [{ maxEventLoopDelayMs: 1_000 }, "eventLoopDelayMs", undefined, 800],
    [{ maxEventLoopUtilization: 0.5 }, "eventLoopUtilization", undefined, 0.4],
    [{ maxHeap: 1_000 }, "heapBytes", undefined, 950],
    [{ maxRss: 1_000 }, "rssBytes", undefined, 950],
    [{ maxRss: 1_000 }, "rssBytes", 1, 1_000],
    [{ maxEventLoopDelayMs: 1_000 }, "eventLoopDelayMs", 0.3, 300],
  ])("%j, by %s and recoverAt %p, at %p", (allowed, measure, recoverAt, below) => {
    const made = limits(allowed, recoverAt);
    const at = (value: number) => made.exceededBy({ ...IDLE, [measure]: value }) !== undefined;
    const between = below * 1.0001;
    expect(at(below)).toBe(false);
    if (recoverAt !== 1) expect(at(between)).toBe(false);
    expect(at(2_000)).toBe(true);
    expect(at(between)).toBe(true);
    expect(at(between)).toBe(true);
    expect(at(below)).toBe(false);
    if (recoverAt !== 1) expect(at(between)).toBe(false);
  });

  test("for each measure by itself: one that was never exceeded does not keep it up", () => {
    const made = limits({ maxEventLoopDelayMs: 100, maxHeap: 1_000 });
    expect(made.exceededBy({ ...IDLE, eventLoopDelayMs: 500, heapBytes: 990 })).toMatch(/^event loop late/);
    expect(made.exceededBy({ ...IDLE, eventLoopDelayMs: 10, heapBytes: 990 })).toBeUndefined();
  });

  test("when all that was exceeded is", () => {
    const made = limits({ maxEventLoopDelayMs: 100, maxHeap: 1_000 });
    expect(made.exceededBy({ ...IDLE, eventLoopDelayMs: 500, heapBytes: 2_000 })).toMatch(/^event loop late/);
    expect(made.exceededBy({ ...IDLE, heapBytes: 990 })).toMatch(/^heap/);
    expect(made.exceededBy({ ...IDLE, eventLoopDelayMs: 90 })).toBeUndefined();
  });
});

test("a load that swings around the limit does not change the verdict with each swing", () => {
  const swing = [190, 210, 185, 205, 170, 220, 165, 201, 150, 190, 199];
  const verdicts = (made: LoadLimits) =>
    swing.map((eventLoopDelayMs) => made.exceededBy({ ...IDLE, eventLoopDelayMs }) !== undefined);
  const changes = (all: boolean[]) => all.filter((verdict, i) => i > 0 && verdict !== all[i - 1]).length;
  expect(changes(verdicts(limits({ maxEventLoopDelayMs: 200 })))).toBe(2);
  expect(changes(verdicts(limits({ maxEventLoopDelayMs: 200 }, 1)))).toBe(8);
});
