import { Aggregate } from "../../report/aggregate.js";
import { meets } from "../../report/conditions.js";
import type { Decision } from "../../report/decision.js";
import { unwrapped } from "../../report/envelopes/unwrap.js";
import { LogReader } from "../../report/log/log-reader.js";
import type { Summary } from "../../report/summary.js";
import { FileError } from "../files.js";
import type { ReportOptions } from "./options.js";

/** A summary of logs. It includes what was read. */
export type ReadSummary = Summary & Required<Pick<Summary, "read">>;

interface ReadLog {
  readonly name: string;
  readonly counts: LogReader["counts"];
}

/** What becomes of what is read. */
interface ReadingHooks {
  /** Receives the line of each record that counts. */
  readonly onRecord?: (line: string) => void;
  /** Is called behind each piece of a log. Returns `false` if no more is to be read. */
  readonly onPiece?: () => Promise<boolean>;
}

/** Sums up logs. */
export class Reading {
  readonly #options: Pick<ReportOptions, "since" | "until" | "where">;
  readonly #hooks: ReadingHooks;
  readonly #aggregate: Aggregate;
  readonly #logs: ReadLog[] = [];
  readonly #left = { outside: 0, untimed: 0, filtered: 0 };
  #bytes = 0;
  /** The first failure. A failure does not stop the other logs. */
  failure: FileError | undefined;

  constructor(options: Pick<ReportOptions, "since" | "until" | "top" | "where">, hooks: ReadingHooks = {}) {
    this.#options = options;
    this.#hooks = hooks;
    this.#aggregate = new Aggregate({ top: options.top });
  }

  /** The number of bytes so far, unpacked. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Reads a log to its end.
   *
   * @returns `false` if no more is to be read.
   */
  async read(name: string, chunks: AsyncIterable<Buffer>): Promise<boolean> {
    const log = new LogReader((decision, line) => this.#take(decision, line));
    this.#logs.push({ name, counts: log.counts });
    let goesOn = true;
    try {
      for await (const piece of unwrapped(this.#counted(chunks))) {
        log.write(piece);
        goesOn = await this.#isWanted();
        if (!goesOn) break;
      }
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.failure ??= error;
    }
    log.end();
    return goesOn && (await this.#isWanted());
  }

  /** Returns the sums so far. */
  summary(): ReadSummary {
    const sum = (what: "lines" | "malformed" | "foreign") =>
      this.#logs.reduce((all, { counts }) => all + counts[what], 0);
    const bad = this.#logs.find(({ counts }) => counts.firstMalformed !== undefined);
    return {
      ...this.#aggregate.summary(),
      read: {
        bytes: this.#bytes,
        ...{ lines: sum("lines"), malformed: sum("malformed"), foreign: sum("foreign") },
        ...this.#left,
        ...(bad && { firstMalformed: `${bad.name}:${bad.counts.firstMalformed}` }),
      },
    };
  }

  async #isWanted(): Promise<boolean> {
    return (await this.#hooks.onPiece?.()) ?? true;
  }

  async *#counted(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      this.#bytes += chunk.length;
      yield chunk;
    }
  }

  #take(decision: Decision, line: string): void {
    const { since, until, where } = this.#options;
    if (!isWithin(decision.time, since, until)) {
      this.#left.outside++;
      if (decision.time === undefined) this.#left.untimed++;
    } else if (where.length > 0 && !meets(where, decision)) this.#left.filtered++;
    else {
      this.#aggregate.add(decision);
      this.#hooks.onRecord?.(line);
    }
  }
}

function isWithin(time: number | undefined, since: number | undefined, until: number | undefined): boolean {
  if (since === undefined && until === undefined) return true;
  return time !== undefined && time >= (since ?? 0) && time < (until ?? Number.POSITIVE_INFINITY);
}
