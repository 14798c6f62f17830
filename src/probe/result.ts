/**
 * What `probe --json` prints. All text that came from the peer is escaped (what is not printable ASCII stands as
 * `\xNN`) and free of the credentials and query values that the probe sent.
 */
export interface ProbeResult {
  /** The version of this shape; it grows when a field changes its meaning or goes. */
  readonly schema: 1;
  /** The URL that was probed, without userinfo and query values. */
  readonly url: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly durationMs: number;
  readonly settings: ProbeSettings;
  readonly verdict: Verdict;
  /** What was seen at the URL. */
  readonly target: EndpointResult;
  /** What was seen at the URL of `--via`, which reaches the origin directly. */
  readonly direct?: EndpointResult;
  /** The most severe first. */
  readonly findings: readonly Finding[];
  /** Well-known troubles that the findings amount to. */
  readonly scenarios: readonly Scenario[];
}

export interface ProbeSettings {
  readonly method: string;
  /** How long one wait for an answer takes at most. */
  readonly timeoutMs: number;
  /** How much content an exchange sends that sends some. */
  readonly contentBytes: number;
  /** Whether content was sent at all: because of `--yes` or a confirmation, or why not. */
  readonly content: "sent" | "declined" | "not confirmed";
  /** The forward proxy, `host:port`. */
  readonly proxy?: string;
  /** Whether credentials were sent to the endpoint, and to the forward proxy. */
  readonly hasCredentials: boolean;
  readonly hasProxyCredentials: boolean;
}

export interface Verdict {
  /** `healthy` has notes at most. */
  readonly outcome: "healthy" | "findings" | "unreachable";
  /** 0 healthy, 1 findings, 3 unreachable. */
  readonly exitCode: 0 | 1 | 3;
  /** One sentence. */
  readonly headline: string;
}

/** All that happened at one URL. */
export interface EndpointResult {
  readonly url: string;
  readonly exchanges: readonly ExchangeResult[];
  /** Programs that answered, as far as they can be told. */
  readonly identified: readonly Identification[];
  /** Why nothing more could be asked. */
  readonly unreachable?: Unreachable;
}

export interface Unreachable {
  readonly code:
    | "dns"
    | "refused"
    | "unreachable"
    | "connect-timeout"
    | "tls"
    | "certificate"
    | "tunnel-refused"
    | "silent"
    | "closed"
    | "malformed";
  readonly message: string;
}

/** A program, by what it says or does. */
export interface Identification {
  readonly name: string;
  readonly role: "proxy" | "server" | "either";
  /** `stated`: it says so itself; `likely`: traits that it alone is known for; `possible`: traits that others have, too. */
  readonly confidence: "stated" | "likely" | "possible";
  /** The line or the behaviour that it was told by. */
  readonly because: string;
}

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

/** Stable names of findings. */
export const FINDING_CODES = [
  "blind-continue",
  "no-continue",
  "no-answer",
  "proxy-continue",
  "expect-stripped",
  "proxy-417",
  "refused-417",
  "kept-417",
  "kept-final",
  "refusal-reset",
  "continue-to-http10",
  "double-continue",
  "continue-after-final",
  "near-miss-accepted",
  "unknown-accepted",
  "unknown-ignored",
  "refusal-after-body",
  "slow-handshake",
  "h2-differs",
  "proxy-auth",
  "auth-loop",
  "auth-required",
  "upload-hangs",
  "expect-fails",
  "empty-refused",
  "case-sensitive",
  "reuse-fails",
  "malformed",
] as const;
export type FindingCode = (typeof FINDING_CODES)[number];

export interface Finding {
  readonly code: FindingCode;
  /** `error`: uploads fail or the connection is unsafe; `warning`: some clients suffer; `note`: worth knowing. */
  readonly severity: "error" | "warning" | "note";
  readonly title: string;
  /** Which hop it is, as far as was seen. */
  readonly hop: "endpoint" | "proxy" | "origin" | "unknown";
  /** The likely cause, in a sentence or two. */
  readonly cause: string;
  readonly evidence: readonly Evidence[];
  readonly fixes: readonly Fix[];
}

/** What was seen, as lines ready to print: time, direction, bytes. */
export interface Evidence {
  readonly endpoint: "target" | "direct";
  readonly exchange: ExchangeId;
  readonly lines: readonly string[];
}

export interface Fix {
  readonly side: "client" | "proxy" | "server";
  readonly text: string;
  /** A command or configuration lines, ready to copy. */
  readonly code?: string;
}

/** Names of well-known troubles. */
export const SCENARIO_IDS = [
  "large-put-fails",
  "curl-upload-hangs",
  "corporate-proxy-blocks-upload",
  "api-gateway-417",
  "client-adds-expect",
  "proxy-auth-fails-handshake",
] as const;
export type ScenarioId = (typeof SCENARIO_IDS)[number];

export interface Scenario {
  readonly id: ScenarioId;
  readonly title: string;
  /** The findings that it follows from. */
  readonly findings: readonly FindingCode[];
}
