import type { Decision } from "./decision.js";
import { Durations } from "./durations.js";
import { keysOf } from "./keys.js";
import { softwareOf } from "./software.js";
import { QUESTIONS, type Question, type Rows, type Summary } from "./summary.js";
import { SuspectTallies, type SuspectTally } from "./suspects/tallies.js";
import { Timeline } from "./timeline.js";
import { TopKeys } from "./top-keys.js";

/** Options of {@link Aggregate}. */
interface AggregateOptions {
  /** Rows for each question. Default 10. */
  readonly top?: number;
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
  readonly #timeline = new Timeline();
  readonly #durations = new Durations();
  readonly #software = new Map<string, KnownSoftware>();
  readonly #suspects = new SuspectTallies();
  #from = Number.POSITIVE_INFINITY;
  #to = 0;
  #refused = 0;
  #errors = 0;
  #accepted = 0;
  #omitted = 0;
  #bytesSpared = 0;

  constructor({ top = 10 }: AggregateOptions = {}) {
    this.#top = top;
  }

  /** Adds one decision. */
  add(decision: Decision): void {
    switch (decision.event) {
      case "expectation.omitted":
        this.#omitted += decision.omitted ?? 0;
        return;
      case "expectation.accepted":
        this.#accepted++;
        this.#atTime(decision.time, "accepted", 0);
        return;
      case "expectation.error":
        this.#errors++;
        this.#atTime(decision.time, "errors", decision.bytesSpared ?? 0);
        break;
      case "expectation.refused":
        this.#refused++;
        this.#atTime(decision.time, "refused", decision.bytesSpared ?? 0);
        if (decision.durationMs !== undefined) this.#durations.add(decision.durationMs);
        break;
    }
    this.#count(decision);
  }

  /** Returns the sums so far. */
  summary(): Summary {
    const durationMs = this.#durations.summary();
    return {
      version: 1,
      ...(this.#to > 0 && { from: new Date(this.#from).toISOString(), to: new Date(this.#to).toISOString() }),
      refused: this.#refused,
      errors: this.#errors,
      accepted: this.#accepted,
      omitted: this.#omitted,
      bytesSpared: this.#bytesSpared,
      ...(durationMs && { durationMs }),
      by: Object.fromEntries(QUESTIONS.map((question) => [question, this.#by[question].rows(this.#top)])) as Record<
        Question,
        Rows
      >,
      overTime: this.#timeline.overTime(),
      suspects: this.#suspects.rows(),
    };
  }

  #atTime(time: number | undefined, counted: "refused" | "errors" | "accepted", bytesSpared: number): void {
    if (time === undefined) return;
    if (time < this.#from) this.#from = time;
    if (time > this.#to) this.#to = time;
    const counts = this.#timeline.at(time);
    counts[counted]++;
    counts.bytesSpared += bytesSpared;
  }

  #count(decision: Decision): void {
    const { bytesSpared = 0, time = 0, status = 0 } = decision;
    const by = this.#by;
    const keys = keysOf(decision);
    const { label, suspect } = this.#softwareOf(decision.userAgent);
    this.#bytesSpared += bytesSpared;
    by.software.add(label, bytesSpared, time);
    by.client.add(keys.client, bytesSpared, time);
    by.route.add(keys.route, bytesSpared, time);
    by.policy.add(keys.policy, bytesSpared, time);
    if (decision.cutOffAfter !== undefined) by.cutOff.add(keys.cutOff, bytesSpared, time);
    by.status.add(keys.status, bytesSpared, time);
    by.expectation.add(keys.expectation, bytesSpared, time);
    by.method.add(keys.method, bytesSpared, time);
    by.httpVersion.add(keys.httpVersion, bytesSpared, time);
    if (!suspect) return;
    suspect.count++;
    suspect.bytesSpared += bytesSpared;
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
