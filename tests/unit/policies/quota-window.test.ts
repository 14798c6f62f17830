import { describe, expect, test } from "@jest/globals";
import { isSameWindow, mayHaveEnded, windowOf } from "../../../src/policies/quota-window.js";

const SOON_MS = 50;
const LATE_MS = 60_000;

describe("a window", () => {
  test("ends between what the store said when it was asked and when it answered", () => {
    const askedAt = performance.now() - 20;
    const { earliest, latest } = windowOf(askedAt, 1_000);
    expect(earliest).toBe(askedAt + 1_000);
    expect(latest).toBeGreaterThanOrEqual(earliest + 20);
    expect(latest).toBeLessThanOrEqual(performance.now() + 1_000);
  });

  test("of negative length never ends", () => {
    const forever = windowOf(performance.now(), -1);
    expect(forever).toEqual({ earliest: Number.POSITIVE_INFINITY, latest: Number.POSITIVE_INFINITY });
    expect(mayHaveEnded(forever)).toBe(false);
    expect(isSameWindow(forever, forever)).toBe(true);
  });

  test("may have ended a little before its end", () => {
    expect(mayHaveEnded(windowOf(performance.now(), LATE_MS))).toBe(false);
    expect(mayHaveEnded(windowOf(performance.now(), SOON_MS))).toBe(true);
    expect(mayHaveEnded(windowOf(performance.now(), 0))).toBe(true);
  });

  test.each([
    [100, 200, true],
    [300, 400, true],
    [301, 400, false],
    [0, 0, true],
    [-1, -1, false],
  ])("from 100 to 200 may be the one from %d to %d: %s", (earliest, latest, isSame) => {
    const window = { earliest: 100, latest: 200 };
    expect(isSameWindow(window, { earliest, latest })).toBe(isSame);
    expect(isSameWindow({ earliest, latest }, window)).toBe(isSame);
  });
});
