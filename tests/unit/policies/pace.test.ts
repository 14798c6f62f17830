import { expect, test } from "@jest/globals";
import { Pace } from "../../../src/policies/pace.js";

test("knows nothing before a place has become free", () => {
  expect(new Pace().secondsUntilFree(0, 1)).toBeUndefined();
});

test.each<[keptMs: number, ahead: number, places: number, seconds: number]>([
  [10_000, 0, 1, 10],
  [10_000, 0, 10, 1],
  [10_000, 9, 10, 10],
  [10_000, 99, 10, 100],
  [10_001, 0, 1, 11],
  [1, 0, 1, 1],
  [0, 5, 1, 1],
  [60_000, 990, 10, 3_600],
])("uploads of %d ms, %d ahead, %d places: %d seconds", (keptMs, ahead, places, seconds) => {
  const pace = new Pace();
  pace.observe(keptMs);
  expect(pace.secondsUntilFree(ahead, places)).toBe(seconds);
});

test("follows uploads that become slower, and is not led astray by one of them", () => {
  const pace = new Pace();
  for (let i = 0; i < 20; i++) pace.observe(1_000);
  pace.observe(10_000);
  expect(pace.secondsUntilFree(0, 1)).toBeLessThan(4);
  for (let i = 0; i < 20; i++) pace.observe(10_000);
  expect(pace.secondsUntilFree(0, 1)).toBeGreaterThan(9);
});
