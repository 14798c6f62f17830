import type { Bucket, Summary } from "../../report/summary.js";
import { wrap } from "../wrap.js";
import type { TextOptions } from "./text-options.js";
import { countText, durationText, timeText } from "./units.js";

const MARKS = "▁▂▃▄▅▆▇█";

/** Writes a bar chart of the refusals over time: title, bars, scale. */
export function timeLines({ overTime }: Summary, { width, paint }: TextOptions): string[] {
  const { buckets, stepMs } = overTime;
  if (buckets.length < 2) return [];
  const perMark = Math.ceil(buckets.length / width);
  const counts: number[] = [];
  buckets.forEach(({ refused, errors }, i) => {
    const mark = Math.floor(i / perMark);
    counts[mark] = (counts[mark] ?? 0) + refused + errors;
  });
  const most = Math.max(...counts);
  const line = counts.map((count) => (count === 0 ? " " : MARKS[Math.ceil((count / most) * 8) - 1])).join("");
  const minute = (bucket: Bucket | undefined) => timeText(bucket?.at ?? "").slice(0, 16);
  const [begin, end] = [minute(buckets[0]), minute(buckets.at(-1))];
  const title = `Over time: each mark ${durationText(stepMs * perMark)}, the highest ${countText(most)}`;
  const gap = " ".repeat(Math.max(counts.length - 32, 2));
  const scale = 34 <= width ? [`${begin}${gap}${end}`] : [begin, end];
  return [
    ...wrap(title, width, "", "  ").map((each) => paint("bold", each)),
    line,
    ...scale.map((each) => paint("dim", each)),
  ];
}
