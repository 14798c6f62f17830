import { subscribe, unsubscribe } from "node:diagnostics_channel";
import {
  Counter,
  Gauge,
  Histogram,
  type Metric,
  type OpenMetricsContentType,
  type PrometheusContentType,
  type Registry,
} from "prom-client";
import { ExpectationError, optionError, textOf } from "../support/errors.js";
import { requireKnownKeys } from "../support/options.js";
import { acceptChannel, contentChannel, errorChannel, gauges, refuseChannel } from "./diagnostics.js";
import type {
  AcceptMessage,
  AcceptRecord,
  ContentMessage,
  FaultMessage,
  RefusalRecord,
  RefuseMessage,
} from "./record.js";

/** A registry of prom-client, whichever format it writes. */
export type MetricsRegistry = Registry<PrometheusContentType> | Registry<OpenMetricsContentType>;

/** Options of {@link instrument}; all are optional. */
export interface InstrumentOptions {
  /**
   * Upper bounds of `http_expectation_decision_seconds`, in seconds, rising. Default: 0.0005 to 10; policies that may
   * take longer (`policyTimeoutMs`) want more.
   */
  decisionBuckets?: readonly number[];
}

type Decision = "accepted" | "refused" | "error";

const DECISIONS: readonly Decision[] = ["accepted", "refused", "error"];
const DECISION_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const FIRST_CONTENT_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** How many policies are told apart: the application names them, and may go on making new names. */
const MAX_POLICIES = 100;

/**
 * What one refusal spares at most, in bytes. The client declares the length: a few absurd ones would make the counter so
 * large that a float loses all that real refusals add.
 */
const MAX_SPARED = 2 ** 40;

/**
 * Counts the decisions of this process in a registry of prom-client: of all servers and guards, and of both module
 * systems' copies of this package.
 *
 * A metric that throws disturbs no request; Node prints one warning.
 *
 * @returns a function that undoes it: it ends the counting and takes the metrics out of the registry.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for what is no registry, for one that has these metrics already, and for
 *   a wrong option.
 * @example instrument(register);
 */
export function instrument(registry: MetricsRegistry, options: InstrumentOptions = {}): () => void {
  requireRegistry(registry);
  requireKnownKeys("instrument", options, ["decisionBuckets"]);
  const metrics = createMetrics(readBuckets(options.decisionBuckets));
  register(registry, metrics);
  const subscriptions = subscriptionsOf(metrics);
  for (const [name, listener] of subscriptions) subscribe(name, listener);
  return () => {
    for (const [name, listener] of subscriptions) unsubscribe(name, listener);
    unregister(registry, metrics);
  };
}

// Not registered yet: prom-client would take what is named first, and leave it there where the next one fails.
const UNREGISTERED = { registers: [] };

function createMetrics(decisionBuckets: number[]) {
  const decisionSeconds = new Histogram({
    ...UNREGISTERED,
    name: "http_expectation_decision_seconds",
    help: "From a request's header section to the decision about it",
    labelNames: ["decision"],
    buckets: decisionBuckets,
  });
  // From the start: the first fault of a process would otherwise be no increase.
  for (const decision of DECISIONS) decisionSeconds.zero({ decision });
  return {
    http_expectation_decision_seconds: decisionSeconds,
    http_expectations_total: new Counter({
      ...UNREGISTERED,
      name: "http_expectations_total",
      help: "Decisions about requests, by what was decided, the status sent and the policy that decided",
      labelNames: ["decision", "status", "policy"],
    }),
    http_expectation_first_content_seconds: new Histogram({
      ...UNREGISTERED,
      name: "http_expectation_first_content_seconds",
      help: "From a 100 Continue to the first byte of content",
      buckets: [...FIRST_CONTENT_BUCKETS],
    }),
    http_expectation_spared_bytes_total: new Counter({
      ...UNREGISTERED,
      name: "http_expectation_spared_bytes_total",
      help: "Declared content that had not arrived when its refusal was written",
    }),
    http_expectation_pending_handshakes: new Gauge({
      ...UNREGISTERED,
      name: "http_expectation_pending_handshakes",
      help: "Clients that wait for a verdict on their Expect: 100-continue",
      collect() {
        this.set(gauges().pendingHandshakes);
      },
    }),
    http_expectation_lingering_connections: new Gauge({
      ...UNREGISTERED,
      name: "http_expectation_lingering_connections",
      help: "Refused connections that are being drained",
      collect() {
        this.set(gauges().lingeringConnections);
      },
    }),
  };
}

type Metrics = ReturnType<typeof createMetrics>;

function subscriptionsOf(metrics: Metrics): [string, (message: unknown) => void][] {
  const policyLabel = boundedLabel(MAX_POLICIES);

  const count = (decision: Decision, status: string, policy: string, { durationMs }: AcceptRecord | RefusalRecord) => {
    metrics.http_expectations_total.inc({ decision, status, policy });
    metrics.http_expectation_decision_seconds.observe({ decision }, durationMs / 1000);
  };
  const countRefusal = (decision: Decision, record: RefusalRecord) => {
    count(decision, String(record.status), policyLabel(record.policy), record);
    const { bytesSpared = 0 } = record;
    if (bytesSpared > 0) metrics.http_expectation_spared_bytes_total.inc(Math.min(bytesSpared, MAX_SPARED));
  };

  return [
    [
      String(acceptChannel.name),
      (message) => {
        const { record } = message as AcceptMessage;
        count("accepted", record.status === undefined ? "none" : String(record.status), "none", record);
      },
    ],
    [String(refuseChannel.name), (message) => countRefusal("refused", (message as RefuseMessage).record)],
    [String(errorChannel.name), (message) => countRefusal("error", (message as FaultMessage).record)],
    [
      String(contentChannel.name),
      (message) => metrics.http_expectation_first_content_seconds.observe((message as ContentMessage).waitedMs / 1000),
    ],
  ];
}

/** Passes the first `most` different names through; all others are `other`. */
function boundedLabel(most: number): (name: string) => string {
  const known = new Set<string>();
  return (name) => {
    if (known.has(name)) return name;
    if (known.size >= most) return "other";
    known.add(name);
    return name;
  };
}

// By the names here: prom-client changes the `name` of counters where it writes OpenMetrics.
const entriesOf = (metrics: Metrics) => Object.entries(metrics) as unknown as [keyof Metrics, Metric][];

function register(registry: MetricsRegistry, metrics: Metrics): void {
  const entries = entriesOf(metrics);
  const taken = entries.find(([name]) => registry.getSingleMetric(name) !== undefined)?.[0];
  if (taken !== undefined) {
    throw new ExpectationError(
      "ERR_EXPECT_OPTION",
      `instrument(registry): received a registry that has ${taken} already; expected one that is not instrumented: call what the first instrument() returned, or pass another registry`,
    );
  }
  try {
    for (const [, metric] of entries) registry.registerMetric(metric);
  } catch (error) {
    unregister(registry, metrics);
    throw error;
  }
}

// Called from handlers of `close` and of signals as often as not, where an error would end the process.
function unregister(registry: MetricsRegistry, metrics: Metrics): void {
  for (const [name, metric] of entriesOf(metrics)) {
    try {
      if (registry.getSingleMetric(name) === metric) registry.removeSingleMetric(name);
    } catch (error) {
      process.emitWarning(`the registry did not remove ${name}: ${textOf(error)}`, "ExpectationsWarning");
    }
  }
}

const REGISTRY_METHODS = ["registerMetric", "getSingleMetric", "removeSingleMetric"] as const;

// By its methods: the application may have another copy of prom-client.
function requireRegistry(registry: unknown): void {
  const methods = Object(registry) as Record<string, unknown>;
  if (REGISTRY_METHODS.every((name) => typeof methods[name] === "function")) return;
  throw optionError("instrument(registry)", registry, 'a registry of prom-client: its "register", or new Registry()');
}

function readBuckets(buckets: unknown): number[] {
  if (buckets === undefined) return [...DECISION_BUCKETS];
  const isRising = (bound: unknown, i: number, all: unknown[]) =>
    Number.isFinite(bound) && (bound as number) > (i === 0 ? 0 : (all[i - 1] as number));
  // Copied: prom-client freezes the list.
  const copy = Array.isArray(buckets) ? Array.from(buckets as unknown[]) : [];
  if (copy.length > 0 && copy.every(isRising)) return copy as number[];
  throw optionError(
    "instrument({ decisionBuckets })",
    buckets,
    "rising numbers of seconds, such as [0.01, 0.1, 1, 10]",
  );
}
