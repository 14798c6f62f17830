import type { Attributes, Meter } from "@opentelemetry/api";
import type { HttpRequest } from "../http/message.js";
import type { AcceptRecord, RefusalRecord } from "../observe/record.js";
import type { LingerEndMessage } from "../response/linger.js";
import { finalStatus, present } from "./attributes.js";

/** What became of a request. */
export type Outcome = "continued" | "accepted" | "refused" | "error";

/** Counts decisions. */
export interface Instruments {
  count(req: HttpRequest, outcome: Outcome, record: AcceptRecord | RefusalRecord): void;
  measureContentWait(waitedMs: number): void;
  countLingering(message: LingerEndMessage): void;
}

// In seconds. OpenTelemetry's own buckets are made for milliseconds.
const DURATION = {
  unit: "s",
  advice: { explicitBucketBoundaries: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] },
};

// In bytes, for one refusal. A client may declare any length: a few absurd ones would make the sum so large that adding
// real refusals no longer changes it.
const MAX_SPARED = 2 ** 40;

/** Makes the instruments of a meter. Their attributes take few values, and none has a text of a client. */
export function instrumentsOf(meter: Meter): Instruments {
  const decisions = meter.createCounter("expectation.decisions", {
    unit: "{decision}",
    description: "Requests accepted, refused or failed; an upload that was cut off is both accepted and refused.",
  });
  const decisionDuration = meter.createHistogram("expectation.decision.duration", {
    ...DURATION,
    description: "From a request's header section to the first decision about it.",
  });
  const spared = meter.createCounter("expectation.content.spared", {
    unit: "By",
    description: "Declared content that had not arrived when its request was refused, 1 TiB a request at most.",
  });
  const contentWait = meter.createHistogram("expectation.content.wait_time", {
    ...DURATION,
    description: "From the 100 to the first byte of content.",
  });
  const lingerDuration = meter.createHistogram("expectation.linger.duration", {
    ...DURATION,
    description: "How long a refused connection was kept for its client to read the refusal.",
  });
  const discarded = meter.createCounter("expectation.linger.discarded", {
    unit: "By",
    description: "Refused content that was read and discarded.",
  });

  const outcomes = new WeakMap<object, Outcome>();

  return {
    count(req, outcome, record) {
      const { policy, bytesSpared } = record as Partial<RefusalRecord>;
      const before = outcomes.get(req);
      outcomes.set(req, outcome);
      const attributes: Attributes = present({
        "expectation.outcome": outcome,
        "expectation.policy": policy,
        "http.response.status_code": finalStatus(record),
      });
      decisions.add(1, attributes);
      if (before === undefined) decisionDuration.record(record.durationMs / 1000, attributes);
      const wasRefused = before === "refused" || before === "error";
      if (bytesSpared !== undefined && !wasRefused) spared.add(Math.min(bytesSpared, MAX_SPARED), attributes);
    },
    measureContentWait(waitedMs) {
      contentWait.record(waitedMs / 1000);
    },
    countLingering({ durationMs, discardedBytes, reason }) {
      const attributes = { "expectation.linger.end_reason": reason };
      lingerDuration.record(durationMs / 1000, attributes);
      discarded.add(discardedBytes, attributes);
    },
  };
}
