import { bytesText } from "../../pages/bytes.js";
import type { Spared } from "../../report/summary.js";

/** Returns bytes that did not come as text: `1.5 GiB not sent, 12 B not received`. */
export function sparedText({ bytesSpared, bytesWithheld }: Spared): string {
  const pushed = bytesSpared - bytesWithheld;
  const parts = [
    ...(bytesWithheld > 0 || pushed === 0 ? [`${bytesText(bytesWithheld)} not sent`] : []),
    ...(pushed > 0 ? [`${bytesText(pushed)} not received`] : []),
  ];
  return parts.join(", ");
}

/** Returns a whole number in groups of three digits: `1,234,567`. */
export function countText(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** Returns a share in percent: `12.3 %`. */
export function shareText(part: number, whole: number): string {
  if (part > 0 && part / whole < 0.000_5) return "<0.1 %";
  return `${((100 * part) / whole).toFixed(1)} %`;
}

/** Returns a duration as text: `0.25 ms`, `1.5 s`, `12 h`. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Number(ms.toPrecision(3))} ms`;
  if (ms < 60_000) return `${Number((ms / 1_000).toPrecision(3))} s`;
  if (ms < 3_600_000) return `${Number((ms / 60_000).toPrecision(3))} min`;
  return ms < 86_400_000
    ? `${Number((ms / 3_600_000).toPrecision(3))} h`
    : `${Number((ms / 86_400_000).toPrecision(4))} d`;
}

/** Shortens an ISO 8601 time to seconds: `2026-11-22 08:00:12`. */
export function timeText(iso: string): string {
  return iso.slice(0, 19).replace("T", " ");
}
