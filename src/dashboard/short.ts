import { copied } from "../report/text-copy.js";

const LONGEST_VALUE = 256;

/** Returns a value of a record; a text as a short copy, because a slice keeps the whole text in memory. */
export function short(value: unknown): unknown {
  return typeof value === "string" ? copied(value.slice(0, LONGEST_VALUE)) : value;
}
