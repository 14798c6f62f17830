import { cut } from "./text-copy.js";

const YEAR_10000_MS = 253_402_300_800_000;

// Each unit ends where its number would be a time before March 1973 in the next one.
const MS_AFTER = 1e11;
const US_AFTER = 1e14;
const NS_AFTER = 1e17;

// RFC 3339, with a space, a comma, an offset without colon or no offset, as loggers write it.
const ISO =
  /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9}))?(?: ?(Z|UTC|GMT|[+-]\d\d):?(\d\d)?)?(?: UTC)?$/i;
const NUMBER = /^\d{9,20}(?:\.\d+)?$/;
const HAS_ZONE = /(?:Z|UTC|GMT|:\d\d.*[+-]\d\d:?\d\d)(?: ?\(.*\))?$/i;

/**
 * Reads the time of a log record: seconds, milliseconds, microseconds or nanoseconds since 1970, or text such as ISO
 * 8601. Text without a zone is UTC.
 *
 * @returns milliseconds since 1970; `undefined` if the value is not a time.
 */
export function timeFrom(value: unknown): number | undefined {
  const time = typeof value === "string" ? textTime(cut(value, 64)) : typeof value === "number" ? numberTime(value) : 0;
  return time > 0 && time < YEAR_10000_MS ? Math.floor(time) : undefined;
}

function numberTime(value: number): number {
  if (value < MS_AFTER) return value * 1_000;
  if (value < US_AFTER) return value;
  return value < NS_AFTER ? value / 1_000 : value / 1_000_000;
}

function textTime(text: string): number {
  const time = isoTime(text);
  if (time !== undefined) return time;
  if (NUMBER.test(text)) return numberTime(Number(text));
  return Date.parse(HAS_ZONE.test(text) ? text : `${text} UTC`);
}

/**
 * Reads a date with a time, as ISO 8601 and loggers write it. Without a zone it is UTC.
 *
 * @returns milliseconds since 1970, NaN if there is no such time; `undefined` for another text.
 */
export function isoTime(text: string): number | undefined {
  const [, date, clock, fraction = "", zone = "Z", minutes = "00"] = ISO.exec(text) ?? [];
  if (date === undefined) return undefined;
  const offset = /^[+-]/.test(zone) ? `${zone}:${minutes}` : "Z";
  return Date.parse(`${date}T${clock}${clock?.length === 5 ? ":00" : ""}.${fraction.padEnd(3, "0")}${offset}`);
}
