import { bytesText } from "../../pages/bytes.js";
import type { Terminal } from "../command.js";
import { ERASE_LINE, isErasable } from "../terminal.js";

const EVERY_MS = 100;

/** Shows progress in a line on standard error, if that is a terminal. */
export class Progress {
  readonly #stderr: Terminal["stderr"];
  readonly #isErasable: boolean;
  readonly #total: number | undefined;
  readonly #verb: string;
  #done = 0;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #isShown = false;

  /** @param total - the size of everything in bytes; `undefined` if it is unknown. */
  constructor({ stderr, env }: Terminal, total: number | undefined, verb = "reading") {
    this.#stderr = stderr;
    this.#isErasable = isErasable(stderr, env);
    this.#total = total;
    this.#verb = verb;
  }

  /** Adds to the bytes that are done. */
  advance(bytes: number): void {
    this.#done += bytes;
    if (!this.#isErasable || performance.now() - this.#drawnAt < EVERY_MS) return;
    this.#drawnAt = performance.now();
    this.#isShown = true;
    this.#stderr.write(`${ERASE_LINE}${this.#text()}`);
  }

  /** Erases the line. */
  end(): void {
    if (this.#isShown) this.#stderr.write(ERASE_LINE);
    this.#isShown = false;
  }

  #text(): string {
    const done = bytesText(this.#done);
    if (this.#total === undefined || this.#total === 0) return `${this.#verb}, ${done}`;
    const share = Math.min(this.#done / this.#total, 1);
    const label = ` ${String(Math.floor(share * 100)).padStart(3)} % of ${bytesText(this.#total)}`;
    const width = Math.min(Math.max((this.#stderr.columns ?? 80) - label.length - 3, 0), 40);
    const filled = Math.round(share * width);
    return `[${"#".repeat(filled)}${".".repeat(width - filled)}]${label}`;
  }
}
