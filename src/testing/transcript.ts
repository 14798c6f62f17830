import { linesOf } from "../probe/describe.js";
import type { WireEvent } from "../probe/exchange-result.js";
import { Shown } from "../probe/shown.js";
import { isContent } from "../probe/summary.js";

const SHOWN = new Shown([]);
const MAX_BODY_LINES = 4;

/** Returns what was on the wire as text, with times. Values of secret fields are left out. */
export function transcriptOf(events: readonly WireEvent[]): string {
  return merged(events).flatMap(linesFor).join("\n");
}

function linesFor(event: WireEvent): string[] {
  switch (event.kind) {
    case "sent":
      if (event.what === "content") return [line(event.atMs, `→ ${count(event.bytes)} bytes of content`)];
      return linesOf({ ...event, lines: event.lines.map((one) => SHOWN.line(one)) });
    case "received":
      return linesOf({ ...event, lines: event.lines.map((one) => SHOWN.line(one)) });
    case "complete":
      return excerpt(event.sample).map((text, i) => (i === 0 ? line(event.atMs, `← ${text}`) : `${MARGIN} ← ${text}`));
    case "malformed":
      return linesOf({ ...event, sample: SHOWN.sample(event.sample) });
    default:
      return linesOf(event);
  }
}

const MARGIN = " ".repeat(11);

function line(atMs: number, text: string): string {
  return `${`${atMs.toFixed(1)} ms`.padStart(MARGIN.length)} ${text}`;
}

function excerpt(body: string): string[] {
  if (body === "") return [];
  const lines = body.trimEnd().split("\n");
  const cut = lines.slice(0, MAX_BODY_LINES).map((text) => SHOWN.text(text).slice(0, 120));
  return lines.length > MAX_BODY_LINES ? [...cut, `… ${lines.length - MAX_BODY_LINES} more lines`] : cut;
}

function count(bytes: number): string {
  return bytes.toLocaleString("en-US");
}

// Content goes out in many pieces. Those that follow each other are one line.
function merged(events: readonly WireEvent[]): WireEvent[] {
  const all: WireEvent[] = [];
  for (const event of events) {
    const last = all.at(-1);
    if (last && isContent(last) && isContent(event)) all[all.length - 1] = { ...last, bytes: last.bytes + event.bytes };
    else all.push(event);
  }
  return all;
}
