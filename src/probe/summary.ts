import type { ExchangeResult, Summary, WireEvent } from "./exchange-result.js";
import { fieldOf } from "./wire/header-section.js";

type Received = Extract<WireEvent, { kind: "received" }>;

/** Returns the summary of an exchange's events. */
export function summaryOf(
  events: readonly WireEvent[],
  { announced, protocol }: Pick<ExchangeResult, "announced" | "protocol">,
): Summary {
  const second = events.findIndex((event) => event.kind === "sent" && event.what === "second head");
  const first = second < 0 ? events : events.slice(0, second);
  const finalAt = first.findIndex(isFinal);
  const final = first[finalAt] as Received | undefined;
  const before = finalAt < 0 ? first : first.slice(0, finalAt);
  const continues = before.filter(isContinue).length;
  const contentBytesSent = first.reduce((sum, event) => sum + (isContent(event) ? event.bytes : 0), 0);
  const isEarly = final !== undefined && announced !== "none" && !before.some(isContent);
  const verdict = verdictOf(first);
  const head = first.find((event) => event.kind === "sent");
  return {
    verdict: verdict?.name ?? "none",
    ...(verdict && head && { verdictMs: Math.round((verdict.atMs - head.atMs) * 10) / 10 }),
    continues,
    lateContinues: finalAt < 0 ? 0 : first.slice(finalAt).filter(isContinue).length,
    ...(final && { status: final.status }),
    isEarly,
    keptOpen: isEarly && continues === 0 && protocol === "HTTP/1.1" && !saysClose(final) && !first.some(isEnd),
    contentBytesSent,
    isComplete: finalAt >= 0 && first.slice(finalAt).some(({ kind }) => kind === "complete"),
    isReset: events.some(({ kind }) => kind === "reset"),
    ...(second >= 0 && { second: secondOutcomeOf(events.slice(second)) }),
  };
}

/** Returns whether an event is a 100 Continue. */
export function isContinue(event: WireEvent): boolean {
  return event.kind === "received" && event.status === 100;
}

/** Returns whether an event is a final response. */
export function isFinal(event: WireEvent): event is Received {
  return event.kind === "received" && event.status >= 200;
}

/** Returns whether the final response announces the end of the connection (RFC 9112 §9.3). */
export function saysClose(final: { readonly lines: readonly string[] }): boolean {
  const connection = fieldOf(final.lines, "connection") ?? "";
  if (/(?:^|,)\s*close\s*(?:$|,)/i.test(connection)) return true;
  return /^HTTP\/1\.0 /.test(final.lines[0] ?? "") && !/keep-alive/i.test(connection);
}

function verdictOf(events: readonly WireEvent[]): { name: Summary["verdict"]; atMs: number } | undefined {
  for (const event of events) {
    if (isContinue(event)) return { name: "continue", atMs: event.atMs };
    if (isFinal(event)) return { name: "final", atMs: event.atMs };
    if (event.kind === "malformed") return { name: "malformed", atMs: event.atMs };
    if (isEnd(event)) return { name: "ended", atMs: event.atMs };
  }
  return undefined;
}

function secondOutcomeOf(events: readonly WireEvent[]): "answered" | "swallowed" | "ended" {
  if (events.some(isFinal)) return "answered";
  return events.some(isEnd) ? "ended" : "swallowed";
}

/** Returns whether an event is content that was sent. */
export function isContent(event: WireEvent): event is Extract<WireEvent, { kind: "sent" }> {
  return event.kind === "sent" && event.what === "content";
}

function isEnd({ kind }: WireEvent): boolean {
  return kind === "end" || kind === "reset";
}
