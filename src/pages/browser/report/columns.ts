import type { Bucket, Summary } from "../../../report/summary.js";

/** Times in milliseconds since 1970. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** One column of the chart: the sums of one or more buckets. */
export type Column = Omit<Bucket, "at"> & { readonly at: number };

/** What the chart shows of a range. */
export interface View extends Range {
  readonly stepMs: number;
  readonly columns: readonly Column[];
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Lengths of time that are easy to read, in milliseconds. */
export const STEPS: readonly number[] = [
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 7, 14, 28, 364, 728, 3_640, 36_400].map((days) => days * DAY),
];

/** The fewest buckets that a range may hold. */
const LEAST_BUCKETS = 4;

/** Returns the time from the first bucket's beginning to the last one's end. */
export function wholeRange({ buckets, stepMs }: Summary["overTime"]): Range {
  const last = buckets.at(-1);
  return { from: Date.parse(buckets[0]?.at ?? ""), to: Date.parse(last?.at ?? "") + stepMs };
}

/** Returns a range that lies within the whole, and is not too short to show anything. */
export function within(range: Range, overTime: Summary["overTime"]): Range {
  const { from, to } = wholeRange(overTime);
  const least = Math.min(LEAST_BUCKETS * overTime.stepMs, to - from);
  const length = Math.min(Math.max(range.to - range.from, least), to - from);
  const middle = (range.from + range.to) / 2;
  const start = Math.min(Math.max(middle - length / 2, from), to - length);
  return { from: start, to: start + length };
}

/** Joins the buckets of a range to at most `most` columns of a round length. */
export function viewOf(overTime: Summary["overTime"], range: Range, most: number): View {
  const stepMs = stepFor(overTime.stepMs, (range.to - range.from) / most);
  const columns: Column[] = [];
  for (const bucket of overTime.buckets) {
    const begin = Date.parse(bucket.at);
    if (begin + overTime.stepMs <= range.from || begin >= range.to) continue;
    const at = Math.floor(begin / stepMs) * stepMs;
    const last = columns.at(-1);
    if (last?.at === at) columns[columns.length - 1] = joined(last, bucket);
    else columns.push({ ...bucket, at });
  }
  return { ...range, stepMs, columns };
}

function stepFor(bucketMs: number, leastMs: number): number {
  return STEPS.find((step) => step >= leastMs && step % bucketMs === 0) ?? Math.ceil(leastMs / bucketMs) * bucketMs;
}

function joined(a: Column, b: Bucket): Column {
  return {
    at: a.at,
    refused: a.refused + b.refused,
    errors: a.errors + b.errors,
    accepted: a.accepted + b.accepted,
    bytesSpared: a.bytesSpared + b.bytesSpared,
    bytesWithheld: a.bytesWithheld + b.bytesWithheld,
  };
}
