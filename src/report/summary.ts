/** How often something was refused, faults included, and what that spared. */
export interface Row {
  /** What the row stands for: `curl 7.88`, an address, a route, a policy's name … */
  readonly key: string;
  readonly count: number;
  /** Bytes. */
  readonly bytesSpared: number;
  /** When it was last refused: ISO 8601. */
  readonly lastAt?: string;
}

/** The rows of one question, most refused first; bounded, so that clients cannot fill the memory. */
export interface Rows {
  readonly rows: readonly Row[];
  /** Refusals of keys that are not among the rows. */
  readonly others: number;
}

/** One span of time. */
export interface Bucket {
  /** Its beginning: ISO 8601. */
  readonly at: string;
  readonly refused: number;
  readonly errors: number;
  readonly accepted: number;
  /** Bytes. */
  readonly bytesSpared: number;
}

/** A client software or gateway that often stands behind a 417, and what helps. */
export interface Suspect {
  /** Stable: `curl`, `aws-sdk-js`, `guzzle` … */
  readonly id: string;
  readonly name: string;
  readonly count: number;
  /** Bytes. */
  readonly bytesSpared: number;
  /** Refusals by status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** What is known about it: one sentence each. */
  readonly known: readonly string[];
  /** What to change on its side: one sentence or command each. */
  readonly change: readonly string[];
}

/** The questions a report answers row by row. */
export const QUESTIONS = [
  "software",
  "client",
  "route",
  "policy",
  "status",
  "expectation",
  "method",
  "httpVersion",
] as const;

export type Question = (typeof QUESTIONS)[number];

/** Who was refused and why, summed up: what `report --json` prints, and what the page and the dashboard draw. */
export interface Summary {
  readonly version: 1;
  /** The first and the last decision: ISO 8601; absent where there was none. */
  readonly from?: string;
  readonly to?: string;
  readonly refused: number;
  /** Faults: policies that threw or did not answer. */
  readonly errors: number;
  /** Known to the dashboard alone: acceptances are not logged. */
  readonly accepted: number;
  /** Refusals that `sampled` left out of the log, as it says there. */
  readonly omitted: number;
  /** Declared bytes that refusals kept from being sent. */
  readonly bytesSpared: number;
  /** From the header section to the refusal, in milliseconds; absent where there was no refusal. */
  readonly durationMs?: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly by: Readonly<Record<Question, Rows>>;
  /** At most 120 buckets of the same length, without gaps. */
  readonly overTime: { readonly stepMs: number; readonly buckets: readonly Bucket[] };
  readonly suspects: readonly Suspect[];
  /** What was read, where it came from files. */
  readonly read?: {
    readonly bytes: number;
    readonly lines: number;
    /** Lines that are no JSON object. */
    readonly malformed: number;
    /** JSON that is no record of this package. */
    readonly foreign: number;
    /** Records that are left out: outside the time asked for, or without a time where one was asked for. */
    readonly outside?: number;
    /** How many of these tell no time. */
    readonly untimed?: number;
    /** Where the first malformed line is: `app.log:17`. */
    readonly firstMalformed?: string;
  };
}
