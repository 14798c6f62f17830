import { lowerAscii } from "../http/token.js";
import type { Decision } from "./decision.js";
import { Durations } from "./durations.js";
import { softwareOf } from "./software.js";
import { QUESTIONS, type Question, type Rows, type Summary, type Suspect } from "./summary.js";
import { SUSPECTS } from "./suspects.js";
import { Timeline } from "./timeline.js";
import { TopKeys } from "./top-keys.js";

/** Options of {@link Aggregate}. */
export interface AggregateOptions {
  /** Rows for each question; 10 unless told. */
  readonly top?: number;
}

const MOST_USER_AGENTS = 1_024;
const LONGEST_KEY = 120;

/** What stands for a value that a record does not have. */
const ABSENT = "(none)";

interface SuspectTally {
  count: number;
  bytesSpared: number;
  /** Refusals by status; 0 for none. */
  readonly statuses: Float64Array;
}

interface KnownSoftware {
  readonly label: string;
  readonly suspect: SuspectTally | undefined;
}

/**
 * Sums decisions up, one at a time, in bounded memory: as many as come, from whomever.
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
  readonly #suspects = new Map<string, SuspectTally>();
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
      suspects: this.#suspectRows(),
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
    const { bytesSpared = 0, time = 0, route, url, client, expectation, status = 0 } = decision;
    const by = this.#by;
    const software = this.#softwareOf(decision.userAgent);
    this.#bytesSpared += bytesSpared;
    by.software.add(software.label, bytesSpared, time);
    by.client.add(client ? short(plainAddress(client)) : ABSENT, bytesSpared, time);
    by.route.add(short(route || (url && withoutQuery(url)) || ABSENT), bytesSpared, time);
    by.policy.add(short(decision.policy || ABSENT), bytesSpared, time);
    by.status.add(statusKey(status), bytesSpared, time);
    by.expectation.add(expectation ? plainExpectation(expectation) : ABSENT, bytesSpared, time);
    by.method.add(short(decision.method || ABSENT), bytesSpared, time);
    by.httpVersion.add(short(decision.httpVersion || ABSENT), bytesSpared, time);
    const { suspect } = software;
    if (!suspect) return;
    suspect.count++;
    suspect.bytesSpared += bytesSpared;
    suspect.statuses[status] = (suspect.statuses[status] as number) + 1;
  }

  #softwareOf(userAgent = ""): KnownSoftware {
    let known = this.#software.get(userAgent);
    if (known) return known;
    const { label, suspect } = softwareOf(userAgent);
    known = { label, suspect: suspect === undefined ? undefined : this.#suspectTally(suspect) };
    if (this.#software.size >= MOST_USER_AGENTS) this.#software.clear();
    this.#software.set(userAgent, known);
    return known;
  }

  #suspectTally(id: string): SuspectTally {
    let tally = this.#suspects.get(id);
    if (!tally) {
      tally = { count: 0, bytesSpared: 0, statuses: new Float64Array(1_000) };
      this.#suspects.set(id, tally);
    }
    return tally;
  }

  #suspectRows(): Suspect[] {
    return SUSPECTS.flatMap(({ id, name, known, change }) => {
      const tally = this.#suspects.get(id);
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

function short(key: string): string {
  return key.length <= LONGEST_KEY ? key : `${key.slice(0, LONGEST_KEY)}…`;
}

function statusKey(status: number): string {
  return status === 0 ? ABSENT : String(status);
}

function plainExpectation(expectation: string): string {
  return expectation === "100-continue" ? expectation : short(lowerAscii(expectation));
}

// An IPv4 client of a server that listens on IPv6.
function plainAddress(address: string): string {
  return address.startsWith(":") && /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice(7) : address;
}

function withoutQuery(url: string): string {
  const at = url.indexOf("?");
  return at < 0 ? url : url.slice(0, at);
}
