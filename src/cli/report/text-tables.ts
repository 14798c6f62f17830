import { bytesText } from "../../pages/bytes.js";
import type { Question, Row, Rows, Summary } from "../../report/summary.js";
import { wrap } from "../wrap.js";
import { type Column, tableLines, widthOfColumn } from "./table.js";
import type { TextOptions } from "./text-options.js";
import { countText, shareText, timeText } from "./units.js";

const TABLES: readonly (readonly [Question, string])[] = [
  ["status", "Status"],
  ["policy", "Policy"],
  ["cutOff", "Cut off by"],
  ["software", "Client software"],
  ["network", "Address"],
  ["route", "Route"],
  ["expectation", "Expectation"],
  ["method", "Method"],
  ["httpVersion", "HTTP version"],
];

const WIDEST_KEY = 48;

/** Writes one table for each question that has several answers. */
export function tables(summary: Summary, { width, paint }: TextOptions): string[][] {
  const shown = TABLES.filter(([question]) => lineCount(question, summary) > 1);
  const all = shown.map(([question, title]) => columnsOf(title, summary.by[question], summary));
  // All tables have the same key width, so that their numbers are aligned.
  const keyWidth = Math.min(Math.max(...all.map(([keys]) => widthOfColumn(keys as Column))), WIDEST_KEY);
  return all.map((columns) => {
    const [head = "", ...lines] = tableLines(columns, width, keyWidth);
    return [paint("bold", head), ...lines];
  });
}

/** Writes what is the same in all refusals: a table of it would have one row. */
export function sameLines(summary: Summary, { width }: TextOptions): string[] {
  const same = TABLES.flatMap(([question, title]) => {
    if (lineCount(question, summary) !== 1) return [];
    const [line] = listed(summary.by[question].rows);
    return line === undefined || question === "cutOff" ? [] : [`${title} ${line.key}`];
  });
  return same.length === 0 ? [] : wrap(`The same in all: ${same.join(", ")}`, width, "", "  ");
}

// A single upload that was cut off is still worth a table: others were not.
function lineCount(question: Question, summary: Summary): number {
  const { rows, others } = summary.by[question];
  const lines = listed(rows).length + (others > 0 ? 1 : 0);
  return question === "cutOff" && lines === 1 ? 2 : lines;
}

function columnsOf(title: string, { rows, others }: Rows, summary: Summary): Column[] {
  const lines = listed(rows);
  const counts = [...lines.map(({ count }) => count), ...(others > 0 ? [others] : [])];
  const all = summary.refused + summary.errors;
  const hasPushed = summary.bytesSpared > summary.bytesWithheld;
  const notSent = { head: "not sent", cells: lines.map(({ bytesWithheld }) => bytesText(bytesWithheld)) };
  const notReceived = {
    head: "not received",
    cells: lines.map(({ bytesSpared, bytesWithheld }) => bytesText(bytesSpared - bytesWithheld)),
  };
  return [
    { head: title, cells: [...lines.map(({ key }) => key), ...(others > 0 ? ["(all others)"] : [])] },
    { head: "refused", cells: counts.map(countText) },
    { head: "share", cells: counts.map((count) => shareText(count, all)) },
    ...(summary.bytesWithheld > 0 || !hasPushed ? [notSent] : []),
    ...(hasPushed ? [notReceived] : []),
    { head: "last (UTC)", cells: lines.map(({ lastAt }) => (lastAt === undefined ? "" : timeText(lastAt))) },
  ];
}

// A network of one address is shown as that address.
function listed(rows: readonly Row[]): Row[] {
  return rows.flatMap((row) => {
    const { addresses } = row;
    if (addresses === undefined) return [row];
    const [only] = addresses.rows;
    if (only !== undefined && addresses.rows.length === 1 && addresses.others === 0) return [only];
    return [row, ...addresses.rows.map((address) => ({ ...address, key: `  ${address.key}` }))];
  });
}
