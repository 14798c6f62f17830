import { type Condition, conditionFrom } from "../../report/conditions.js";
import { momentFrom } from "../../report/moment.js";
import { visible } from "../../report/visible.js";
import { argumentsOf, colorChoice } from "../arguments.js";
import { fileOf } from "../probe/values.js";
import { UsageError } from "../usage.js";
import { REPORT_OPTIONS } from "./description.js";

/** The options of one run. */
export interface ReportOptions {
  readonly files: readonly string[];
  /** Milliseconds since 1970. */
  readonly since: number | undefined;
  readonly until: number | undefined;
  /** What records must be. */
  readonly where: readonly Condition[];
  /** Whether the lines of records are printed in place of the result. */
  readonly records: boolean;
  /** Whether files are read on as they grow. */
  readonly follow: boolean;
  readonly top: number;
  readonly json: boolean;
  readonly html: string | undefined;
  readonly color: boolean | undefined;
}

/**
 * Reads the command line.
 *
 * @param now - milliseconds since 1970.
 * @throws {UsageError} for a wrong option or value.
 */
export function reportOptions(args: readonly string[], now: number): ReportOptions {
  const { values, positionals } = argumentsOf(args, REPORT_OPTIONS);
  const since = moment("--since", values.since, now);
  const until = moment("--until", values.until, now);
  if (since !== undefined && until !== undefined && since >= until) {
    throw new UsageError("--since is not before --until: nothing lies between them");
  }
  const { records = false, json = false } = values;
  if (records && (json || values.html !== undefined)) {
    throw new UsageError(`--records and ${json ? "--json" : "--html"}: received both; expected one of them`);
  }
  return {
    files: positionals.length === 0 ? ["-"] : positionals,
    since,
    until,
    top: rows(values.top),
    where: (values.where ?? []).map(condition),
    records,
    follow: values.follow ?? false,
    json,
    html: fileOf("--html", values.html),
    color: colorChoice(values),
  };
}

function condition(text: string): Condition {
  const found = conditionFrom(text);
  if (typeof found !== "string") return found;
  throw new UsageError(`--where: received ${visible(JSON.stringify(text))}; ${found}`);
}

function moment(option: string, text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const found = momentFrom(text, now);
  if (found !== undefined) return found;
  throw new UsageError(
    `${option}: received ${visible(JSON.stringify(text))}; expected a time such as 2026-11-22T08:00Z, or how long ago: 24h, 7d`,
  );
}

function rows(text = "10"): number {
  const top = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (top >= 1 && top <= 1_000) return top;
  throw new UsageError(`--top: received ${visible(JSON.stringify(text))}; expected a whole number from 1 to 1000`);
}
