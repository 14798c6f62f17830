import { CONDITION_KEYS } from "../../report/conditions.js";
import { COMMON_OPTIONS, type Description } from "../description.js";

/** The options of `report`, without those of every command. */
export const REPORT_OPTIONS = {
  since: {
    type: "string",
    value: "TIME",
    help: "leaves out earlier records: 2026-11-22, 2026-11-22T08:00Z, or how long ago: 90m, 24h, 7d",
  },
  until: { type: "string", value: "TIME", help: "leaves out records at that time and later" },
  where: {
    type: "string",
    value: "KEY=VALUE",
    multiple: true,
    help: "only such records: status=413, status!=4xx, client=10.0.0.0/8, software=curl; may be repeated",
  },
  records: { type: "boolean", help: "prints the lines of these records in place of the result" },
  follow: { type: "boolean", short: "f", help: "goes on with what is added to the files, until it is interrupted" },
  top: { type: "string", value: "N", help: "rows of each table, 1 to 1000 (10)" },
  json: { type: "boolean", help: "prints the result as JSON" },
  html: {
    type: "string",
    value: "FILE",
    help: "writes the result as a page to FILE, and nothing to standard output",
    completes: "files",
  },
} as const;

/** The command `report`. */
export const REPORT: Description = {
  name: "report",
  operands: "[FILE…]",
  summary: "says who is refused and why, from logs",
  purpose:
    "Says who is refused and why. Reads JSON lines as pino, bunyan, winston and this package's own logger write them, also inside lines of Docker, journald and Kubernetes, and ignores other lines. Reads standard input if there is no FILE, or if FILE is -. FILE may be a pattern, such as 'logs/**/*.log'. Files may be compressed with gzip.",
  options: {
    ...REPORT_OPTIONS,
    where: { ...REPORT_OPTIONS.where, completes: CONDITION_KEYS.map((key) => `${key}=`) },
    ...COMMON_OPTIONS,
  },
  notes: [
    `Conditions of one key are alternatives, and different keys must all fit. Keys: ${CONDITION_KEYS.join(", ")}.`,
    "Times without a zone are UTC.",
  ],
  exitCodes: [
    [0, "done"],
    [1, "no line of the input is a JSON object"],
    [2, "wrong usage"],
    [3, "a file cannot be read, or a file or the output cannot be written"],
  ],
  completes: "files",
};
