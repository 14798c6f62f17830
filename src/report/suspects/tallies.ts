import { statusKey } from "../keys.js";
import type { Suspect } from "../summary.js";
import type { SuspectFacts } from "./facts.js";
import { SUSPECTS } from "./suspects.js";

/** The refusals of one suspect so far. */
export interface SuspectTally {
  count: number;
  bytesSpared: number;
  bytesWithheld: number;
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
      tally = { count: 0, bytesSpared: 0, bytesWithheld: 0, statuses: new Float64Array(1_000) };
      this.#byId.set(id, tally);
    }
    return tally;
  }

  /** Returns the suspects that were refused, the most refused first. */
  rows(): Suspect[] {
    return SUSPECTS.flatMap((facts) => {
      const tally = this.#byId.get(facts.id);
      return tally ? rowOf(facts, tally) : [];
    }).sort((a, b) => b.count - a.count);
  }
}

function rowOf(facts: SuspectFacts, { count, bytesSpared, bytesWithheld, statuses }: SuspectTally): Suspect {
  const { id, name, known, change, leaveOut = [], neverWaits } = facts;
  const seen: Record<string, number> = {};
  statuses.forEach((times, status) => {
    if (times > 0) seen[statusKey(status)] = times;
  });
  const kept = Object.keys(seen).filter((key) => key.startsWith("4") && key !== "417");
  return {
    id,
    name,
    count,
    bytesSpared,
    bytesWithheld,
    statuses: seen,
    known,
    change: [...(kept.length === 0 || neverWaits ? [] : [keepSentence(kept)]), ...change],
    leaveOut: seen["417"] === undefined ? [] : leaveOut,
  };
}

function keepSentence(statuses: readonly string[]): string {
  return `Keep Expect for ${statuses.join(", ")}: without it, the content is sent, and refused all the same.`;
}
