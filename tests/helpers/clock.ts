import { jest } from "@jest/globals";

/**
 * Lets time pass by `jest.advanceTimersByTime()` for what is set from now on: sockets and intervals go on as they do.
 *
 * @param stopsPerformance - whether `performance.now()` stands still, too.
 */
export function stopTheClock(stopsPerformance = false): void {
  const goesOn = ["nextTick", "setImmediate", "queueMicrotask", "setInterval"] as const;
  jest.useFakeTimers({ doNotFake: stopsPerformance ? [...goesOn] : [...goesOn, "performance"] });
}
