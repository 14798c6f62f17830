import { copied } from "../report/text-copy.js";

const LONGEST_VALUE = 256;

/** Returns a record whose texts are short copies, because a slice keeps the whole text in memory. */
export function shortened(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const values = Object.entries(record).map(([key, value]): [string, unknown] => {
    return [key, typeof value === "string" ? copied(value.slice(0, LONGEST_VALUE)) : value];
  });
  return Object.fromEntries(values);
}
