import { renderPage } from "../../report/page/page.js";
import type { Command, Terminal } from "../command.js";
import { FileError, writeWhole } from "../files.js";
import { paintOf, print } from "../terminal.js";
import { UsageError } from "../usage.js";
import { checkIsNoInput, type Input, inputsOf } from "./input.js";
import { type ReportOptions, reportOptions } from "./options.js";
import { Progress } from "./progress.js";
import { type ReadSummary, readLogs } from "./read.js";
import { reportText } from "./text.js";

const NOTHING_READABLE = 1;
const FILE_FAILED = 3;

/** The command `report`: summarizes from logs who is refused and why. */
export const report: Command = async (args, terminal) => {
  const options = reportOptions(args, Date.now());
  if (options.files.includes("-") && terminal.stdin.isTTY) {
    throw new UsageError("no FILE, and standard input is a terminal; --help tells more");
  }
  if (options.html !== undefined) await checkIsNoInput(options.html, options.files);
  try {
    return await run(options, terminal);
  } catch (error) {
    if (error instanceof FileError) return fail(terminal, error.message, FILE_FAILED);
    throw error;
  }
};

async function run(options: ReportOptions, terminal: Terminal): Promise<number> {
  const inputs = await inputsOf(options.files, terminal.stdin);
  const progress = new Progress(terminal, sizeOf(inputs));
  const { summary, failure } = await readLogs(inputs, options, (bytes) => progress.advance(bytes));
  progress.end();
  const { lines, malformed } = summary.read;
  if (failure) fail(terminal, failure.message, FILE_FAILED);
  else if (lines === malformed) return fail(terminal, nothingReadable(inputs, summary), NOTHING_READABLE);
  if (options.json) await print(terminal.stdout, `${JSON.stringify(summary, undefined, 2)}\n`);
  else if (options.html === undefined)
    await print(
      terminal.stdout,
      reportText(summary, { width: terminal.stdout.columns ?? 80, paint: paintOf(terminal, options.color) }),
    );
  if (options.html !== undefined) await writeWhole(options.html, renderPage(summary));
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

function fail({ stderr }: Terminal, message: string, code: number): number {
  stderr.write(`express-expectations report: ${message}\n`);
  return code;
}
