import { requireCount, requireKnownKeys } from "../support/options.js";
import { type Level, type Logger, PREPARE, type PreparedLogger, safeLogger, type Write } from "./logger.js";

/** Options of {@link sampled}. */
export interface SampledOptions {
  /** The most records that are written in a second, for each level. */
  perSecond: number;
}

/** The record that a {@link sampled} logger writes about the records that it left out. */
export interface OmissionRecord {
  readonly event: "expectation.omitted";
  /** How many records were left out. */
  readonly omitted: number;
  /** The most records of this level that are written in a second. */
  readonly perSecond: number;
  /** The length of the period in which they were left out, in milliseconds. */
  readonly windowMs: number;
}

const WINDOW_MS = 1_000;

/**
 * Limits the records that reach a logger to `perSecond` a second of each level.
 *
 * If records were left out, one record at the end of the second tells how many. Records that are left out are never
 * built.
 *
 * @param logger - the logger that receives the records.
 * @param options - see {@link SampledOptions}; `perSecond` is required.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` if `logger` is not a logger, or `perSecond` is not a whole number from 1.
 * @example expectations({ policies, logger: sampled(pino(), { perSecond: 50 }) })
 */
export function sampled(logger: Logger, options: SampledOptions): Logger {
  const target = safeLogger(logger, "sampled(logger)");
  requireKnownKeys("sampled", options, ["perSecond"]);
  const perSecond = requireCount("sampled(logger, { perSecond })", options.perSecond);
  const windows: Record<Level, Window> = {
    warn: new Window(target, "warn", perSecond),
    error: new Window(target, "error", perSecond),
  };
  const made: PreparedLogger = {
    warn: (details, message) => windows.warn.next()?.(details, message),
    error: (details, message) => windows.error.next()?.(details, message),
    [PREPARE]: (level) => windows[level].next(),
  };
  return made;
}

/** Counts the records of one level. A window opens with a record and lasts a second. */
class Window {
  #openedAt = Number.NEGATIVE_INFINITY;
  #written = 0;
  #omitted = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    readonly logger: PreparedLogger,
    readonly level: Level,
    readonly perSecond: number,
  ) {}

  /** Returns the function that writes the next record, or `undefined` if that record is left out. */
  next(): Write | undefined {
    const now = performance.now();
    if (now - this.#openedAt >= WINDOW_MS) {
      this.#reportOmitted();
      this.#openedAt = now;
      this.#written = 0;
    }
    if (this.#written < this.perSecond) {
      this.#written++;
      return this.logger[PREPARE](this.level);
    }
    this.#omitted++;
    this.#timer ??= setTimeout(() => this.#reportOmitted(), this.#openedAt + WINDOW_MS - now).unref();
    return undefined;
  }

  #reportOmitted(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#omitted === 0) return;
    const { perSecond, level } = this;
    const record: OmissionRecord = {
      event: "expectation.omitted",
      omitted: this.#omitted,
      perSecond,
      windowMs: WINDOW_MS,
    };
    this.#omitted = 0;
    this.logger[level](record, `records at ${level} that were left out in a second: ${record.omitted}`);
  }
}
