import { jest } from "@jest/globals";

/** Lets time pass by `jest.advanceTimersByTime()` for what is set from now on: sockets and intervals go on as they do. */
export function stopTheClock(): void {
  jest.useFakeTimers({ doNotFake: ["nextTick", "setImmediate", "queueMicrotask", "performance", "setInterval"] });
}
