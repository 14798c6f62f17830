// Copy this file: it needs `@opentelemetry/api` alone, whatever SDK and exporters there are.
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { metrics, SpanStatusCode } from "@opentelemetry/api";

// OpenTelemetry's own buckets are made for milliseconds.
const SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

// The length is the client's word: after a few absurd ones a sum would not notice a real one any more.
const MAX_SPARED = 2 ** 40;

const spans = new WeakMap();

/**
 * Remembers which server span a request has: the option `requestHook` of `HttpInstrumentation`.
 *
 * Messages come out of the events of sockets and timers, too, where no span is active, or another request's.
 */
export function rememberSpan(span, request) {
  spans.set(request, span);
}

/**
 * Makes span events and metrics of what `express-expectations` decides; what is decided where there is no server span
 * (by the server itself, on HTTP/2, about another request in `admission()`) becomes metrics alone.
 *
 * Attributes of metrics take few values: the outcome, the policy, the status. A client's text is in none of them.
 *
 * @param meter - the global meter provider must be set before, where it is left out.
 * @returns a function that undoes it.
 */
export function recordExpectations(meter = metrics.getMeter("express-expectations")) {
  const decisions = meter.createCounter("expectation.decisions", {
    unit: "{decision}",
    description: "Requests accepted, refused or failed; an upload that was cut off is both accepted and refused.",
  });
  const decisionDuration = meter.createHistogram("expectation.decision.duration", {
    unit: "s",
    description: "From a request's header section to the first decision about it.",
    advice: { explicitBucketBoundaries: SECONDS },
  });
  const spared = meter.createCounter("expectation.content.spared", {
    unit: "By",
    description: "Declared content that had not arrived when its request was refused, 1 TiB a request at most.",
  });
  const contentWait = meter.createHistogram("expectation.content.wait_time", {
    unit: "s",
    description: "From the 100 to the first byte of content.",
    advice: { explicitBucketBoundaries: SECONDS },
  });
  const lingerDuration = meter.createHistogram("expectation.linger.duration", {
    unit: "s",
    description: "How long a refused connection was kept for its client to read the refusal.",
    advice: { explicitBucketBoundaries: SECONDS },
  });
  const discarded = meter.createCounter("expectation.linger.discarded", {
    unit: "By",
    description: "Refused content that was read and thrown away.",
  });

  const outcomes = new WeakMap();

  function count(req, outcome, record) {
    const before = outcomes.get(req);
    outcomes.set(req, outcome);
    const attributes = present({
      "expectation.outcome": outcome,
      "expectation.policy": record.policy,
      "http.response.status_code": finalStatus(record),
    });
    decisions.add(1, attributes);
    if (before === undefined) decisionDuration.record(record.durationMs / 1000, attributes);
    const wasRefused = before === "refused" || before === "error";
    if (record.bytesSpared !== undefined && !wasRefused) {
      spared.add(Math.min(record.bytesSpared, MAX_SPARED), attributes);
    }
  }

  const subscribers = {
    accept({ req, record }) {
      const outcome = record.status === 100 ? "continued" : "accepted";
      count(req, outcome, record);
      spans.get(req)?.addEvent(`expectation.${outcome}`, attributesOf(record));
    },
    refuse({ req, record }) {
      count(req, "refused", record);
      spans.get(req)?.addEvent("expectation.refused", attributesOf(record));
    },
    error({ req, record, error }) {
      count(req, "error", record);
      const span = spans.get(req);
      span?.addEvent("expectation.error", attributesOf(record));
      span?.recordException(error);
      // The response may have begun before, with a status that looks well.
      span?.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    },
    content({ req, waitedMs }) {
      contentWait.record(waitedMs / 1000);
      spans.get(req)?.addEvent("expectation.content");
    },
    // The span has ended with its response.
    "linger-end"({ durationMs, discardedBytes, reason }) {
      const attributes = { "expectation.linger.end_reason": reason };
      lingerDuration.record(durationMs / 1000, attributes);
      discarded.add(discardedBytes, attributes);
    },
  };

  const channels = Object.entries(subscribers).map(([name, tell]) => [`express-expectations:${name}`, tell]);
  for (const [channel, tell] of channels) subscribe(channel, tell);
  return () => {
    for (const [channel, tell] of channels) unsubscribe(channel, tell);
  };
}

function attributesOf(record) {
  return present({
    "expectation.policy": record.policy,
    "expectation.reason": record.reason,
    "http.response.status_code": finalStatus(record),
    "expectation.declared_length": record.declaredLength,
    "expectation.spared_bytes": record.bytesSpared,
  });
}

// The 100 of an acceptance is an interim response.
function finalStatus({ status }) {
  return status === 100 ? undefined : status;
}

function present(attributes) {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}
