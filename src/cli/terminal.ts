import type { Writable } from "node:stream";
import { styleText } from "node:util";
import type { Terminal } from "./command.js";

/** Returns text in a style, or unchanged. */
export type Paint = (style: "red" | "green" | "yellow" | "cyan" | "bold" | "dim", text: string) => string;

/** Erases the current line of a terminal. */
export const ERASE_LINE = "\r\x1b[K";

/** Erases a terminal, and goes to its beginning. */
export const ERASE_SCREEN = "\x1b[2J\x1b[H";

const DEFAULT_WIDTH = 100;
const LEAST_WIDTH = 40;

/** What `--color` and `--no-color` say; `undefined` without either. */
export type ColorChoice = boolean | undefined;

/**
 * Returns a function that styles text.
 *
 * The user's option decides, then `FORCE_COLOR` and `NO_COLOR` as Node reads them (https://no-color.org), then whether
 * standard output is a terminal that knows colours.
 */
export function paintOf({ stdout, env }: Terminal, choice?: ColorChoice): Paint {
  const isColoured = choice ?? fromEnvironment(env) ?? (stdout.isTTY === true && env.TERM !== "dumb");
  return (style, text) => (isColoured ? styleText(style, text, { validateStream: false }) : text);
}

function fromEnvironment({ FORCE_COLOR, NO_COLOR }: Terminal["env"]): ColorChoice {
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
  return NO_COLOR ? false : undefined;
}

/** Returns whether lines of a stream may be erased, as progress needs it. */
export function isErasable(stream: { readonly isTTY?: boolean }, { TERM }: Terminal["env"]): boolean {
  return stream.isTTY === true && TERM !== "dumb";
}

/** Returns how wide text may be: as wide as the terminal, and no wider than reads well. */
export function widthOfText({ stdout }: Terminal): number {
  return Math.max(LEAST_WIDTH, Math.min(DEFAULT_WIDTH, stdout.columns ?? DEFAULT_WIDTH));
}

/** Writes to standard output. A closed pipe, as with `| head`, is not an error. */
export async function print(stdout: Writable, text: string): Promise<0> {
  await isPrinted(stdout, text);
  return 0;
}

/**
 * Writes to standard output, no faster than it is read.
 *
 * @returns `false` if the pipe is closed.
 * @throws {OutputError} if it fails in another way.
 */
export function isPrinted(stdout: Writable, text: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    stdout.write(text, (error) => {
      const { code } = (error ?? {}) as NodeJS.ErrnoException;
      if (!error) resolve(true);
      else if (code === "EPIPE" || code === "ERR_STREAM_DESTROYED") resolve(false);
      else reject(new OutputError(error));
    });
  });
}

/** Standard output cannot be written to, as a full disk. */
export class OutputError extends Error {
  override readonly name = "OutputError";

  constructor(override readonly cause: Error) {
    super("standard output cannot be written to");
  }
}
