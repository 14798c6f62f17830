import type { ExchangeResult } from "./exchange-result.js";
import type { Finding, Scenario } from "./finding.js";

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
