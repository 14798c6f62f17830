import type { Readable, Writable } from "node:stream";

/** The streams and environment of a command. Tests pass their own. */
export interface Terminal {
  readonly stdin: Readable & { isTTY?: boolean };
  readonly stdout: Writable & { isTTY?: boolean; columns?: number; rows?: number };
  readonly stderr: Writable & { isTTY?: boolean; columns?: number };
  /** The program's own path is the second one, as in `process.argv`. */
  readonly argv?: readonly string[];
  /** Calls back when the user interrupts, as `process` does. */
  once?(signal: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  off?(signal: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  /** Environment variables such as `NO_COLOR`. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Runs a command and returns its exit code. */
export type Command = (args: readonly string[], terminal: Terminal) => Promise<number>;
