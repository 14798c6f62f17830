import type { Load } from "./load.js";

/** The most that {@link LoadLimits} allows of each measure; those that are `undefined` have no limit. */
export interface AllowedLoad {
  readonly maxEventLoopDelayMs: number | undefined;
  readonly maxEventLoopUtilization: number | undefined;
  /** Bytes. */
  readonly maxHeap: number | undefined;
  /** Bytes. */
  readonly maxRss: number | undefined;
}

interface Measure {
  readonly option: keyof AllowedLoad;
  readonly of: keyof Load;
  /** The share of the limit at which the overload is over. Memory seldom falls far below what it once was. */
  readonly recoverAt: number;
  text(value: number): string;
}

const MEASURES: readonly Measure[] = [
  {
    option: "maxEventLoopDelayMs",
    of: "eventLoopDelayMs",
    recoverAt: 0.8,
    text: (ms) => `event loop late by ${Math.round(ms)} ms`,
  },
  {
    option: "maxEventLoopUtilization",
    of: "eventLoopUtilization",
    recoverAt: 0.8,
    text: (share) => `event loop busy for ${Math.round(100 * share)} % of the time`,
  },
  { option: "maxHeap", of: "heapBytes", recoverAt: 0.95, text: (bytes) => `heap of ${mebibytes(bytes)}` },
  { option: "maxRss", of: "rssBytes", recoverAt: 0.95, text: (bytes) => `resident memory of ${mebibytes(bytes)}` },
];

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}

/** One limit. While it is exceeded, it is lower: otherwise a load near the limit would change the verdict each second. */
interface Limit {
  readonly measure: Measure;
  readonly most: number;
  readonly recoverAt: number;
  isExceeded: boolean;
}

/** Compares the load of the process with what is allowed. */
export class LoadLimits {
  readonly #limits: readonly Limit[];

  /** @param recoverAt - for all measures, in place of each measure's own. */
  constructor(allowed: AllowedLoad, recoverAt?: number) {
    this.#limits = MEASURES.flatMap((measure) => {
      const most = allowed[measure.option];
      if (most === undefined) return [];
      return [{ measure, most, recoverAt: most * (recoverAt ?? measure.recoverAt), isExceeded: false }];
    });
  }

  /** Returns what is exceeded, as text; `undefined` if nothing is. */
  exceededBy(load: Load): string | undefined {
    let reason: string | undefined;
    for (const limit of this.#limits) {
      const value = load[limit.measure.of];
      limit.isExceeded = value > (limit.isExceeded ? limit.recoverAt : limit.most);
      if (limit.isExceeded) reason ??= limit.measure.text(value);
    }
    return reason;
  }
}
