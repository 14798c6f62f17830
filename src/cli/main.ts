import { visible } from "../report/visible.js";
import { nearestTo } from "../support/nearest.js";
import { argumentsOf } from "./arguments.js";
import type { Command, Terminal } from "./command.js";
import { DESCRIPTIONS } from "./descriptions.js";
import { reasonOf } from "./files.js";
import { helpOf, helpOfProgram } from "./help.js";
import { OutputError, print } from "./terminal.js";
import { UsageError, WRONG_USAGE } from "./usage.js";
import { versionAt } from "./version.js";

const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  probe: async () => (await import("./probe/probe.js")).probe,
  report: async () => (await import("./report/report.js")).report,
  upload: async () => (await import("./upload/upload.js")).uploadFile,
  completion: async () => (await import("./completion/completion.js")).completion,
};

/** The exit code if output cannot be written. */
const NO_OUTPUT = 3;

/** Runs the command that the arguments name, and returns its exit code. */
export async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  // Progress and messages that nobody reads are not worth an end.
  terminal.stderr.on("error", () => {});
  // Who writes to it gets the error, too.
  terminal.stdout.on("error", () => {});
  try {
    return await run(args, terminal);
  } catch (error) {
    if (!(error instanceof OutputError)) throw error;
    terminal.stderr.write(`express-expectations: ${error.message}: ${reasonOf(error.cause)}\n`);
    return NO_OUTPUT;
  }
}

async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name = "", ...rest] = args;
  if (name === "--help" || name === "-h" || name === "help") {
    return print(terminal.stdout, helpOfProgram(DESCRIPTIONS));
  }
  if (name === "--version" || name === "-V") return printVersion(terminal);
  const description = DESCRIPTIONS.find((one) => one.name === name);
  const load = COMMANDS[name];
  if (!description || !load) return unknownCommand(name, terminal);
  try {
    const { values } = argumentsOf(rest, description.options);
    if (values.help) return await print(terminal.stdout, helpOf(description));
    if (values.version) return await printVersion(terminal);
    return await (await load())(rest, terminal);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    terminal.stderr.write(`express-expectations ${name}: ${error.message}\n`);
    return WRONG_USAGE;
  }
}

function unknownCommand(name: string, { stderr }: Terminal): number {
  const help = helpOfProgram(DESCRIPTIONS);
  const names = DESCRIPTIONS.map((description) => description.name);
  const nearest = name === "" ? undefined : nearestTo(name, names);
  const hint = nearest === undefined ? "" : `; did you mean ${nearest}?`;
  stderr.write(name === "" ? help : `express-expectations: no command "${visible(name)}"${hint}\n\n${help}`);
  return WRONG_USAGE;
}

function printVersion({ stdout, argv }: Terminal): Promise<0> {
  return print(stdout, `express-expectations ${versionAt(argv?.[1]) ?? "(unknown version)"}\n`);
}
