import { bytesText } from "../../pages/bytes.js";
import type { ExchangeResult, WireEvent } from "../exchange-result.js";

/** The meaning of a row, shown by its colour. What came is good or bad as its exchange is: no status is so by itself. */
type Tone = "sent" | "interim" | "good" | "bad" | "quiet";

/** The look of one event, or of content that was not sent. */
export interface Row {
  readonly atMs?: number;
  readonly shape: "arrow" | "bar" | "gap" | "wait";
  readonly towards: "peer" | "client";
  readonly tone: Tone;
  readonly text: string;
  readonly bytes?: number;
}

/**
 * Returns the rows of a diagram, in order.
 *
 * @param isBad - whether the exchange is not as expected.
 */
export function rowsOf(exchange: ExchangeResult, isBad: boolean): Row[] {
  const rows = exchange.events.flatMap((event) => rowOf(event, exchange, isBad) ?? []);
  const { announced, summary } = exchange;
  if (announced === "none" || summary.contentBytesSent > 0 || !exchange.events.some(isHead)) return rows;
  const text =
    announced === "chunked" ? "content of unknown length, not sent" : `${bytesText(announced)} announced, not sent`;
  return [
    ...rows,
    { shape: "gap", towards: "peer", tone: "quiet", text, bytes: announced === "chunked" ? 0 : announced },
  ];
}

function isHead(event: WireEvent): boolean {
  return event.kind === "sent" && event.what === "head";
}

function rowOf(event: WireEvent, { method, expect }: ExchangeResult, isBad: boolean): Row | undefined {
  const { atMs } = event;
  const tone = isBad ? "bad" : "quiet";
  switch (event.kind) {
    case "sent": {
      const to = { atMs, towards: "peer", tone: "sent" } as const;
      if (event.what === "content") return { ...to, shape: "bar", text: bytesText(event.bytes), bytes: event.bytes };
      if (event.what === "second head") return { ...to, shape: "arrow", text: "second request: GET" };
      return {
        ...to,
        shape: "arrow",
        text: expect === undefined ? method : `${method}, Expect: ${expect || "(empty)"}`,
      };
    }
    case "received":
      return { atMs, shape: "arrow", towards: "client", tone: toneOf(event.status, isBad), text: statusOf(event) };
    case "complete":
      if (event.bytes === 0) return undefined;
      return { atMs, shape: "bar", towards: "client", tone: "quiet", text: bytesText(event.bytes), bytes: event.bytes };
    case "end":
      return { atMs, shape: "arrow", towards: "client", tone: "quiet", text: "ends the connection" };
    case "reset":
      return { atMs, shape: "arrow", towards: "client", tone, text: `breaks: ${event.code}` };
    case "malformed":
      return { atMs, shape: "arrow", towards: "client", tone, text: event.reason };
    case "quiet":
      return {
        atMs,
        shape: "wait",
        towards: "client",
        tone,
        text: `${Math.round(event.ms)} ms of silence`,
      };
  }
}

function toneOf(status: number, isBad: boolean): Tone {
  if (isBad) return "bad";
  return status < 200 ? "interim" : "good";
}

// Returns the status line without its version. HTTP/2 has a pseudo-field instead.
function statusOf({ status, lines }: { readonly status: number; readonly lines: readonly string[] }): string {
  const [, reason = ""] = /^HTTP\/\d\.\d \d{3} (.*)/.exec(lines[0] ?? "") ?? [];
  return reason === "" ? String(status) : `${status} ${reason}`;
}
