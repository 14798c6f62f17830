import type { Decision } from "./decision.js";
import { Durations } from "./durations.js";
import { keysOf } from "./keys.js";
import { NetworkNames, networkRows } from "./networks.js";
import { Periods } from "./periods.js";
import { softwareOf } from "./software.js";
import { QUESTIONS, type Question, type Rows, type Summary } from "./summary.js";
import { SuspectTallies, type SuspectTally } from "./suspects/tallies.js";
import { TopKeys } from "./top-keys.js";

/** Options of {@link Aggregate}. */
interface AggregateOptions {
  /** Rows for each question. Default 10. */
  readonly top?: number;
  /** The most buckets over time. Default 1,500. */
  readonly buckets?: number;
}

const MOST_USER_AGENTS = 1_024;

interface KnownSoftware {
  readonly label: string;
  readonly suspect: SuspectTally | undefined;
}

/**
 * Sums up any number of decisions in bounded memory.
 *
 * @example
 * const aggregate = new Aggregate();
 * aggregate.add({ event: "expectation.refused", time: Date.now(), status: 413, policy: "maxSize" });
 * aggregate.summary().refused; // 1
 */
export class Aggregate {
  readonly #top: number;
  readonly #by = Object.fromEntries(QUESTIONS.map((question) => [question, new TopKeys()])) as Record<
    Question,
    TopKeys
  >;
  readonly #periods: Periods;
  readonly #networks = new NetworkNames();
  readonly #durations = new Durations();
  readonly #software = new Map<string, KnownSoftware>();
  readonly #suspects = new SuspectTallies();
  #refused = 0;
  #errors = 0;
  #accepted = 0;
  #omitted = 0;
  #bytesSpared = 0;
  #bytesWithheld = 0;

  constructor({ top = 10, buckets }: AggregateOptions = {}) {
    this.#top = top;
    this.#periods = new Periods(buckets);
  }

  /** Adds one decision. */
  add(decision: Decision): void {
    switch (decision.event) {
      case "expectation.omitted":
        this.#omitted += decision.omitted ?? 0;
        return;
      case "expectation.accepted":
        this.#accepted++;
        this.#atTime(decision, "accepted");
        return;
      case "expectation.error":
        this.#errors++;
        this.#atTime(decision, "errors");
        break;
      case "expectation.refused":
        this.#refused++;
        this.#atTime(decision, "refused");
        if (decision.durationMs !== undefined) this.#durations.add(decision.durationMs);
        break;
    }
    this.#count(decision);
  }

  /** Returns the sums so far. */
  summary(): Summary {
    const durationMs = this.#durations.summary();
    return {
      schema: 2,
      ...this.#periods.summary(),
      refused: this.#refused,
      errors: this.#errors,
      accepted: this.#accepted,
      omitted: this.#omitted,
      bytesSpared: this.#bytesSpared,
      bytesWithheld: this.#bytesWithheld,
      ...(durationMs && { durationMs }),
      by: this.#rows(),
      suspects: this.#suspects.rows(),
    };
  }

  #rows(): Record<Question, Rows> {
    const by = Object.fromEntries(QUESTIONS.map((question) => [question, this.#by[question].rows(this.#top)]));
    const networks = networkRows(by.network as Rows, this.#by.client.rows(Number.POSITIVE_INFINITY));
    return { ...(by as Record<Question, Rows>), network: networks };
  }

  #atTime(decision: Decision, counted: "refused" | "errors" | "accepted"): void {
    const { time, bytesSpared = 0, withheld } = decision;
    if (time === undefined) return;
    const counts = this.#periods.at(time);
    counts[counted]++;
    if (counted === "accepted") return;
    counts.bytesSpared += bytesSpared;
    if (withheld) counts.bytesWithheld += bytesSpared;
  }

  #count(decision: Decision): void {
    const { bytesSpared = 0, time = 0, status = 0 } = decision;
    const bytesWithheld = decision.withheld ? bytesSpared : 0;
    const by = this.#by;
    const keys = keysOf(decision);
    const { label, suspect } = this.#softwareOf(decision.userAgent);
    this.#bytesSpared += bytesSpared;
    this.#bytesWithheld += bytesWithheld;
    by.software.add(label, bytesSpared, bytesWithheld, time);
    by.network.add(this.#networks.of(keys.client), bytesSpared, bytesWithheld, time);
    by.client.add(keys.client, bytesSpared, bytesWithheld, time);
    by.route.add(keys.route, bytesSpared, bytesWithheld, time);
    by.policy.add(keys.policy, bytesSpared, bytesWithheld, time);
    if (decision.cutOffAfter !== undefined) by.cutOff.add(keys.cutOff, bytesSpared, bytesWithheld, time);
    by.status.add(keys.status, bytesSpared, bytesWithheld, time);
    by.expectation.add(keys.expectation, bytesSpared, bytesWithheld, time);
    by.method.add(keys.method, bytesSpared, bytesWithheld, time);
    by.httpVersion.add(keys.httpVersion, bytesSpared, bytesWithheld, time);
    if (!suspect) return;
    suspect.count++;
    suspect.bytesSpared += bytesSpared;
    suspect.bytesWithheld += bytesWithheld;
    suspect.statuses[status] = (suspect.statuses[status] as number) + 1;
  }

  #softwareOf(userAgent = ""): KnownSoftware {
    let known = this.#software.get(userAgent);
    if (known) return known;
    const { label, suspect } = softwareOf(userAgent);
    known = { label, suspect: suspect === undefined ? undefined : this.#suspects.of(suspect) };
    if (this.#software.size >= MOST_USER_AGENTS) this.#software.clear();
    this.#software.set(userAgent, known);
    return known;
  }
}
