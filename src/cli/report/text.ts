import { bytesText } from "../../pages/bytes.js";
import type { Summary } from "../../report/summary.js";
import { wrap } from "../wrap.js";
import type { TextOptions } from "./text-options.js";
import { suspectLines } from "./text-suspects.js";
import { sameLines, tables } from "./text-tables.js";
import { timeLines } from "./text-time.js";
import { countText, durationText, sparedText, timeText } from "./units.js";

const LEAST_WIDTH = 32;

/** Writes a summary as text: totals, time, one table for each question, suspects, what was read. */
export function reportText(summary: Summary, { width: columns, paint }: TextOptions): string {
  const options = { width: Math.max(columns, LEAST_WIDTH), paint };
  const isEmpty = summary.refused + summary.errors === 0;
  const parts = isEmpty
    ? [["Nothing was refused.", ...omittedSentence(summary)]]
    : [
        headLines(summary, options),
        timeLines(summary, options),
        ...tables(summary, options),
        sameLines(summary, options),
        suspectLines(summary.suspects, options),
      ];
  return `${[...parts, readLines(summary, options)]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function headLines(summary: Summary, { width, paint }: TextOptions): string[] {
  const { refused, errors, from, to, durationMs } = summary;
  const faults = errors === 0 ? "" : `, ${countText(errors)} ${errors === 1 ? "fault" : "faults"}`;
  const head = `${countText(refused)} refused${faults}, ${sparedText(summary)}`;
  const sentences: string[] = [];
  if (from !== undefined && to !== undefined) sentences.push(`from ${timeText(from)} to ${timeText(to)} UTC`);
  if (durationMs) {
    const { p50, p99, max } = durationMs;
    sentences.push(
      `time to the refusal: median ${durationText(p50)}, 99 % within ${durationText(p99)}, longest ${durationText(max)}`,
    );
  }
  return [
    ...wrap(head, width, "", "  ").map((line) => paint("bold", line)),
    ...[...sentences, ...oddTimesSentence(summary), ...omittedSentence(summary)].flatMap((sentence) =>
      wrap(sentence, width, "", "  "),
    ),
  ];
}

function oddTimesSentence({ oddTimes }: Summary): string[] {
  if (!oddTimes) return [];
  const { count, from, to } = oddTimes;
  const records =
    count === 1
      ? `1 record is from ${timeText(from)}`
      : `${countText(count)} records are from ${timeText(from)} to ${timeText(to)}`;
  return [`${records}, far from all others: a clock may be wrong`];
}

function omittedSentence({ omitted }: Summary): string[] {
  return omitted === 0 ? [] : [`${countText(omitted)} more left out of the log by sampling`];
}

function readLines({ read }: Summary, { width, paint }: TextOptions): string[] {
  if (!read) return [];
  const { bytes, lines, malformed, foreign, outside = 0, untimed = 0, filtered = 0, firstMalformed } = read;
  const parts = [`read ${bytesText(bytes)}, ${countText(lines)} ${lines === 1 ? "line" : "lines"}`];
  if (foreign > 0) parts.push(`${countText(foreign)} of them not of this package`);
  if (outside > untimed) parts.push(`${countText(outside - untimed)} records outside the requested time`);
  if (untimed > 0) parts.push(`${countText(untimed)} records left out because they have no time`);
  if (filtered > 0) parts.push(`${countText(filtered)} records left out by --where`);
  const all = wrap(parts.join(", "), width, "", "  ").map((line) => paint("dim", line));
  if (malformed === 0) return all;
  const where = firstMalformed === undefined ? "" : `, the first is ${firstMalformed}`;
  const warning = `${countText(malformed)} malformed ${malformed === 1 ? "line" : "lines"}${where}`;
  return [...all, ...wrap(warning, width, "", "  ").map((line) => paint("yellow", line))];
}
