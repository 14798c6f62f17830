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
import { withEscapes } from "./printable.js";
import type {
  AcceptMessage,
  AcceptRecord,
  ContentMessage,
  FaultMessage,
  RefusalRecord,
  RefuseMessage,
} from "./record.js";

/** A registry of prom-client, for either output format. */
export type MetricsRegistry = Registry<PrometheusContentType> | Registry<OpenMetricsContentType>;

/** Options of {@link instrument}; all are optional. */
export interface InstrumentOptions {
  /**
   * Upper bounds of `http_expectation_decision_seconds`, in seconds, in rising order. Default: 0.0005 to 10. Add larger
   * ones if policies may take longer (`policyTimeoutMs`).
   */
  decisionBuckets?: readonly number[];
}

type Decision = "accepted" | "refused" | "error";

const DECISIONS: readonly Decision[] = ["accepted", "refused", "error"];
const DECISION_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const FIRST_CONTENT_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

// Each policy name makes a series of its own, and an application may go on making new names.
const MAX_POLICIES = 100;

// In bytes, for one refusal. A client may declare any length: a few absurd ones would make the counter so large that
// adding real refusals no longer changes it, since it is a floating-point number.
const MAX_SPARED = 2 ** 40;

/**
 * Counts the decisions of this process in a registry of prom-client.
 *
 * Counts those of all servers and guards, and of both the ESM and the CommonJS copy of this package. A metric that throws
 * does not affect a request; Node prints one warning.
 *
 * @param registry - the registry that receives the metrics.
 * @param options - see {@link InstrumentOptions}.
 * @returns a function that stops the counting and takes the metrics out of the registry.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` if `registry` is not a registry or already has these metrics, or an
 *   option is wrong.
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

// Metrics are registered later, all or none: prom-client would register each as it is made.
const UNREGISTERED = { registers: [] };

function createMetrics(decisionBuckets: number[]) {
  const decisionSeconds = new Histogram({
    ...UNREGISTERED,
    name: "http_expectation_decision_seconds",
    help: "From a request's header section to the decision about it",
    labelNames: ["decision"],
    buckets: decisionBuckets,
  });
  // Series start at 0: rate() and increase() do not count a series that appears with its first fault.
  for (const decision of DECISIONS) decisionSeconds.zero({ decision });
  return {
    http_expectation_decision_seconds: decisionSeconds,
    http_expectations_total: new Counter({
      ...UNREGISTERED,
      name: "http_expectations_total",
      help: "Decisions about requests, by what was decided, the status sent and the policy that decided",
      // `preflight` is "true" for a refused question. Other series do not have it.
      labelNames: ["decision", "status", "policy", "preflight"],
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

  const count = (decision: Decision, status: string, policy: string, record: AcceptRecord | RefusalRecord) => {
    const labels = { decision, status, policy };
    metrics.http_expectations_total.inc("preflight" in record ? { ...labels, preflight: "true" } : labels);
    metrics.http_expectation_decision_seconds.observe({ decision }, record.durationMs / 1000);
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

// Returns the first `most` different names as they are, and "other" for the rest.
function boundedLabel(most: number): (name: string) => string {
  const known = new Set<string>();
  return (name) => {
    if (known.has(name)) return name;
    if (known.size >= most) return "other";
    known.add(name);
    return name;
  };
}

// The keys of `metrics` are used as names: prom-client changes the `name` of counters when it writes OpenMetrics.
const entriesOf = (metrics: Metrics) => Object.entries(metrics) as unknown as [keyof Metrics, Metric][];

// Registers all metrics, or none if one of them fails.
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

// Never throws: it is often called from handlers of `close` or of signals, where an error would end the process.
function unregister(registry: MetricsRegistry, metrics: Metrics): void {
  for (const [name, metric] of entriesOf(metrics)) {
    try {
      if (registry.getSingleMetric(name) === metric) registry.removeSingleMetric(name);
    } catch (error) {
      process.emitWarning(`the registry did not remove ${name}: ${withEscapes(textOf(error))}`, "ExpectationsWarning");
    }
  }
}

const REGISTRY_METHODS = ["registerMetric", "getSingleMetric", "removeSingleMetric"] as const;

// By its methods: the application may use another copy of prom-client.
function requireRegistry(registry: unknown): void {
  const methods = Object(registry) as Record<string, unknown>;
  if (REGISTRY_METHODS.every((name) => typeof methods[name] === "function")) return;
  throw optionError("instrument(registry)", registry, 'a registry of prom-client: its "register", or new Registry()');
}

function readBuckets(buckets: unknown): number[] {
  if (buckets === undefined) return [...DECISION_BUCKETS];
  const isRising = (bound: unknown, i: number, all: unknown[]) =>
    Number.isFinite(bound) && (bound as number) > (i === 0 ? 0 : (all[i - 1] as number));
  // A copy, because prom-client freezes the list.
  const copy = Array.isArray(buckets) ? Array.from(buckets as unknown[]) : [];
  if (copy.length > 0 && copy.every(isRising)) return copy as number[];
  throw optionError(
    "instrument({ decisionBuckets })",
    buckets,
    "rising numbers of seconds, such as [0.01, 0.1, 1, 10]",
  );
}
