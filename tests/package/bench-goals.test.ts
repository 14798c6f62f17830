import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";

const ROOT = join(__dirname, "../..");
const GUARD = "package, attach({ guard })";

interface Miss {
  readonly line: string;
  readonly text: string;
  readonly isTimed: boolean;
}

/** Results of refusals: bare Node takes 100 µs in each round, and the guard so many times as much. */
function results(ratios: readonly number[], bodyBytes = 0) {
  const slots = (each: readonly number[]) => each.map((ratio) => ({ cpuUs: ratio * 100, perSecond: 1 }));
  const same = slots(ratios.map(() => 1));
  const refuse = {
    "bare node": { slots: same },
    "bare node, again": { slots: same },
    [GUARD]: { slots: slots(ratios), bodyBytes, seen: 1 },
  };
  return { lines: { 26: { workloads: { refuse } } } };
}

function missesOf(found: object, table?: object): Miss[] {
  const program = `
    import { missesOf } from ${JSON.stringify(`file://${join(ROOT, "bench/goals.mjs")}`)};
    const [found, table] = JSON.parse(process.argv[1]);
    console.log(JSON.stringify(missesOf(found, table ?? undefined)));
  `;
  const input = JSON.stringify([found, table ?? null]);
  return JSON.parse(
    execFileSync(process.execPath, ["--input-type=module", "-e", program, input], { encoding: "utf8" }),
  );
}

const always = (ratio: number) => Array.from({ length: 9 }, () => ratio);

describe("the goals of the bench", () => {
  test("are missed in a whole run by a median beyond them", () => {
    expect(missesOf(results(always(1.05)))).toEqual([]);
    const [miss, ...others] = missesOf(results(always(1.3)));
    expect(miss).toMatchObject({ line: "26", isTimed: true, text: expect.stringContaining("1.30, goal 1.1") });
    expect(others).toEqual([]);
  });

  test("are missed in a short run by what is slower than the table", () => {
    const table = results(always(1.3));
    expect(missesOf(results(always(1.3)), table)).toEqual([]);
    expect(missesOf(results(always(1.5)), table)).toHaveLength(1);
    // The table has no such figure: the goal holds.
    expect(missesOf(results(always(1.3)), { lines: { 26: { workloads: {} } } })).toHaveLength(1);
    // The table is better than the goal.
    expect(missesOf(results(always(1.08)), results(always(0.9)))).toEqual([]);
  });

  test("are not missed in a short run whose rounds say different things", () => {
    const noisy = [0.9, 1.2, 1.25, 1.6, 1.7, 1.8, 1.9, 2, 2.1];
    expect(missesOf(results(noisy), results(always(1.3)))).toEqual([]);
  });

  test("that are counted are missed whatever the time says", () => {
    const [miss] = missesOf(results(always(1), 1), results(always(1)));
    expect(miss).toMatchObject({ isTimed: false, text: expect.stringContaining("1 bytes of content were sent") });
  });
});
