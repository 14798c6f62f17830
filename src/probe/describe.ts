import type { WireEvent } from "./exchange-result.js";

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
