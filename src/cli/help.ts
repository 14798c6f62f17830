import type { Description, Option } from "./description.js";
import { wrap } from "./wrap.js";

const WIDTH = 100;
/** Where the text of an option begins. */
const TEXT_AT = 26;

/** Returns the text that `express-expectations --help` prints. */
export function helpOfProgram(commands: readonly Description[]): string {
  const usages = commands.map(({ name, operands }) => `  ${name} ${operands}`);
  const width = Math.max(...usages.map((usage) => usage.length)) + 2;
  const lines = commands.map(({ summary }, i) => `${usages[i]?.padEnd(width)}${summary}`);
  return `Usage: express-expectations COMMAND

${lines.join("\n")}

express-expectations COMMAND --help tells more. express-expectations --version prints the version.
`;
}

/** Returns the text that `express-expectations COMMAND --help` prints. */
export function helpOf({ name, operands, purpose, options, notes = [], exitCodes }: Description): string {
  const parts = [
    [`Usage: express-expectations ${name} [OPTION…] ${operands}`.trimEnd()],
    wrap(purpose, WIDTH, "", ""),
    Object.entries(options).flatMap(([long, option]) => optionLines(long, option)),
    ...notes.map((note) => wrap(note, WIDTH, "", "")),
    wrap(`Exit codes: ${exitCodes.map(([code, meaning]) => `${code} ${meaning}`).join("; ")}.`, WIDTH, "", "  "),
  ];
  return `${parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function optionLines(long: string, option: Option): string[] {
  const head = `  ${namesOf(long, option)}`;
  const indent = " ".repeat(TEXT_AT);
  const first = head.length + 2 <= TEXT_AT ? head.padEnd(TEXT_AT) : `${head}  `;
  return wrap(option.help, WIDTH, first, indent);
}

function namesOf(long: string, { short, value }: Option): string {
  const names = `${short === undefined ? "    " : `-${short}, `}--${long}`;
  return value === undefined ? names : `${names} ${value}`;
}

/** Returns the beginning of the phrase about an option, for lists of options. */
export function shortTextOf({ help }: Option): string {
  return help.split(": ", 1)[0] as string;
}
