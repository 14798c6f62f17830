import type { Lane } from "./lane.js";

/** Finds the lane with the longest row in constant time, however many lanes there are. */
export class LaneLengths {
  // By the length of the row. Rows grow and shrink by one, so that the longest length is never searched for.
  readonly #lanes = new Map<number, Set<Lane>>();
  #most = 0;

  /** The lane with the longest row; `undefined` if nobody waits. */
  get longest(): Lane | undefined {
    return this.#lanes.get(this.#most)?.values().next().value;
  }

  /** The row of a lane has become longer or shorter by one. */
  update(lane: Lane, formerLength: number): void {
    const { length } = lane.row;
    const former = this.#lanes.get(formerLength);
    former?.delete(lane);
    if (former?.size === 0) this.#lanes.delete(formerLength);
    if (length > 0) {
      const present = this.#lanes.get(length);
      if (present) present.add(lane);
      else this.#lanes.set(length, new Set([lane]));
    }
    if (length > this.#most || !this.#lanes.has(this.#most)) this.#most = length;
  }
}
