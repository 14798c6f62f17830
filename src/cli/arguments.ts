import { parseArgs } from "node:util";
import { visible } from "../report/visible.js";
import { nearestTo } from "../support/nearest.js";
import { COMMON_OPTIONS, type Options } from "./description.js";
import { UsageError } from "./usage.js";

/** Returns what `--color` and `--no-color` say; `undefined` without either. */
export function colorChoice(values: { readonly color?: boolean; readonly "no-color"?: boolean }): boolean | undefined {
  return values["no-color"] ? false : values.color;
}

type Arguments<O extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; options: O & typeof COMMON_OPTIONS; allowPositionals: true }>
>;

/**
 * Reads a command line, with the options that every command has.
 *
 * @throws {UsageError} for an unknown option, with the nearest one, and for a value that is missing.
 */
export function argumentsOf<O extends Options>(args: readonly string[], options: O): Arguments<O> {
  const all = { ...options, ...COMMON_OPTIONS };
  try {
    return parseArgs({ args: [...args], options: all, allowPositionals: true });
  } catch (error) {
    throw new UsageError(messageOf(error as Error, Object.keys(all)));
  }
}

function messageOf({ message }: Error, names: readonly string[]): string {
  const [, dashes = "", unknown] = /^Unknown option '(--?)([^']*)'/s.exec(message) ?? [];
  if (unknown !== undefined) {
    const nearest = dashes === "--" ? nearestTo(unknown, names) : undefined;
    const hint = nearest === undefined ? "--help lists the options" : `did you mean --${nearest}?`;
    return `no option ${dashes}${visible(unknown)}; ${hint}`;
  }
  // The rest of Node's message explains what `--` does.
  return visible(message.split(/\. |\n/, 1)[0] ?? message);
}
