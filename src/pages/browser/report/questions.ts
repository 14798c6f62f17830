import type { Question, Row, Rows, Summary } from "../../../report/summary.js";

/** The questions, in the order of their tables, and the heading of each. */
export const QUESTIONS: readonly (readonly [question: Question, heading: string])[] = [
  ["status", "Status"],
  ["policy", "Policy"],
  ["cutOff", "Cut off by"],
  ["software", "Client software"],
  ["network", "Client address"],
  ["route", "Route"],
  ["expectation", "Expectation"],
  ["method", "Method"],
  ["httpVersion", "HTTP version"],
];

/** Returns the only value of a question, if all refusals have the same: a table would have one row. */
export function sameIn(summary: Summary, question: Question): string | undefined {
  const { rows, others } = summary.by[question];
  const [row] = rows;
  // Of the uploads that were cut off, one is worth a table: the others were not.
  if (question === "cutOff" || row === undefined || rows.length > 1 || others > 0) return undefined;
  const { addresses } = row;
  if (addresses !== undefined && addresses.rows.length + addresses.others > 1) return undefined;
  return addresses?.rows[0]?.key ?? row.key;
}

/** Returns a row, and the rows beneath it. A network of one address is that address. */
export function withInner(row: Row): { readonly row: Row; readonly inner: Rows | undefined } {
  const { addresses } = row;
  const [only] = addresses?.rows ?? [];
  if (only && addresses?.rows.length === 1 && addresses.others === 0) return { row: only, inner: undefined };
  return { row, inner: addresses };
}
