import type { ExchangeId } from "./exchange-result.js";

/** The names of all findings. They are stable. */
export const FINDING_CODES = [
  "unexpected-status",
  "not-found",
  "method-refused",
  "redirected",
  "bad-request",
  "forbidden",
  "server-fails",
  "odd-status",
  "early-success",
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
  "waf-expect",
  "expect-fails",
  "empty-refused",
  "case-sensitive",
  "reuse-fails",
  "malformed",
  "ask-differs",
  "ask-unanswered",
  "ask-matches",
] as const;
/** The name of a finding. */
export type FindingCode = (typeof FINDING_CODES)[number];

/** A fault or a remarkable behaviour of the endpoint or of a hop before it. */
export interface Finding {
  readonly code: FindingCode;
  /** `error`: uploads fail or the connection is unsafe; `warning`: some clients suffer; `note`: worth knowing. */
  readonly severity: "error" | "warning" | "note";
  readonly title: string;
  /** The hop that causes it; `unknown` if the exchanges do not show which one. */
  readonly hop: "endpoint" | "proxy" | "origin" | "unknown";
  /** The likely cause, in one or two sentences. */
  readonly cause: string;
  readonly evidence: readonly Evidence[];
  /** The best one first: what cures the cause comes before what avoids it. */
  readonly fixes: readonly Fix[];
}

/** The events of one exchange, as lines ready to print: time, direction, bytes. */
export interface Evidence {
  readonly endpoint: "target" | "direct";
  readonly exchange: ExchangeId;
  /** Whether the exchange is only there to compare with: nothing is wrong with it. */
  readonly isReference?: true;
  readonly lines: readonly string[];
}

/** A change that helps against a finding. */
export interface Fix {
  readonly side: "client" | "proxy" | "server";
  readonly text: string;
  /** A command or configuration lines, ready to copy. */
  readonly code?: string;
}

/** The names of well-known problems. */
export const SCENARIO_IDS = [
  "large-put-fails",
  "curl-upload-hangs",
  "corporate-proxy-blocks-upload",
  "api-gateway-417",
  "client-adds-expect",
  "proxy-auth-fails-handshake",
  "firewall-forbids-expect",
] as const;
/** The name of a well-known problem. */
export type ScenarioId = (typeof SCENARIO_IDS)[number];

/** A well-known problem that the findings explain. */
export interface Scenario {
  readonly id: ScenarioId;
  readonly title: string;
  /** The findings that explain it. */
  readonly findings: readonly FindingCode[];
}
