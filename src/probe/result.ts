import type { ExchangeResult } from "./exchange-result.js";
import type { Finding, Scenario } from "./finding.js";

/**
 * The result of a probe, as `probe --json` prints it.
 *
 * Text from the peer is escaped: `\xNN` stands for everything that is not printable ASCII. It does not contain the
 * credentials and query values that the probe sent.
 */
export interface ProbeResult {
  /** The version of this format. It increases when a field is removed or changes its meaning. */
  readonly schema: 2;
  /** The URL that was probed, without userinfo and query values. */
  readonly url: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly durationMs: number;
  readonly settings: ProbeSettings;
  readonly verdict: Verdict;
  /** The exchanges at the URL. */
  readonly target: EndpointResult;
  /** The exchanges at the URL of `--via`, which reaches the origin directly. */
  readonly direct?: EndpointResult;
  /** The most severe first. */
  readonly findings: readonly Finding[];
  /** Well-known problems that the findings explain. */
  readonly scenarios: readonly Scenario[];
}

/** The settings of a probe. */
export interface ProbeSettings {
  readonly method: string;
  /** The longest time to wait for one answer. */
  readonly timeoutMs: number;
  /** The size of the content that exchanges send. */
  readonly contentBytes: number;
  /** Whether content was sent, or why not. */
  readonly content: "sent" | "declined" | "not confirmed";
  /** The forward proxy, `host:port`. */
  readonly proxy?: string;
  /** The statuses that are meant, of `--expect-status`. */
  readonly expectedStatuses?: readonly number[];
  /** Whether credentials were sent to the endpoint, and to the forward proxy. */
  readonly hasCredentials: boolean;
  readonly hasProxyCredentials: boolean;
}

/** The verdict about a URL. */
export interface Verdict {
  /** `healthy` means that there are no findings but notes. */
  readonly outcome: "healthy" | "findings" | "unreachable";
  /** 0 healthy, 1 findings, 3 unreachable. */
  readonly exitCode: 0 | 1 | 3;
  /** One sentence. */
  readonly headline: string;
}

/** The exchanges at one URL, and what they show about the programs there. */
export interface EndpointResult {
  readonly url: string;
  readonly exchanges: readonly ExchangeResult[];
  /** Programs that answered, if they could be recognised. */
  readonly identified: readonly Identification[];
  /** Why the probe stopped. */
  readonly unreachable?: Unreachable;
}

/** The reason why an endpoint cannot be probed. */
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

/** A program that was recognised in the responses. */
export interface Identification {
  readonly name: string;
  readonly role: "proxy" | "server" | "either";
  /** `stated`: it names itself; `likely`: only it is known for the trait; `possible`: others share the trait. */
  readonly confidence: "stated" | "likely" | "possible";
  /** The line or behaviour that shows it. */
  readonly because: string;
}
