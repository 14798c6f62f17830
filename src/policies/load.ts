import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";

/** What the process was doing in the last second or two. */
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
/** How often Node measures the delay of the event loop, in milliseconds. */
const RESOLUTION_MS = 10;

/**
 * Measures the load of this process when somebody asks for it, and at most once a second.
 *
 * Needs no timer of JavaScript. Node's own timers for the event loop's delay do not keep the process alive.
 */
class LoadMonitor {
  // Two that are read in turns. Node does not record the first turn after a reset (docs/facts.md, "Event-loop delay after
  // a reset"), so that one histogram would never show what blocks the event loop directly behind a measurement.
  #next = startedHistogram();
  #later = startedHistogram();
  #utilization = performance.eventLoopUtilization();
  #nextAt = Number.NEGATIVE_INFINITY;
  #load: Load | undefined;

  /** The last measurement, or a new one. The same object until there is a new one. */
  get load(): Load {
    const now = performance.now();
    if (this.#load && now < this.#nextAt) return this.#load;
    this.#nextAt = now + SAMPLE_MS;
    this.#load = {
      eventLoopDelayMs: this.#takeDelay(),
      eventLoopUtilization: this.#takeUtilization(),
      heapBytes: getHeapStatistics().used_heap_size,
      rssBytes: process.memoryUsage.rss(),
    };
    return this.#load;
  }

  /** Of the time since the last measurement but one. */
  #takeDelay(): number {
    const delays = this.#next;
    this.#next = this.#later;
    this.#later = delays;
    // What is recorded is the time from one turn to the next.
    const delayMs = delays.percentile(99) / 1e6 - RESOLUTION_MS;
    delays.reset();
    return Math.max(0, delayMs);
  }

  #takeUtilization(): number {
    const until = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(until, this.#utilization);
    this.#utilization = until;
    // Not a number after no time at all.
    return Number.isFinite(utilization) ? utilization : 0;
  }
}

function startedHistogram(): IntervalHistogram {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  return histogram;
}

let shared: LoadMonitor | undefined;

/** The load of this process. Measuring begins with the first call, which has nothing to tell about the event loop yet. */
export function currentLoad(): Load {
  shared ??= new LoadMonitor();
  return shared.load;
}
