import type { Command, Terminal } from "./command.js";
import { WRONG_USAGE } from "./usage.js";

const HELP = `Usage: express-expectations COMMAND

  probe URL        says what happens to an upload on the wire, which hop breaks it, and what to change
  report [FILE…]   says who is refused and why, from logs
  upload FILE URL  uploads a file, and sends nothing of it before the server has agreed

express-expectations COMMAND --help tells more.
`;

const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  report: async () => (await import("./report/report.js")).report,
  probe: async () => (await import("./probe/probe.js")).probe,
  upload: async () => (await import("./upload/upload.js")).uploadFile,
};

/** Runs the command that the arguments name, and returns its exit code. */
export async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name = "", ...rest] = args;
  if (name === "--help" || name === "-h" || name === "help") {
    terminal.stdout.write(HELP);
    return 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command) return (await command())(rest, terminal);
  terminal.stderr.write(name === "" ? HELP : `express-expectations: no command ${JSON.stringify(name)}\n\n${HELP}`);
  return WRONG_USAGE;
}
