import { type Decision, decisionFrom } from "../decision.js";

/** A line of a log: a record of this package, other JSON, or not a JSON object. */
export type Line = Decision | "foreign" | "malformed";

/** The beginning of the value of `event` in every record of this package. */
export const EVENT: Buffer = Buffer.from('"expectation.');

const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Reads a line that contains {@link EVENT}. */
export function lineFrom(text: string): Line {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "malformed";
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "malformed";
  return decisionFrom(value as Record<string, unknown>) ?? "foreign";
}

/**
 * Tells JSON objects of other software from other lines, by their first and last byte alone.
 *
 * Logs consist mostly of such lines, and nothing in them is needed.
 */
export function otherLine(bytes: Uint8Array, from: number, end: number): "foreign" | "malformed" {
  let first = from;
  let last = end - 1;
  while (first < last && isSpace(bytes[first] as number)) first++;
  while (last > first && isSpace(bytes[last] as number)) last--;
  return bytes[first] === OPEN_BRACE && bytes[last] === CLOSE_BRACE && last > first ? "foreign" : "malformed";
}

/** Returns whether a byte is white space of JSON (RFC 8259 §2). */
export function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}
