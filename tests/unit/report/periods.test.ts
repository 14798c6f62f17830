import { describe, expect, test } from "@jest/globals";
import { Periods } from "../../../src/report/periods.js";

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 22);

function summaryOf(times: readonly number[], most?: number) {
  const periods = new Periods(most);
  for (const time of times) periods.at(time).refused++;
  return periods.summary();
}

/** A number of times, a minute apart. */
function minutes(count: number, from = NOW): number[] {
  return Array.from({ length: count }, (_, i) => from + i * 60_000);
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

describe("times of wrong clocks are counted apart", () => {
  const good = minutes(100);
  const clean = summaryOf(good);
  test.each<[string, number[]]>([
    ["1970", [5_000]],
    ["2099", [Date.UTC(2099, 0)]],
    ["both", [5_000, Date.UTC(2099, 0)]],
    ["a year ago", [NOW - 365 * DAY]],
    ["31 days ago", [NOW - 31 * DAY]],
    ["a quarter as many", minutes(25, 0 + DAY)],
  ])("%s", (_what, odd) => {
    const expected = { count: odd.length, from: iso(Math.min(...odd)), to: iso(Math.max(...odd)) };
    // Wherever they come.
    for (const times of [
      [...good, ...odd],
      [...odd, ...good],
      [...good.slice(0, 50), ...odd, ...good.slice(50)],
    ]) {
      expect(summaryOf(times)).toEqual({ ...clean, oddTimes: expected });
    }
  });
});

test.each<[string, number[]]>([
  ["29 days apart", [NOW, ...minutes(100, NOW + 29 * DAY)]],
  ["many on both sides", [...minutes(100, 0 + DAY), ...minutes(100)]],
  ["few records in all", [DAY, NOW]],
  ["a third as many", [...minutes(30, 0 + DAY), ...minutes(100)]],
  ["one between others", [...minutes(100), NOW + 400 * DAY, ...minutes(90, NOW + 800 * DAY)]],
  ["months that fill up later", [NOW, ...minutes(9, NOW + 50 * DAY), NOW + 25 * DAY]],
])("times are shown: %s", (_what, times) => {
  const { from, to, overTime, oddTimes } = summaryOf(times);
  expect(oddTimes).toBeUndefined();
  expect([from, to]).toEqual([iso(Math.min(...times)), iso(Math.max(...times))]);
  expect(overTime.buckets.reduce((sum, { refused }) => sum + refused, 0)).toBe(times.length);
});

test("nothing has no time", () => {
  expect(summaryOf([])).toEqual({ overTime: { stepMs: 1_000, buckets: [] } });
});

test("any number of wrong clocks takes bounded memory, and no record is lost", () => {
  const random = Array.from({ length: 5_000 }, (_, i) => ((i * 7_919) % 8_000) * 31 * DAY);
  const { overTime, oddTimes } = summaryOf([...random, ...minutes(50_000)], 120);
  const shown = overTime.buckets.reduce((sum, { refused }) => sum + refused, 0);
  expect(shown + (oddTimes?.count ?? 0)).toBe(55_000);
  expect(overTime.buckets.length).toBeLessThanOrEqual(120);
});
