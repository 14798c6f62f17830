import { statusKey } from "../keys.js";
import type { Suspect } from "../summary.js";
import { SUSPECTS } from "./suspects.js";

/** The refusals of one suspect so far. */
export interface SuspectTally {
  count: number;
  bytesSpared: number;
  /** Refusals by status; 0 for none. */
  readonly statuses: Float64Array;
}

/** Counts the refusals of each suspect. */
export class SuspectTallies {
  readonly #byId = new Map<string, SuspectTally>();

  /** Returns the tally of a suspect, to add to. */
  of(id: string): SuspectTally {
    let tally = this.#byId.get(id);
    if (!tally) {
      tally = { count: 0, bytesSpared: 0, statuses: new Float64Array(1_000) };
      this.#byId.set(id, tally);
    }
    return tally;
  }

  /** Returns the suspects that were refused, the most refused first. */
  rows(): Suspect[] {
    return SUSPECTS.flatMap(({ id, name, known, change }) => {
      const tally = this.#byId.get(id);
      if (!tally) return [];
      const { count, bytesSpared } = tally;
      const statuses: Record<string, number> = {};
      tally.statuses.forEach((times, status) => {
        if (times > 0) statuses[statusKey(status)] = times;
      });
      return { id, name, count, bytesSpared, statuses, known, change };
    }).sort((a, b) => b.count - a.count);
  }
}
