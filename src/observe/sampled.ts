import { requireCount, requireKnownKeys } from "../support/options.js";
import { type Level, type Logger, PREPARE, type PreparedLogger, safeLogger, type Write } from "./logger.js";

/** Options of {@link sampled}. */
export interface SampledOptions {
  /** Records of each level that are written in a second at most. */
  perSecond: number;
}

/** What a sampled logger says about the records that it left out. */
export interface OmissionRecord {
  readonly event: "expectation.omitted";
  /** Records that were left out. */
  readonly omitted: number;
  /** Records of this level that are written in a second at most. */
  readonly perSecond: number;
  /** The time that this is about, in milliseconds. */
  readonly windowMs: number;
}

const WINDOW_MS = 1_000;

/**
 * Keeps a flood of refusals out of a log: writes `perSecond` records a second of each level, and at the end of such a
 * second one that tells how many it left out. What is left out is never built.
 *
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for what is no logger, and where `perSecond` is no whole number.
 * @example expectations({ policies, logger: sampled(pino(), { perSecond: 50 }) })
 */
export function sampled(logger: Logger, options: SampledOptions): Logger {
  const beneath = safeLogger(logger, "sampled(logger)");
  requireKnownKeys("sampled", options, ["perSecond"]);
  const perSecond = requireCount("sampled(logger, { perSecond })", options.perSecond);
  const windows: Record<Level, Window> = {
    warn: new Window(beneath, "warn", perSecond),
    error: new Window(beneath, "error", perSecond),
  };
  const made: PreparedLogger = {
    warn: (details, message) => windows.warn.next()?.(details, message),
    error: (details, message) => windows.error.next()?.(details, message),
    [PREPARE]: (level) => windows[level].next(),
  };
  return made;
}

/** One level's second after the other. A second begins with a record, so that none holds more than its share. */
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

  next(): Write | undefined {
    const now = performance.now();
    if (now - this.#openedAt >= WINDOW_MS) {
      this.#tellOmitted();
      this.#openedAt = now;
      this.#written = 0;
    }
    if (this.#written < this.perSecond) {
      this.#written++;
      return this.logger[PREPARE](this.level);
    }
    this.#omitted++;
    this.#timer ??= setTimeout(() => this.#tellOmitted(), this.#openedAt + WINDOW_MS - now).unref();
    return undefined;
  }

  #tellOmitted(): void {
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
