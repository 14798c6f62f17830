import { parseArgs } from "node:util";
import { momentFrom } from "../report/moment.js";
import { visible } from "../report/visible.js";
import { UsageError } from "./usage.js";

export const HELP = `Usage: express-expectations report [OPTION…] [FILE…]

Says who is refused and why, from logs of JSON lines as pino, bunyan, winston and this package's own logger write
them; what else is in a log is passed over. Reads standard input where there is no FILE, or where it is -.
Files may be compressed with gzip.

  --since TIME   leaves out what was before: 2026-11-22, 2026-11-22T08:00Z, or how long ago: 90m, 24h, 7d
  --until TIME   leaves out what was at that time and later
  --top N        rows of each table, 1 to 1000; 10 unless told
  --json         prints the result as JSON
  --html FILE    writes the result as a page of its own into FILE, and nothing to standard output
  -h, --help     prints this

Times are UTC where they name no zone.

Exit codes: 0 done; 1 no line of the input is a JSON object; 2 wrong usage; 3 a file cannot be read or written.
`;

export interface ReportOptions {
  readonly files: readonly string[];
  /** Milliseconds since 1970. */
  readonly since: number | undefined;
  readonly until: number | undefined;
  readonly top: number;
  readonly json: boolean;
  readonly html: string | undefined;
}

/**
 * Reads the command line.
 *
 * @throws {UsageError} where it is wrong.
 */
export function reportOptions(args: readonly string[], now: number): ReportOptions | "help" {
  const { values, positionals } = parsed(args);
  if (values.help) return "help";
  const since = moment("--since", values.since, now);
  const until = moment("--until", values.until, now);
  if (since !== undefined && until !== undefined && since >= until) {
    throw new UsageError("--since is not before --until: nothing lies between them");
  }
  if (values.html === "") throw new UsageError("--html: received no name; expected that of a file");
  return {
    files: positionals.length === 0 ? ["-"] : positionals,
    since,
    until,
    top: rows(values.top),
    json: values.json === true,
    html: values.html,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        since: { type: "string" },
        until: { type: "string" },
        top: { type: "string" },
        json: { type: "boolean" },
        html: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    // Node's message goes on to explain what `--` does.
    const [reason = ""] = String((error as Error).message).split(/[.\n]/, 1);
    throw new UsageError(visible(reason));
  }
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
