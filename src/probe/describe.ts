import type { ExchangeResult, WireEvent } from "./exchange-result.js";
import { isContent, isFinal } from "./summary.js";

/** Returns an event as lines of evidence: time, direction, bytes. */
export function linesOf(event: WireEvent): string[] {
  const time = `${event.atMs.toFixed(1)} ms`.padStart(11);
  switch (event.kind) {
    case "sent":
      if (event.what === "content") return [`${time} → ${event.bytes} bytes of content`];
      return event.lines.map((line, i) => `${i === 0 ? time : " ".repeat(11)} → ${line}`);
    case "received":
      return event.lines.map((line, i) => `${i === 0 ? time : " ".repeat(11)} ← ${line}`);
    case "complete":
      return event.bytes === 0 ? [] : [`${time} ← ${event.bytes} bytes of content`];
    case "end":
      return [`${time} ← the server ends the connection`];
    case "reset":
      return [`${time} ← the connection breaks (${event.code})`];
    case "malformed":
      return [`${time} ← ${event.reason}: ${event.sample.slice(0, 80)}`];
    case "quiet":
      return [`${time}   waited ${event.ms} ms for ${event.waitedFor}`];
  }
}

/** Returns an exchange as a timeline in one line. */
export function timelineOf({ events, skipped, expect, announced }: ExchangeResult): string {
  if (skipped !== undefined) return `skipped: ${skipped}`;
  const steps = events.map((event) => stepOf(event)).filter((step) => step !== undefined);
  const last = events.at(-1);
  const isOpen = !events.some((event) => isContent(event) || isFinal(event));
  if (expect !== undefined && announced !== "none" && isOpen && last?.kind === "received") {
    steps.push("· content withheld");
  }
  return steps.join("  ");
}

function stepOf(event: WireEvent): string | undefined {
  const at = event.atMs.toFixed(event.atMs < 100 ? 1 : 0);
  switch (event.kind) {
    case "sent":
      return event.what === "content"
        ? `→ ${at} ${size(event.bytes)}`
        : `→ ${event.what === "head" ? "head" : `${at} GET`}`;
    case "received":
      return `← ${at} ${event.status}`;
    case "complete":
      return undefined;
    case "end":
      return `← ${at} end`;
    case "reset":
      return `✕ ${at} ${event.code}`;
    case "malformed":
      return `✕ ${at} ${event.reason}`;
    case "quiet":
      return `… ${at} nothing`;
  }
}

/** Returns a number of bytes as text, such as `1.5 MiB`. */
export function size(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  const units = ["KiB", "MiB", "GiB"];
  let value = bytes / 1_024;
  let unit = 0;
  while (value >= 1_024 && unit < units.length - 1) {
    value /= 1_024;
    unit++;
  }
  return `${Number(value.toFixed(1))} ${units[unit]}`;
}
