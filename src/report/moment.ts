import { isoTime } from "./record-time.js";

const UNITS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const DURATION = /^(\d{1,9}(?:\.\d{1,3})?)([smhdw])$/;
const DATE = /^\d{4}-\d\d-\d\d/;

/**
 * Reads a time: ISO 8601 (UTC if it names no zone), or a duration before now, such as `24h` or `7d`.
 *
 * @param now - milliseconds since 1970.
 * @returns milliseconds since 1970; `undefined` if the text is not a time.
 */
export function momentFrom(text: string, now: number): number | undefined {
  const ago = DURATION.exec(text);
  if (ago) return now - Number(ago[1]) * (UNITS[ago[2] as string] as number);
  const date = DATE.exec(text)?.[0];
  if (date === undefined || !isDate(date)) return undefined;
  const moment = isoTime(text === date ? `${date}T00:00` : text);
  return Number.isNaN(moment) ? undefined : moment;
}

// Date.parse reads February 30 as March 2.
function isDate(date: string): boolean {
  const midnight = new Date(`${date}T00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(date);
}
