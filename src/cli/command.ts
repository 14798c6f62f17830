import type { Readable, Writable } from "node:stream";

/** What a command reads from and writes to, so that tests can stand in for a terminal. */
export interface Terminal {
  readonly stdin: Readable & { isTTY?: boolean };
  readonly stdout: Writable & { isTTY?: boolean; columns?: number };
  readonly stderr: Writable & { isTTY?: boolean; columns?: number };
  /** Environment variables, for `NO_COLOR` and its kin. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Runs one command and tells its exit code. */
export type Command = (args: readonly string[], terminal: Terminal) => Promise<number>;
