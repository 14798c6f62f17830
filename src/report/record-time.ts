import { cut } from "./text-copy.js";

// Smaller numbers are seconds: in milliseconds they would be before March 1973.
const FIRST_MS = 1e11;
const YEAR_10000_MS = 253_402_300_800_000;

/**
 * Reads the time of a log record: milliseconds, seconds, or text such as ISO 8601.
 *
 * @returns milliseconds since 1970; `undefined` if the value is not a time.
 */
export function timeFrom(value: unknown): number | undefined {
  const time =
    typeof value === "string"
      ? Date.parse(cut(value, 64))
      : typeof value === "number" && value < FIRST_MS
        ? value * 1_000
        : value;
  return typeof time === "number" && time > 0 && time < YEAR_10000_MS ? Math.floor(time) : undefined;
}
