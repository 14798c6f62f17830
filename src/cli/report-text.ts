import type { Bucket, Question, Rows, Summary, Suspect } from "../report/summary.js";
import { type Column, tableLines, widthOfColumn } from "./report-table.js";
import { bytesText, countText, durationText, shareText, timeText } from "./report-units.js";
import type { Paint } from "./terminal.js";
import { wrap } from "./wrap.js";

/** How the text is to be written. */
export interface TextOptions {
  /** Columns of the terminal. */
  readonly width: number;
  readonly paint: Paint;
}

const TABLES: readonly (readonly [Question, string])[] = [
  ["status", "Status"],
  ["policy", "Policy"],
  ["software", "Client software"],
  ["client", "Address"],
  ["route", "Route"],
  ["expectation", "Expectation"],
  ["method", "Method"],
  ["httpVersion", "HTTP version"],
];

const LEAST_WIDTH = 32;
const WIDEST_KEY = 48;
const WIDEST_SENTENCE = 100;

/** The summary for people: totals, one table for each question, what is known about the clients. */
export function reportText(summary: Summary, { width: columns, paint }: TextOptions): string {
  const options = { width: Math.max(columns, LEAST_WIDTH), paint };
  const isEmpty = summary.refused + summary.errors === 0;
  const parts = isEmpty
    ? [["Nothing was refused.", ...omittedSentence(summary)]]
    : [
        headLines(summary, options),
        timeLines(summary, options),
        ...tables(summary, options),
        suspectLines(summary.suspects, options),
      ];
  return `${[...parts, readLines(summary, options)]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function headLines(summary: Summary, { width, paint }: TextOptions): string[] {
  const { refused, errors, bytesSpared, from, to, durationMs } = summary;
  const faults = errors === 0 ? "" : `, ${countText(errors)} ${errors === 1 ? "fault" : "faults"}`;
  const head = `${countText(refused)} refused${faults}, ${bytesText(bytesSpared)} not sent`;
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
    ...[...sentences, ...omittedSentence(summary)].flatMap((sentence) => wrap(sentence, width, "", "  ")),
  ];
}

function omittedSentence({ omitted }: Summary): string[] {
  return omitted === 0 ? [] : [`${countText(omitted)} more left out of the log by sampling`];
}

const MARKS = "▁▂▃▄▅▆▇█";

function timeLines({ overTime }: Summary, { width, paint }: TextOptions): string[] {
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

function tables(summary: Summary, { width, paint }: TextOptions): string[][] {
  const all = TABLES.map(([question, title]) =>
    columnsOf(title, summary.by[question], summary.refused + summary.errors),
  );
  // One width for all, so that numbers stand below numbers.
  const keyWidth = Math.min(Math.max(...all.map(([keys]) => widthOfColumn(keys as Column))), WIDEST_KEY);
  return all.map((columns) => {
    const [head = "", ...lines] = tableLines(columns, width, keyWidth);
    return [paint("bold", head), ...lines];
  });
}

function columnsOf(title: string, { rows, others }: Rows, all: number): Column[] {
  const counts = [...rows.map(({ count }) => count), ...(others > 0 ? [others] : [])];
  return [
    { head: title, cells: [...rows.map(({ key }) => key), ...(others > 0 ? ["(all others)"] : [])] },
    { head: "refused", cells: counts.map(countText) },
    { head: "share", cells: counts.map((count) => shareText(count, all)) },
    { head: "not sent", cells: rows.map(({ bytesSpared }) => bytesText(bytesSpared)) },
    { head: "last (UTC)", cells: rows.map(({ lastAt }) => (lastAt === undefined ? "" : timeText(lastAt))) },
  ];
}

function suspectLines(suspects: readonly Suspect[], { width, paint }: TextOptions): string[] {
  if (suspects.length === 0) return [];
  const sentences = Math.min(width, WIDEST_SENTENCE);
  const title = "What is known about these clients, and what to change on their side";
  const lines = wrap(title, sentences, "", "  ").map((line) => paint("bold", line));
  for (const { name, count, statuses, bytesSpared, known, change } of suspects) {
    const by = Object.entries(statuses)
      .map(([status, times]) => `${status}: ${countText(times)}`)
      .join(", ");
    const head = `${name}: ${countText(count)} refused (${by}), ${bytesText(bytesSpared)} not sent`;
    lines.push("", ...wrap(head, sentences, "", "  ").map((line) => paint("bold", line)));
    for (const sentence of known) lines.push(...wrap(sentence, sentences, "  - ", "    "));
    for (const step of change) {
      lines.push(...wrap(step, sentences, "  > ", "    ").map((line) => paint("cyan", line)));
    }
  }
  return lines;
}

function readLines({ read }: Summary, { width, paint }: TextOptions): string[] {
  if (!read) return [];
  const { bytes, lines, malformed, foreign, outside = 0, untimed = 0, firstMalformed } = read;
  const parts = [`read ${bytesText(bytes)}, ${countText(lines)} ${lines === 1 ? "line" : "lines"}`];
  if (foreign > 0) parts.push(`${countText(foreign)} of them not of this package`);
  if (outside > untimed) parts.push(`${countText(outside - untimed)} records outside the time asked for`);
  if (untimed > 0) parts.push(`${countText(untimed)} records left out because they tell no time`);
  const all = wrap(parts.join(", "), width, "", "  ").map((line) => paint("dim", line));
  if (malformed === 0) return all;
  const where = firstMalformed === undefined ? "" : `, the first is ${firstMalformed}`;
  const warning = `${countText(malformed)} malformed ${malformed === 1 ? "line" : "lines"}${where}`;
  return [...all, ...wrap(warning, width, "", "  ").map((line) => paint("yellow", line))];
}
