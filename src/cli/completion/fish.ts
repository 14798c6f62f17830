import type { Description, Option } from "../description.js";
import { shortTextOf } from "../help.js";
import { quoted } from "./quoted.js";

const COMPLETE = "complete -c express-expectations";

/** Returns the completions for fish. */
export function fishCompletion(commands: readonly Description[]): string {
  return `# fish completion of express-expectations: express-expectations completion fish | source
${[
  `${COMPLETE} -f`,
  `${COMPLETE} -n __fish_use_subcommand -s h -l help -d 'prints the commands'`,
  `${COMPLETE} -n __fish_use_subcommand -s V -l version -d 'prints the version'`,
  ...commands.map(({ name, summary }) => `${COMPLETE} -n __fish_use_subcommand -a ${name} -d ${described(summary)}`),
  ...commands.flatMap(commandLines),
].join("\n")}
`;
}

function commandLines({ name, options, completes }: Description): string[] {
  const begin = `${COMPLETE} -n '__fish_seen_subcommand_from ${name}'`;
  const flags = Object.entries(options).map(([long, option]) => {
    const short = option.short === undefined ? "" : ` -s ${option.short}`;
    return `${begin}${short} -l ${long}${argumentOf(option)} -d ${described(shortTextOf(option))}`;
  });
  if (completes === "files") return [...flags, `${begin} -F`];
  return completes.length === 0 ? flags : [...flags, `${begin} -a ${quoted(completes.join(" "))}`];
}

function argumentOf({ type, completes = [] }: Option): string {
  if (type === "boolean") return "";
  if (completes === "files") return " -r -F";
  return completes.length === 0 ? " -x" : ` -x -a ${quoted(completes.join(" "))}`;
}

// In single quotes, fish reads a backslash before another backslash or a quote as an escape.
function described(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
