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
  /** Bytes that had arrived when an accepted upload was cut off. */
  readonly cutOffAfter?: number | undefined;
  readonly durationMs?: number | undefined;
  readonly omitted?: number | undefined;
}

/** The keys that a report reads. Loggers have different names for the time: the first valid one counts. */
export const FIELDS = [
  "event",
  "time",
  "timestamp",
  "@timestamp",
  "method",
  "url",
  "route",
  "policy",
  "expectation",
  "client",
  "userAgent",
  "httpVersion",
  "status",
  "bytesSpared",
  "cutOffAfter",
  "durationMs",
  "omitted",
] as const;

type Field = (typeof FIELDS)[number];

/** The index of each field in {@link FIELDS}. */
const AT = Object.fromEntries(FIELDS.map((field, at) => [field, at])) as Readonly<Record<Field, number>>;

const EVENTS: ReadonlySet<unknown> = new Set<DecisionEvent>([
  "expectation.refused",
  "expectation.error",
  "expectation.accepted",
  "expectation.omitted",
]);

/**
 * Creates a decision from the values of a JSON object.
 *
 * @param values - a value for each of {@link FIELDS}, in that order.
 * @returns `undefined` if the object is not a record of this package.
 */
export function decisionFrom(values: readonly unknown[]): Decision | undefined {
  const event = values[AT.event];
  if (!EVENTS.has(event)) return undefined;
  const route = text(values[AT.route]);
  return {
    event: event as DecisionEvent,
    time: timeFrom(values[AT.time]) ?? timeFrom(values[AT.timestamp]) ?? timeFrom(values[AT["@timestamp"]]),
    method: text(values[AT.method]),
    url: route ? undefined : text(values[AT.url]),
    route,
    policy: text(values[AT.policy]),
    expectation: text(values[AT.expectation]),
    client: text(values[AT.client]),
    userAgent: text(values[AT.userAgent]),
    httpVersion: text(values[AT.httpVersion]),
    status: status(values[AT.status]),
    bytesSpared: amount(values[AT.bytesSpared]),
    cutOffAfter: amount(values[AT.cutOffAfter]),
    durationMs: amount(values[AT.durationMs]),
    omitted: amount(values[AT.omitted]),
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
