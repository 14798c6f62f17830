/** A whole number in groups of three digits. */
export const whole: Intl.NumberFormat = new Intl.NumberFormat("en");
const decimal = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const rough = new Intl.NumberFormat("en", { maximumSignificantDigits: 2 });

/** Returns a number with its noun: `1 line`, `2 lines`. */
export function count(number: number, one: string, many: string): string {
  return `${whole.format(number)} ${number === 1 ? one : many}`;
}

/** Returns a share in percent. */
export function shareText(part: number, all: number): string {
  if (part === 0 || all === 0) return "0%";
  const percent = (100 * part) / all;
  return percent < 1 ? "<1%" : `${Math.round(percent)}%`;
}

/** Returns a duration with its unit. */
export function durationText(ms: number): string {
  return ms >= 1_000 ? `${decimal.format(ms / 1_000)} s` : `${decimal.format(ms)} ms`;
}

const SPANS = { d: 86_400_000, h: 3_600_000, min: 60_000, s: 1_000 };

/** Returns a span of time in its largest unit. */
export function spanText(ms: number): string {
  for (const [unit, length] of Object.entries(SPANS)) {
    if (ms >= length) return `${rough.format(ms / length)} ${unit}`;
  }
  return `${Math.round(ms)} ms`;
}

const DAY: Intl.DateTimeFormatOptions = { day: "numeric", month: "short" };
const CLOCK: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const SECONDS: Intl.DateTimeFormatOptions = { ...CLOCK, second: "2-digit" };

/** `22 Nov` */
export const day: Intl.DateTimeFormat = new Intl.DateTimeFormat("en-GB", DAY);
/** `08:00` */
export const minutes: Intl.DateTimeFormat = new Intl.DateTimeFormat("en-GB", CLOCK);
/** `08:00:12` */
export const seconds: Intl.DateTimeFormat = new Intl.DateTimeFormat("en-GB", SECONDS);
/** `22 Nov, 08:00` */
export const shortMoment: Intl.DateTimeFormat = new Intl.DateTimeFormat("en-GB", { ...DAY, ...CLOCK });
/** `22 Nov 2026, 08:00:12` */
export const moment: Intl.DateTimeFormat = new Intl.DateTimeFormat("en-GB", { ...DAY, year: "numeric", ...SECONDS });
/** `22 Nov 2026, 08:00:12 UTC` */
export const momentWithZone: Intl.DateTimeFormat = new Intl.DateTimeFormat("en-GB", {
  ...DAY,
  year: "numeric",
  ...SECONDS,
  timeZoneName: "short",
});

/** Returns whether two times are on the same day here. */
export function sameDay(a: Date, b: Date): boolean {
  return a.toDateString() === b.toDateString();
}
