import type { Question, Rows, Summary } from "../../report/summary.js";
import { type Column, tableLines, widthOfColumn } from "./table.js";
import type { TextOptions } from "./text-options.js";
import { bytesText, countText, shareText, timeText } from "./units.js";

const TABLES: readonly (readonly [Question, string])[] = [
  ["status", "Status"],
  ["policy", "Policy"],
  ["cutOff", "Cut off by"],
  ["software", "Client software"],
  ["client", "Address"],
  ["route", "Route"],
  ["expectation", "Expectation"],
  ["method", "Method"],
  ["httpVersion", "HTTP version"],
];

const WIDEST_KEY = 48;

/** Writes one table for each question. */
export function tables(summary: Summary, { width, paint }: TextOptions): string[][] {
  // Most logs have no upload that was cut off.
  const shown = TABLES.filter(([question]) => question !== "cutOff" || summary.by.cutOff.rows.length > 0);
  const all = shown.map(([question, title]) =>
    columnsOf(title, summary.by[question], summary.refused + summary.errors),
  );
  // All tables have the same key width, so that their numbers are aligned.
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
