import { bytesText } from "../../pages/bytes.js";
import type { ExchangeResult, WireEvent } from "../../probe/exchange-result.js";
import { wrap } from "../wrap.js";
import type { TextOptions } from "./text-options.js";

const NAME_WIDTH = 15;

/** Writes one exchange as a line: whether it is as expected, its name, what came, and when. */
export function exchangeLines(
  exchange: ExchangeResult,
  isBad: boolean,
  { paint, width, isVerbose }: TextOptions,
): string[] {
  const mark = isBad ? paint("red", "✗") : paint("green", "✓");
  const { id, events } = exchange;
  const steps = events.flatMap((event) => stepOf(event) ?? []);
  const withheld = isWithheld(exchange) ? ["content withheld"] : [];
  const what = [...steps, ...withheld].join(", ") || "nothing";
  const [first = "", ...more] = wrap(what, width - 4, id.padEnd(NAME_WIDTH), " ".repeat(NAME_WIDTH));
  return [`  ${mark} ${first}`, ...more.map((line) => `    ${line}`), ...(isVerbose ? titleLine(exchange, width) : [])];
}

function titleLine({ title }: ExchangeResult, width: number): string[] {
  return wrap(title, width, " ".repeat(4 + NAME_WIDTH), " ".repeat(4 + NAME_WIDTH));
}

function isWithheld({ announced, expect, events, summary }: ExchangeResult): boolean {
  return announced !== "none" && expect !== undefined && summary.contentBytesSent === 0 && events.length > 1;
}

function stepOf(event: WireEvent): string | undefined {
  const at = timeText(event.atMs);
  switch (event.kind) {
    case "sent":
      if (event.what === "content") return `${bytesText(event.bytes)} sent at ${at}`;
      return event.what === "second head" ? `second request at ${at}` : undefined;
    case "received":
      return `${event.status} after ${at}`;
    case "complete":
      return undefined;
    case "end":
      return `end after ${at}`;
    case "reset":
      return `broken after ${at} (${event.code})`;
    case "malformed":
      return `${event.reason}, after ${at}`;
    case "quiet":
      return `nothing for ${timeText(event.ms)}`;
  }
}

/** Writes a time with its unit. */
export function timeText(ms: number): string {
  if (ms >= 1_000) return `${Number((ms / 1_000).toFixed(1))} s`;
  return ms < 100 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}
