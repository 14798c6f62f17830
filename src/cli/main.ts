import { visible } from "../report/visible.js";
import { nearestTo } from "../support/nearest.js";
import type { Command, Terminal } from "./command.js";
import { reasonOf } from "./files.js";
import { OutputError, print } from "./terminal.js";
import { WRONG_USAGE } from "./usage.js";
import { versionAt } from "./version.js";

const HELP = `Usage: express-expectations COMMAND

  probe URL        says what happens to an upload on the wire, which hop breaks it, and what to change
  report [FILE…]   says who is refused and why, from logs
  upload FILE URL  uploads a file, and sends nothing of it before the server has agreed

express-expectations COMMAND --help tells more. express-expectations --version prints the version.
`;

const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  report: async () => (await import("./report/report.js")).report,
  probe: async () => (await import("./probe/probe.js")).probe,
  upload: async () => (await import("./upload/upload.js")).uploadFile,
};

/** The exit code if output cannot be written. */
const NO_OUTPUT = 3;

/** Runs the command that the arguments name, and returns its exit code. */
export async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  // Progress and messages that nobody reads are not worth an end.
  terminal.stderr.on("error", () => {});
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
  if (name === "--help" || name === "-h" || name === "help") return print(terminal.stdout, HELP);
  if (name === "--version" || name === "-V") return printVersion(terminal);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command && (rest[0] === "--version" || rest[0] === "-V")) return printVersion(terminal);
  if (command) return (await command())(rest, terminal);
  const nearest = nearestTo(name, Object.keys(COMMANDS));
  const hint = nearest === undefined || name === "" ? "" : `; did you mean ${nearest}?`;
  terminal.stderr.write(name === "" ? HELP : `express-expectations: no command "${visible(name)}"${hint}\n\n${HELP}`);
  return WRONG_USAGE;
}

function printVersion({ stdout, argv }: Terminal): Promise<0> {
  return print(stdout, `express-expectations ${versionAt(argv?.[1]) ?? "(unknown version)"}\n`);
}
