import { Counter, Gauge, Histogram } from "prom-client";
import { acceptChannel, contentChannel, errorChannel, gauges, refuseChannel } from "../observe/diagnostics.js";
import type {
  AcceptMessage,
  AcceptRecord,
  ContentMessage,
  FaultMessage,
  RefusalRecord,
  RefuseMessage,
} from "../observe/record.js";
import { type MetricSet, policyLabels, UNREGISTERED } from "./metric-set.js";

type Decision = "accepted" | "refused" | "error";

const DECISIONS: readonly Decision[] = ["accepted", "refused", "error"];
const FIRST_CONTENT_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

// In bytes, for one refusal. A client may declare any length: a few absurd ones would make the counter so large that
// adding real refusals no longer changes it, since it is a floating-point number.
const MAX_SPARED = 2 ** 40;

/**
 * Makes the metrics about decisions.
 *
 * @param decisionBuckets - upper bounds of `http_expectation_decision_seconds`, in seconds.
 */
export function decisionMetrics(decisionBuckets: number[]): MetricSet {
  const decisionSeconds = new Histogram({
    ...UNREGISTERED,
    name: "http_expectation_decision_seconds",
    help: "From a request's header section to the decision about it",
    labelNames: ["decision"],
    buckets: decisionBuckets,
  });
  // Series start at 0: rate() and increase() do not count a series that appears with its first fault.
  for (const decision of DECISIONS) decisionSeconds.zero({ decision });
  const decisions = new Counter({
    ...UNREGISTERED,
    name: "http_expectations_total",
    help: "Decisions about requests, by what was decided, the status sent and the policy that decided",
    // `preflight` is "true" for a refused question. Other series do not have it.
    labelNames: ["decision", "status", "policy", "preflight"],
  });
  const cutOffs = new Counter({
    ...UNREGISTERED,
    name: "http_expectation_cut_off_uploads_total",
    help: "Uploads that were cut off after they had been accepted, by the policy that did it",
    labelNames: ["policy"],
  });
  const firstContentSeconds = new Histogram({
    ...UNREGISTERED,
    name: "http_expectation_first_content_seconds",
    help: "From a 100 Continue to the first byte of content",
    buckets: [...FIRST_CONTENT_BUCKETS],
  });
  const sparedBytes = new Counter({
    ...UNREGISTERED,
    name: "http_expectation_spared_bytes_total",
    help: "Declared content that had not arrived when its refusal was written",
  });

  const policyLabel = policyLabels();

  const count = (decision: Decision, status: string, policy: string, record: AcceptRecord | RefusalRecord) => {
    const labels = { decision, status, policy };
    decisions.inc("preflight" in record ? { ...labels, preflight: "true" } : labels);
    decisionSeconds.observe({ decision }, record.durationMs / 1000);
  };
  const countRefusal = (decision: Decision, record: RefusalRecord) => {
    const policy = policyLabel(record.policy);
    count(decision, String(record.status), policy, record);
    if (record.cutOffAfter !== undefined) cutOffs.inc({ policy });
    const { bytesSpared = 0 } = record;
    if (bytesSpared > 0) sparedBytes.inc(Math.min(bytesSpared, MAX_SPARED));
  };

  return {
    metrics: {
      http_expectation_decision_seconds: decisionSeconds,
      http_expectations_total: decisions,
      http_expectation_cut_off_uploads_total: cutOffs,
      http_expectation_first_content_seconds: firstContentSeconds,
      http_expectation_spared_bytes_total: sparedBytes,
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
    },
    listeners: [
      [
        acceptChannel,
        (message) => {
          const { record } = message as AcceptMessage;
          count("accepted", record.status === undefined ? "none" : String(record.status), "none", record);
        },
      ],
      [refuseChannel, (message) => countRefusal("refused", (message as RefuseMessage).record)],
      [errorChannel, (message) => countRefusal("error", (message as FaultMessage).record)],
      [contentChannel, (message) => firstContentSeconds.observe((message as ContentMessage).waitedMs / 1000)],
    ],
  };
}
