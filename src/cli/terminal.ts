import type { Writable } from "node:stream";
import { styleText } from "node:util";
import type { Terminal } from "./command.js";

/** Writes text in a style, or as it is. */
export type Paint = (style: "red" | "green" | "yellow" | "cyan" | "bold" | "dim", text: string) => string;

/** Takes the line under way off a terminal. */
export const ERASE_LINE = "\r\x1b[K";

/** Paints on a terminal that is not told to stay plain (https://no-color.org: whatever it says, unless it is empty). */
export function paintOf({ stdout, env }: Terminal): Paint {
  const isColoured = stdout.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb";
  return (style, text) => (isColoured ? styleText(style, text, { validateStream: false }) : text);
}

/** Writes to standard output; a reader that has gone (`| head`) is none to complain to. */
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
