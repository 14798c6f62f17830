import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Metric, OpenMetricsContentType, PrometheusContentType, Registry } from "prom-client";
import { decisionMetrics } from "../metrics/decisions.js";
import type { MetricSet } from "../metrics/metric-set.js";
import { placeMetrics } from "../metrics/places.js";
import { spaceMetrics } from "../metrics/spaces.js";
import { ExpectationError, optionError, textOf } from "../support/errors.js";
import { requireKnownKeys } from "../support/options.js";
import { withEscapes } from "./printable.js";

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

const DECISION_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * Counts the decisions of this process in a registry of prom-client, and shows its waiting uploads and its disk space.
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
  const sets = [decisionMetrics(readBuckets(options.decisionBuckets)), placeMetrics(), spaceMetrics()];
  const metrics = sets.flatMap((set) => Object.entries(set.metrics));
  register(registry, metrics);
  const listeners = sets.flatMap((set: MetricSet) => set.listeners);
  for (const [{ name }, listener] of listeners) subscribe(String(name), listener);
  return () => {
    for (const [{ name }, listener] of listeners) unsubscribe(String(name), listener);
    unregister(registry, metrics);
  };
}

/** Metrics with their names. */
type Named = readonly (readonly [string, Metric])[];

// Registers all metrics, or none if one of them fails.
function register(registry: MetricsRegistry, metrics: Named): void {
  const taken = metrics.find(([name]) => registry.getSingleMetric(name) !== undefined)?.[0];
  if (taken !== undefined) {
    throw new ExpectationError(
      "ERR_EXPECT_OPTION",
      `instrument(registry): received a registry that has ${taken} already; expected one that is not instrumented: call what the first instrument() returned, or pass another registry`,
    );
  }
  try {
    for (const [, metric] of metrics) registry.registerMetric(metric);
  } catch (error) {
    unregister(registry, metrics);
    throw error;
  }
}

// Never throws: it is often called from handlers of `close` or of signals, where an error would end the process.
function unregister(registry: MetricsRegistry, metrics: Named): void {
  for (const [name, metric] of metrics) {
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
