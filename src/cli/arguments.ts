import { type ParseArgsConfig, parseArgs } from "node:util";
import { visible } from "../report/visible.js";
import { nearestTo } from "../support/nearest.js";
import { UsageError } from "./usage.js";

/** The options of a command that takes `--color`. */
export const COLOR_OPTIONS = { color: { type: "boolean" }, "no-color": { type: "boolean" } } as const;

/** Returns what `--color` and `--no-color` say; `undefined` without either. */
export function colorChoice(values: { readonly color?: boolean; readonly "no-color"?: boolean }): boolean | undefined {
  return values["no-color"] ? false : values.color;
}

type Options = NonNullable<ParseArgsConfig["options"]>;
type Arguments<O extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; options: O; allowPositionals: true }>
>;

/**
 * Reads a command line.
 *
 * @throws {UsageError} for an unknown option, with the nearest one, and for a value that is missing.
 */
export function argumentsOf<O extends Options>(args: readonly string[], options: O): Arguments<O> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(messageOf(error as Error, Object.keys(options)));
  }
}

function messageOf({ message }: Error, names: readonly string[]): string {
  const unknown = /^Unknown option '--([^']*)'/s.exec(message)?.[1];
  if (unknown !== undefined) {
    const nearest = nearestTo(unknown, names);
    const hint = nearest === undefined ? "--help lists the options" : `did you mean --${nearest}?`;
    return `no option --${visible(unknown)}; ${hint}`;
  }
  // The rest of Node's message explains what `--` does.
  return visible(message.split(/\. |\n/, 1)[0] ?? message);
}
