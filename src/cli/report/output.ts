import { renderPage } from "../../report/page/page.js";
import type { Terminal } from "../command.js";
import { writeWhole } from "../files.js";
import { ERASE_SCREEN, isErasable, paintOf, print } from "../terminal.js";
import type { ReportOptions } from "./options.js";
import type { ReadSummary } from "./reading.js";
import { reportText } from "./text.js";

const DEFAULT_ROWS = 24;

/** Where the result goes: text or JSON to standard output, a page to a file. */
export class Output {
  readonly #options: ReportOptions;
  readonly #terminal: Terminal;

  constructor(options: ReportOptions, terminal: Terminal) {
    this.#options = options;
    this.#terminal = terminal;
  }

  /** Shows the result so far: on a terminal as much of it as fits, and in the page. */
  async update(summary: ReadSummary): Promise<void> {
    const { stdout } = this.#terminal;
    if (this.#isRedrawn()) {
      const lines = this.#text(summary).split("\n");
      await print(stdout, ERASE_SCREEN + lines.slice(0, (stdout.rows ?? DEFAULT_ROWS) - 1).join("\n"));
    }
    await this.#writePage(summary);
  }

  /** Shows the whole result. A page that cannot be written does not hide what is printed. */
  async finish(summary: ReadSummary): Promise<void> {
    const { json, follow } = this.#options;
    const { stdout } = this.#terminal;
    if (json) await print(stdout, `${JSON.stringify(summary, undefined, 2)}\n`);
    else if (this.#isText())
      await print(stdout, (follow && this.#isRedrawn() ? ERASE_SCREEN : "") + this.#text(summary));
    await this.#writePage(summary);
  }

  #isText(): boolean {
    const { json, html, records } = this.#options;
    return !json && !records && html === undefined;
  }

  #isRedrawn(): boolean {
    return this.#isText() && isErasable(this.#terminal.stdout, this.#terminal.env);
  }

  #text(summary: ReadSummary): string {
    const paint = paintOf(this.#terminal, this.#options.color);
    return reportText(summary, { width: this.#terminal.stdout.columns ?? 80, paint });
  }

  async #writePage(summary: ReadSummary): Promise<void> {
    if (this.#options.html !== undefined) await writeWhole(this.#options.html, renderPage(summary));
  }
}
