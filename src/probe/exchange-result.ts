/** Names of exchanges, for `--only`. */
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
] as const;
export type ExchangeId = (typeof EXCHANGE_IDS)[number];

/** One connection with one request, and sometimes a harmless second one. */
export interface ExchangeResult {
  readonly id: ExchangeId;
  /** One line: what is sent. */
  readonly title: string;
  /** Why it was left out; then `events` is empty. */
  readonly skipped?: string;
  readonly protocol: "HTTP/1.1" | "HTTP/1.0" | "HTTP/2";
  readonly method: string;
  /** The value of `Expect`; absent without the field. */
  readonly expect?: string;
  /** What the request announces: a length in bytes, `"chunked"`, or `"none"`. */
  readonly announced: number | "chunked" | "none";
  /** The most that its waits could have taken together. */
  readonly timeoutMs: number;
  /** What happened, in order. */
  readonly events: readonly WireEvent[];
  readonly summary: Summary;
}

/** One thing that happened on the wire; `atMs` counts from the moment the connection stood. */
export type WireEvent =
  | {
      readonly kind: "sent";
      readonly atMs: number;
      readonly what: "head" | "content" | "second head";
      /** The header section's lines; none for content. */
      readonly lines: readonly string[];
      readonly bytes: number;
    }
  | {
      readonly kind: "received";
      readonly atMs: number;
      /** The status code; below 200 it is an interim response. */
      readonly status: number;
      /** The header section's lines, the status line first. */
      readonly lines: readonly string[];
    }
  | {
      /** The final response's content has ended. */
      readonly kind: "complete";
      readonly atMs: number;
      readonly bytes: number;
      /** How the content begins. */
      readonly sample: string;
    }
  /** The peer ended its side (on HTTP/2: the stream). */
  | { readonly kind: "end"; readonly atMs: number }
  /** The connection broke; `code` is the system's name for it. */
  | { readonly kind: "reset"; readonly atMs: number; readonly code: string }
  /** What came follows no HTTP. */
  | { readonly kind: "malformed"; readonly atMs: number; readonly reason: string; readonly sample: string }
  /** Waited `ms` in vain. */
  | { readonly kind: "quiet"; readonly atMs: number; readonly ms: number; readonly waitedFor: string };

/** What an exchange's events come to. */
export interface Summary {
  /** What came first: a 100, a final status, the end of the connection, something else than HTTP, or nothing. */
  readonly verdict: "continue" | "final" | "ended" | "malformed" | "none";
  /** From the head to the verdict. */
  readonly verdictMs?: number;
  /** How many 100s came before the final status. */
  readonly continues: number;
  /** How many 100s came after the final status. */
  readonly lateContinues: number;
  /** The final status of the first request. */
  readonly status?: number;
  /** Whether the final status came before a byte of announced content had been sent. */
  readonly isEarly: boolean;
  /** Whether an early final status, without a 100 before it, left the connection open and did not say `close`. */
  readonly keptOpen: boolean;
  readonly contentBytesSent: number;
  /** Whether the final response came whole. */
  readonly isComplete: boolean;
  /** Whether the connection broke, other than by an orderly end. */
  readonly isReset: boolean;
  /** What became of the harmless second request. */
  readonly second?: "answered" | "swallowed" | "ended";
}
