/** The names of all exchanges, as `--only` takes them. */
export const EXCHANGE_IDS = [
  "plain",
  "control",
  "withheld",
  "sent",
  "large",
  "chunked",
  "unknown",
  "list",
  "empty",
  "case",
  "near-space",
  "near-parameter",
  "http10",
  "no-content",
  "pushed",
  "late",
  "h2",
  "asked",
  "asked-large",
] as const;
/** The name of an exchange. */
export type ExchangeId = (typeof EXCHANGE_IDS)[number];

/** One connection with one request. Some exchanges send a second, harmless request. */
export interface ExchangeResult {
  readonly id: ExchangeId;
  /** A description of the request, in one line. */
  readonly title: string;
  /** Why the exchange was left out. `events` is then empty. */
  readonly skipped?: string;
  readonly protocol: "HTTP/1.1" | "HTTP/1.0" | "HTTP/2";
  readonly method: string;
  /** The value of `Expect`. Absent if the request has no such field. */
  readonly expect?: string;
  /** The content that the request announces: a length in bytes, `"chunked"` or `"none"`. */
  readonly announced: number | "chunked" | "none";
  /** The most time that its waits could take together. */
  readonly timeoutMs: number;
  /** The events, in order. */
  readonly events: readonly WireEvent[];
  readonly summary: Summary;
}

/** One event on the wire. `atMs` is the time since the connection was established. */
export type WireEvent =
  | {
      readonly kind: "sent";
      readonly atMs: number;
      readonly what: "head" | "content" | "second head";
      /** The lines of the header section. Empty for content. */
      readonly lines: readonly string[];
      readonly bytes: number;
    }
  | {
      readonly kind: "received";
      readonly atMs: number;
      /** The status code. Interim responses have one below 200. */
      readonly status: number;
      /** The lines of the header section, with the status line. */
      readonly lines: readonly string[];
    }
  | {
      /** The final response's content has ended. */
      readonly kind: "complete";
      readonly atMs: number;
      readonly bytes: number;
      /** The beginning of the content. */
      readonly sample: string;
    }
  /** The peer ended the connection; on HTTP/2, the stream. */
  | { readonly kind: "end"; readonly atMs: number }
  /** The connection broke. `code` is the error code of the system. */
  | { readonly kind: "reset"; readonly atMs: number; readonly code: string }
  /** The bytes that came are not valid HTTP. */
  | { readonly kind: "malformed"; readonly atMs: number; readonly reason: string; readonly sample: string }
  /** Nothing came within `ms`. */
  | { readonly kind: "quiet"; readonly atMs: number; readonly ms: number; readonly waitedFor: string };

/** The summary of an exchange's events. */
export interface Summary {
  /** What came first: a 100, a final status, the end of the connection, bytes that are not HTTP, or nothing. */
  readonly verdict: "continue" | "final" | "ended" | "malformed" | "none";
  /** The time from the header section to the verdict. */
  readonly verdictMs?: number;
  /** The number of 100s before the final status. */
  readonly continues: number;
  /** The number of 100s after the final status. */
  readonly lateContinues: number;
  /** The final status of the first request. */
  readonly status?: number;
  /** Whether the final status came before any announced content was sent. */
  readonly isEarly: boolean;
  /** Whether the final status was early, came without a 100, and left the connection open. */
  readonly keptOpen: boolean;
  readonly contentBytesSent: number;
  /** Whether the final response is complete. */
  readonly isComplete: boolean;
  /** Whether the connection broke instead of ending in order. */
  readonly isReset: boolean;
  /** The outcome of the second request. */
  readonly second?: "answered" | "swallowed" | "ended";
}
