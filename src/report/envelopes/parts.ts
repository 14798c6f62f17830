import { LONGEST_LINE } from "../log/log-reader.js";
import type { Wrapped } from "./wrapped.js";

const MOST_STREAMS = 256;

/** Joins the parts of texts that a container runtime has broken. Holds at most {@link LONGEST_LINE} characters. */
export class Parts {
  readonly #begun = new Map<string, string>();
  #length = 0;

  /** Returns the whole text; `undefined` if its last part is still to come. */
  join({ text, partOf, goesOn = false }: Wrapped): string | undefined {
    if (partOf === undefined || (this.#begun.size === 0 && !goesOn)) return text;
    const before = this.#begun.get(partOf) ?? "";
    const joined = before + text;
    this.#length -= before.length;
    this.#begun.delete(partOf);
    // No record is so long: what there is of it ends here.
    const isFull = this.#length + joined.length > LONGEST_LINE || this.#begun.size >= MOST_STREAMS;
    if (!goesOn || isFull) return joined;
    this.#begun.set(partOf, joined);
    this.#length += joined.length;
    return undefined;
  }

  /** Returns the texts whose last part has not come. */
  rest(): string[] {
    return [...this.#begun.values()];
  }
}
