import type { WireEvent } from "../probe/exchange-result.js";
import { isContent, isContinue, isFinal } from "../probe/summary.js";
import { transcriptOf } from "./transcript.js";

/** An interim response other than 100, such as 103. */
export interface InterimAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The time since the connection was open, in milliseconds. */
  readonly atMs: number;
}

/** What came of a request. */
export interface HandshakeAnswer {
  /** The final status; `undefined` if none came. */
  readonly status: number | undefined;
  /** The fields of the final response by lower-case name. Values of the same name are joined with `", "`. */
  readonly headers: Readonly<Record<string, string>>;
  /** The content of the final response, as UTF-8. */
  readonly body: string;
  /** Whether the final response came whole. */
  readonly isComplete: boolean;
  /** The number of 100s before the final status. */
  readonly continues: number;
  /** When they came, in milliseconds since the connection was open. */
  readonly continuesAtMs: readonly number[];
  readonly interims: readonly InterimAnswer[];
  /** Bytes of content that the client had handed to its system, without framing. */
  readonly sentBytes: number;
  /** Whether the server has ended the connection, on HTTP/2 the stream. */
  readonly isClosed: boolean;
  /** How: `"open"` if it has not, `"ended"` in order, or `"reset"`. */
  readonly end: "open" | "ended" | "reset";
  /** When the final status came, in milliseconds since the connection was open. */
  readonly statusAtMs: number | undefined;
  /** Everything that was on the wire, with times, as text. */
  readonly transcript: string;
}

/** Reads an answer from the events of an exchange. */
export function answerOf(events: readonly WireEvent[]): HandshakeAnswer {
  const finalAt = events.findIndex(isFinal);
  const before = finalAt < 0 ? events : events.slice(0, finalAt);
  const final = events.find(isFinal);
  const complete = events.find((event) => event.kind === "complete");
  const continues = before.filter(isContinue);
  const end = endOf(events);
  return {
    status: final?.status,
    headers: fieldsIn(final?.lines ?? []),
    body: complete?.kind === "complete" ? Buffer.from(complete.sample, "latin1").toString("utf8") : "",
    isComplete: complete !== undefined,
    continues: continues.length,
    continuesAtMs: continues.map(({ atMs }) => atMs),
    interims: before.flatMap((event) =>
      event.kind === "received" && event.status !== 100
        ? [{ status: event.status, headers: fieldsIn(event.lines), atMs: event.atMs }]
        : [],
    ),
    sentBytes: events.reduce((sum, event) => sum + (isContent(event) ? event.bytes : 0), 0),
    isClosed: end !== "open",
    end,
    statusAtMs: final?.atMs,
    transcript: transcriptOf(events),
  };
}

function endOf(events: readonly WireEvent[]): HandshakeAnswer["end"] {
  if (events.some(({ kind }) => kind === "reset")) return "reset";
  return events.some(({ kind }) => kind === "end") ? "ended" : "open";
}

function fieldsIn(lines: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    fields[name] = fields[name] === undefined ? value : `${fields[name]}, ${value}`;
  }
  return fields;
}
