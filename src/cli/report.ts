import type { Writable } from "node:stream";
import { styleText } from "node:util";
import { renderPage } from "../report/page.js";
import type { Command, Terminal } from "./main.js";
import { FileError, type Input, openInputs } from "./report-input.js";
import { HELP, type ReportOptions, reportOptions, UsageError } from "./report-options.js";
import { writeWhole } from "./report-page.js";
import { Progress } from "./report-progress.js";
import { type ReadSummary, readLogs } from "./report-read.js";
import { type Paint, reportText } from "./report-text.js";

const NOTHING_READABLE = 1;
const WRONG_USAGE = 2;
const FILE_FAILED = 3;

/** Says from logs who is refused and why. */
export const report: Command = async (args, terminal) => {
  try {
    const options = reportOptions(args, Date.now());
    if (options === "help") return await print(terminal.stdout, HELP);
    if (options.files.includes("-") && terminal.stdin.isTTY) {
      throw new UsageError("no FILE, and standard input is a terminal; --help tells more");
    }
    return await run(options, terminal);
  } catch (error) {
    if (error instanceof UsageError) return complain(terminal, error.message, WRONG_USAGE);
    if (error instanceof FileError) return complain(terminal, error.message, FILE_FAILED);
    throw error;
  }
};

async function run(options: ReportOptions, terminal: Terminal): Promise<number> {
  const inputs = await openInputs(options.files, terminal.stdin);
  const progress = new Progress(terminal.stderr, sizeOf(inputs));
  const { summary, failure } = await readLogs(inputs, options, (bytes) => progress.advance(bytes));
  progress.end();
  const { lines, malformed } = summary.read;
  if (failure) complain(terminal, failure.message, FILE_FAILED);
  else if (lines === malformed) return complain(terminal, nothingReadable(inputs, summary), NOTHING_READABLE);
  if (options.html !== undefined) await writeWhole(options.html, renderPage(summary));
  if (options.json) await print(terminal.stdout, `${JSON.stringify(summary, undefined, 2)}\n`);
  else if (options.html === undefined) await print(terminal.stdout, reportText(summary, textOptions(terminal)));
  return failure ? FILE_FAILED : 0;
}

function sizeOf(inputs: readonly Input[]): number | undefined {
  return inputs.every(({ size }) => size !== undefined)
    ? inputs.reduce((sum, { size = 0 }) => sum + size, 0)
    : undefined;
}

function nothingReadable(inputs: readonly Input[], { read: { bytes } }: ReadSummary): string {
  const names = inputs.map(({ name }) => name).join(", ");
  if (bytes === 0) return `${names}: empty`;
  return `${names}: no line is a JSON object; expected a log of JSON lines`;
}

function textOptions({ stdout, env }: Terminal): { width: number; paint: Paint } {
  // https://no-color.org: whatever it says, unless it is empty.
  const isColoured = stdout.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb";
  const paint: Paint = (style, text) => (isColoured ? styleText(style, text, { validateStream: false }) : text);
  return { width: stdout.columns ?? 80, paint };
}

function complain({ stderr }: Terminal, message: string, code: number): number {
  stderr.write(`express-expectations report: ${message}\n`);
  return code;
}

/** Writes to standard output; a reader that has gone (`| head`) is none to complain to. */
function print(stdout: Writable, text: string): Promise<0> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error | null) => {
      if (error && (error as NodeJS.ErrnoException).code !== "EPIPE") reject(error);
      else resolve(0);
    };
    stdout.on("error", settle);
    stdout.write(text, settle);
  });
}
