import { timeFrom } from "./record-time.js";
import { cut } from "./text-copy.js";

/** The kinds of records: refusals, errors, acceptances, and the number of records that a sampled logger left out. */
type DecisionEvent = "expectation.refused" | "expectation.error" | "expectation.accepted" | "expectation.omitted";

/** The fields of one record that a report uses. A field that is missing, or of another type, is `undefined`. */
export interface Decision {
  readonly event: DecisionEvent;
  /** Milliseconds since 1970. */
  readonly time?: number | undefined;
  readonly method?: string | undefined;
  /** The request's target. Absent in records that have a route. */
  readonly url?: string | undefined;
  readonly route?: string | undefined;
  readonly policy?: string | undefined;
  readonly expectation?: string | undefined;
  readonly client?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly httpVersion?: string | undefined;
  readonly status?: number | undefined;
  /** Bytes. */
  readonly bytesSpared?: number | undefined;
  /** Whether the client held its content back, so that nothing of it was sent. */
  readonly withheld?: boolean | undefined;
  /** Bytes that had arrived when an accepted upload was cut off. */
  readonly cutOffAfter?: number | undefined;
  readonly durationMs?: number | undefined;
  readonly omitted?: number | undefined;
}

const EVENTS: ReadonlySet<unknown> = new Set<DecisionEvent>([
  "expectation.refused",
  "expectation.error",
  "expectation.accepted",
  "expectation.omitted",
]);

/**
 * Creates a decision from a log record. Loggers have different names for the time: the first valid one counts.
 *
 * @returns `undefined` if the object is not a record of this package.
 */
export function decisionFrom(record: Readonly<Record<string, unknown>>): Decision | undefined {
  const { event } = record;
  if (!EVENTS.has(event)) return undefined;
  const route = text(record.route);
  return {
    event: event as DecisionEvent,
    time: timeFrom(record.time) ?? timeFrom(record.timestamp) ?? timeFrom(record["@timestamp"]),
    method: text(record.method),
    url: route ? undefined : text(record.url),
    route,
    policy: text(record.policy),
    expectation: text(record.expectation),
    client: text(record.client),
    userAgent: text(record.userAgent),
    httpVersion: text(record.httpVersion),
    status: status(record.status),
    bytesSpared: amount(record.bytesSpared),
    withheld: record.withheld === true || undefined,
    cutOffAfter: amount(record.cutOffAfter),
    durationMs: amount(record.durationMs),
    omitted: amount(record.omitted),
  };
}

// The loggers of this package cut values to 1,024 characters and an ellipsis. Others may not.
const LONGEST_VALUE = 1_025;

function text(value: unknown): string | undefined {
  return typeof value === "string" ? cut(value, LONGEST_VALUE) : undefined;
}

function status(value: unknown): number | undefined {
  return Number.isInteger(value) && (value as number) >= 100 && (value as number) <= 999
    ? (value as number)
    : undefined;
}

function amount(value: unknown): number | undefined {
  return typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}
