import type { Summary } from "./summary.js";
import { type Counts, Timeline } from "./timeline.js";

const DAY = 86_400_000;
/** Times that are further apart are in different periods. */
const GAP_MS = 30 * DAY;
/** A period is odd if another has so many times as many records. */
const FEW = 4;
const MOST_PERIODS = 16;

interface Period {
  from: number;
  to: number;
  count: number;
  timeline: Timeline;
}

/** What is known about time: the first and the last one, the counts over time, and times that are odd. */
type TimeSummary = Pick<Summary, "from" | "to" | "overTime" | "oddTimes">;

/**
 * Counts over time, and keeps times apart that a wrong clock has made.
 *
 * A few records from 1970 would otherwise stretch a chart of one day to decades.
 */
export class Periods {
  readonly #most: number | undefined;
  #periods: Period[] = [];
  #current: Period | undefined;

  /** @param most - buckets. */
  constructor(most?: number) {
    this.#most = most;
  }

  /** Returns the counts of the bucket for a time, to add to. */
  at(time: number): Counts {
    let period = this.#current;
    if (!period || !isNear(period, time)) {
      period = this.#periods.find((one) => isNear(one, time)) ?? this.#begin(time);
      this.#current = period;
    }
    if (time < period.from) period.from = time;
    if (time > period.to) period.to = time;
    period.count++;
    return period.timeline.at(time);
  }

  /** Returns the sums so far. */
  summary(): TimeSummary {
    const groups = grouped(this.#periods);
    const most = Math.max(...groups.map(countOf));
    const usual = groups.filter((group) => countOf(group) * FEW > most).flat();
    const from = Math.min(...usual.map((period) => period.from));
    const to = Math.max(...usual.map((period) => period.to));
    // One that lies between others stretches nothing.
    const odd = this.#periods.filter((period) => period.to < from || period.from > to);
    const shown = this.#periods.filter((period) => !odd.includes(period));
    return {
      ...(shown.length > 0 && { from: isoTime(from), to: isoTime(to) }),
      overTime: this.#joined(shown).overTime(),
      ...(odd.length > 0 && {
        oddTimes: {
          count: countOf(odd),
          from: isoTime(Math.min(...odd.map((period) => period.from))),
          to: isoTime(Math.max(...odd.map((period) => period.to))),
        },
      }),
    };
  }

  #begin(time: number): Period {
    if (this.#periods.length >= MOST_PERIODS) this.#joinNearest();
    const period = { from: time, to: time, count: 0, timeline: new Timeline(this.#most) };
    this.#periods.push(period);
    return period;
  }

  #joinNearest(): void {
    const sorted = this.#periods.toSorted((a, b) => a.from - b.from);
    const gaps = sorted.slice(1).map(({ from }, i) => from - (sorted[i] as Period).to);
    const at = gaps.indexOf(Math.min(...gaps));
    const pair = sorted.splice(at, 2);
    const [first, second] = pair as [Period, Period];
    const to = Math.max(first.to, second.to);
    const timeline = this.#joined(pair);
    this.#periods = [...sorted, { from: first.from, to, count: countOf(pair), timeline }];
    this.#current = undefined;
  }

  #joined(periods: readonly Period[]): Timeline {
    const [only] = periods;
    if (only && periods.length === 1) return only.timeline;
    const joined = new Timeline(this.#most);
    for (const { at, ...added } of periods.flatMap(({ timeline }) => timeline.overTime().buckets)) {
      if (!Object.values(added).some((count) => count > 0)) continue;
      const counts = joined.at(Date.parse(at));
      for (const key of Object.keys(counts) as (keyof Counts)[]) counts[key] += added[key];
    }
    return joined;
  }
}

function isNear({ from, to }: Period, time: number): boolean {
  return time >= from - GAP_MS && time <= to + GAP_MS;
}

// Periods that have grown together are one group.
function grouped(periods: readonly Period[]): Period[][] {
  const groups: Period[][] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const period of periods.toSorted((a, b) => a.from - b.from)) {
    if (period.from > end + GAP_MS) groups.push([]);
    groups.at(-1)?.push(period);
    end = Math.max(end, period.to);
  }
  return groups;
}

function countOf(periods: readonly Period[]): number {
  return periods.reduce((sum, { count }) => sum + count, 0);
}

function isoTime(time: number): string {
  return new Date(time).toISOString();
}
