import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";

/** What the process was doing in the last second or so. */
export interface Load {
  /** 99 % of the turns of the event loop were late by this much or less, in milliseconds. */
  readonly eventLoopDelayMs: number;
  /** The share of the time in which the event loop was busy: 0 to 1. */
  readonly eventLoopUtilization: number;
  /** Bytes of JavaScript objects, with those that nobody uses any more. */
  readonly heapBytes: number;
  /** The resident memory of the process, in bytes. */
  readonly rssBytes: number;
}

/** The shortest time from one measurement to the next, in milliseconds. */
const SAMPLE_MS = 1_000;
/** How often the delay of the event loop is measured, in milliseconds. */
const RESOLUTION_MS = 10;

/**
 * Measures the load of this process when somebody asks for it, and at most once a second.
 *
 * Needs no timer of JavaScript. Node's own timer for the event loop's delay does not keep the process alive.
 */
export class LoadMonitor {
  readonly #delays: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #utilization = performance.eventLoopUtilization();
  #nextAt = Number.NEGATIVE_INFINITY;
  #load: Load | undefined;

  constructor() {
    this.#delays.enable();
  }

  /** The last measurement, or a new one. The same object until there is a new one. */
  get load(): Load {
    const now = performance.now();
    if (this.#load && now < this.#nextAt) return this.#load;
    this.#nextAt = now + SAMPLE_MS;
    this.#load = this.#measure();
    return this.#load;
  }

  #measure(): Load {
    // The delays include the time of the measuring timer itself.
    const eventLoopDelayMs = Math.max(0, this.#delays.percentile(99) / 1e6 - RESOLUTION_MS);
    this.#delays.reset();
    const until = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(until, this.#utilization);
    this.#utilization = until;
    return {
      eventLoopDelayMs,
      // Not a number after no time at all.
      eventLoopUtilization: Number.isFinite(utilization) ? utilization : 0,
      heapBytes: getHeapStatistics().used_heap_size,
      rssBytes: process.memoryUsage.rss(),
    };
  }
}

let shared: LoadMonitor | undefined;

/** The load of this process. Measuring begins with the first call, which cannot tell anything about the event loop yet. */
export function currentLoad(): Load {
  shared ??= new LoadMonitor();
  return shared.load;
}
