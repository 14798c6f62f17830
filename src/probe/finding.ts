import type { ExchangeId } from "./exchange-result.js";

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
