/** Bytes of content that were announced, and did not come because of refusals. */
export interface Spared {
  /** All of them: those that were not sent, and those that were sent and not received. */
  readonly bytesSpared: number;
  /** Those that clients held back: they were not sent. */
  readonly bytesWithheld: number;
}

/** One row of a table: how often it was refused, errors included, and the bytes that did not come. */
export interface Row extends Spared {
  /** The value that the row counts: `curl 7.88`, an address, a route, a policy's name … */
  readonly key: string;
  readonly count: number;
  /** The time of its last refusal: ISO 8601. */
  readonly lastAt?: string;
  /** The addresses in it, if the row counts a network. */
  readonly addresses?: Rows;
}

/** The rows of one question, the most refused first. Their number is bounded. */
export interface Rows {
  readonly rows: readonly Row[];
  /** The refusals of all keys that are not among the rows. */
  readonly others: number;
}

/** One span of time. */
export interface Bucket extends Spared {
  /** The beginning: ISO 8601. */
  readonly at: string;
  readonly refused: number;
  readonly errors: number;
  readonly accepted: number;
}

/** A client or gateway that is known for its handling of `Expect`, and what to change. */
export interface Suspect extends Spared {
  /** A stable name: `curl`, `aws-sdk-js`, `guzzle` … */
  readonly id: string;
  readonly name: string;
  readonly count: number;
  /** Refusals by status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Known facts about it, one sentence each. */
  readonly known: readonly string[];
  /** Changes on its side, one sentence or command each. */
  readonly change: readonly string[];
  /** Ways to leave `Expect` out, against a 417. Empty if no refusal was a 417. */
  readonly leaveOut: readonly string[];
}

/**
 * The questions that a report answers with a table each.
 *
 * `cutOff` is the policy that cut off an accepted upload. `network` counts addresses by their /24 (IPv4) or /48 (IPv6).
 */
export const QUESTIONS = [
  "software",
  "network",
  "client",
  "route",
  "policy",
  "cutOff",
  "status",
  "expectation",
  "method",
  "httpVersion",
] as const;

/** A question that a report answers with a table. */
export type Question = (typeof QUESTIONS)[number];

/** The places of the `concurrency` policies of one name, since the dashboard was made. */
export interface PlaceRow {
  readonly policy: string;
  /** The most places of one key. */
  readonly limit: number;
  readonly inUse: number;
  /** Uploads that wait for a place. */
  readonly waiting: number;
  /** How long uploads waited that got a place, in milliseconds. Absent if none has waited. */
  readonly waitedMs?: Quantiles;
  /** Uploads that got no place: at once, after the longest wait, or because another upload needed the place in the row. */
  readonly full: number;
  readonly late: number;
  readonly evicted: number;
  /** Accepted uploads that lost their place, and were cut off. */
  readonly lost: number;
}

/** The disk space that `diskSpace` policies look at. */
export interface SpaceRow {
  readonly path: string;
  /** Absent if the file system does not answer. */
  readonly freeBytes?: number;
  /** Bytes that accepted uploads have announced and not brought yet. */
  readonly expectedBytes: number;
}

/** Times in milliseconds. */
export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Sums about refusals. `report --json` prints them, and the page and the dashboard draw them. */
export interface Summary extends Spared {
  /** The version of this format. It increases when a field is removed or changes its meaning. */
  readonly schema: 2;
  /** The times of the first and the last decision: ISO 8601. Absent if there was none. Odd times do not count. */
  readonly from?: string;
  readonly to?: string;
  readonly refused: number;
  /** Errors: policies that threw or timed out. */
  readonly errors: number;
  /** Acceptances. Only the dashboard counts them: they are not logged. */
  readonly accepted: number;
  /** Refusals that the logger `sampled` left out of the log. */
  readonly omitted: number;
  /** The time from the header section to the refusal, in milliseconds. Absent if there was no refusal. */
  readonly durationMs?: Quantiles;
  readonly by: Readonly<Record<Question, Rows>>;
  /** At most 1,500 buckets of the same length, without gaps. */
  readonly overTime: { readonly stepMs: number; readonly buckets: readonly Bucket[] };
  /** Records whose times are more than 30 days from those of at least four times as many. They are in no bucket. */
  readonly oddTimes?: { readonly count: number; readonly from: string; readonly to: string };
  readonly suspects: readonly Suspect[];
  /** What is in progress in the process. Only the dashboard tells it. */
  readonly now?: { readonly places: readonly PlaceRow[]; readonly spaces: readonly SpaceRow[] };
  /** What was read. Absent if the decisions do not come from logs. */
  readonly read?: {
    readonly bytes: number;
    readonly lines: number;
    /** Lines that are not a JSON object. */
    readonly malformed: number;
    /** JSON objects that are not records of this package. */
    readonly foreign: number;
    /** Records that `--since` and `--until` left out, with those that have no time. */
    readonly outside?: number;
    /** The number of those that have no time. */
    readonly untimed?: number;
    /** Records that `--where` left out. */
    readonly filtered?: number;
    /** The place of the first malformed line: `app.log:17`. */
    readonly firstMalformed?: string;
  };
}
