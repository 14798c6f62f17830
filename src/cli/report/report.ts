import type { Command, Terminal } from "../command.js";
import { FileError } from "../files.js";
import { UsageError } from "../usage.js";
import { checkIsNoInput, type Input, inputsOf } from "./input.js";
import { namesOf } from "./names.js";
import { type ReportOptions, reportOptions } from "./options.js";
import { Output } from "./output.js";
import { Progress } from "./progress.js";
import { Reading, type ReadSummary } from "./reading.js";
import { Records } from "./records.js";
import { watch } from "./watch.js";

const NOTHING_READABLE = 1;
const FILE_FAILED = 3;

/** The command `report`: summarizes from logs who is refused and why. */
export const report: Command = async (args, terminal) => {
  const asked = reportOptions(args, Date.now());
  const options = { ...asked, files: await namesOf(asked.files) };
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
  const records = options.records ? new Records(terminal.stdout) : undefined;
  const reading = new Reading(
    options,
    records && {
      onRecord: (line) => records.add(line),
      onPiece: () => records.write(),
    },
  );
  const output = new Output(options, terminal);
  if (options.follow) await watch(reading, inputs, output, terminal);
  else await readAll(reading, inputs, terminal);
  const summary = reading.summary();
  const { lines, malformed } = summary.read;
  if (reading.failure) fail(terminal, reading.failure.message, FILE_FAILED);
  else if (lines === malformed) return fail(terminal, nothingReadable(inputs, summary), NOTHING_READABLE);
  await output.finish(summary);
  return reading.failure ? FILE_FAILED : 0;
}

async function readAll(reading: Reading, inputs: readonly Input[], terminal: Terminal): Promise<void> {
  const progress = new Progress(terminal, sizeOf(inputs));
  try {
    for (const { name, chunks } of inputs) {
      const isWanted = await reading.read(
        name,
        chunks((bytes) => progress.advance(bytes)),
      );
      if (isWanted) continue;
      // A pipe that nobody reads would keep the process alive.
      terminal.stdin.destroy();
      return;
    }
  } finally {
    progress.end();
  }
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
