import { describe, expect, test } from "@jest/globals";
import { viewOf, wholeRange, within } from "../../../src/pages/browser/report/columns.js";
import { Timeline } from "../../../src/report/timeline.js";
import fc from "../../helpers/properties.js";

const START = Date.UTC(2026, 10, 22, 8);

/** A time line with one refusal at each of the offsets, in milliseconds. */
function overTimeOf(offsets: readonly number[]) {
  const timeline = new Timeline();
  for (const offset of offsets) timeline.at(START + offset).refused++;
  return timeline.overTime();
}

const offsets = fc.array(fc.nat(40 * 86_400_000), { minLength: 1, maxLength: 80 });

describe("the columns of a chart", () => {
  test("hold every decision of the range once, in round steps without overlap", () => {
    fc.assert(
      fc.property(offsets, fc.integer({ min: 8, max: 400 }), (times, most) => {
        const overTime = overTimeOf(times);
        const whole = wholeRange(overTime);
        const { columns, stepMs } = viewOf(overTime, whole, most);
        expect(columns.reduce((sum, { refused }) => sum + refused, 0)).toBe(times.length);
        expect(stepMs % overTime.stepMs).toBe(0);
        columns.forEach(({ at }, i) => {
          expect(at % stepMs).toBe(0);
          if (i > 0) expect(at).toBe((columns[i - 1]?.at ?? 0) + stepMs);
        });
        // A column at either end may lie half outside.
        expect(columns.length).toBeLessThanOrEqual(most + 2);
      }),
    );
  });

  test("are finer the shorter the range is, down to the buckets of the report", () => {
    const overTime = overTimeOf(Array.from({ length: 1_440 }, (_, i) => i * 60_000));
    const { from, to } = wholeRange(overTime);
    const steps = [1, 4, 24, 96].map((part) => viewOf(overTime, { from, to: from + (to - from) / part }, 160).stepMs);
    expect(steps).toEqual([600_000, 300_000, 60_000, 60_000]);
  });
});

describe("a range", () => {
  test("lies within the report, and is long enough to show something", () => {
    fc.assert(
      fc.property(
        offsets,
        fc.integer({ min: -1e10, max: 1e10 }),
        fc.integer({ min: 0, max: 1e10 }),
        (times, at, ms) => {
          const overTime = overTimeOf(times);
          const whole = wholeRange(overTime);
          const { from, to } = within({ from: START + at, to: START + at + ms }, overTime);
          expect(from).toBeGreaterThanOrEqual(whole.from);
          expect(to).toBeLessThanOrEqual(whole.to);
          expect(to - from).toBeGreaterThanOrEqual(Math.min(4 * overTime.stepMs, whole.to - whole.from));
        },
      ),
    );
  });
});
