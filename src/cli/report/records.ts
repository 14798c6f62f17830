import type { Writable } from "node:stream";
import { isPrinted } from "../terminal.js";

/** Prints the lines of records as they come. */
export class Records {
  readonly #stdout: Writable;
  #lines: string[] = [];

  constructor(stdout: Writable) {
    this.#stdout = stdout;
  }

  /** Adds one record. */
  add(line: string): void {
    this.#lines.push(`${shown(line)}\n`);
  }

  /**
   * Writes what has been added.
   *
   * @returns `false` if nobody reads it any more, as with `| head`.
   * @throws {OutputError}
   */
  async write(): Promise<boolean> {
    if (this.#lines.length === 0) return true;
    const text = this.#lines.join("");
    this.#lines = [];
    return isPrinted(this.#stdout, text);
  }
}

// Characters that would move a cursor or hide text are escaped as JSON escapes them, so that the line means the same.
function shown(line: string): string {
  return line
    .trim()
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) =>
      Array.from(
        { length: character.length },
        (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`,
      ).join(""),
    );
}
