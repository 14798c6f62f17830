import type { Writable } from "node:stream";
import { styleText } from "node:util";
import type { Terminal } from "./command.js";

/** Returns text in a style, or unchanged. */
export type Paint = (style: "red" | "green" | "yellow" | "cyan" | "bold" | "dim", text: string) => string;

/** Erases the current line of a terminal. */
export const ERASE_LINE = "\r\x1b[K";

/**
 * Returns a function that styles text.
 *
 * It leaves text unchanged if standard output is not a terminal or `NO_COLOR` is set (https://no-color.org).
 */
export function paintOf({ stdout, env }: Terminal): Paint {
  const isColoured = stdout.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb";
  return (style, text) => (isColoured ? styleText(style, text, { validateStream: false }) : text);
}

/** Writes to standard output. A closed pipe, as with `| head`, is not an error. */
export function print(stdout: Writable, text: string): Promise<0> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error | null) => {
      if (error && (error as NodeJS.ErrnoException).code !== "EPIPE") reject(error);
      else resolve(0);
    };
    stdout.on("error", settle);
    stdout.write(text, settle);
  });
}
