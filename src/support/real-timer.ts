import { Socket } from "node:net";

/**
 * Calls back after a time, even if a test has replaced the timers of the process. It does not keep the process alive.
 *
 * Tools such as `jest.useFakeTimers()` replace `setTimeout` everywhere, but not the timers of sockets.
 *
 * @returns cancels it.
 */
export function afterRealMs(ms: number, callback: () => void): () => void {
  const clock = new Socket();
  clock.setTimeout(Math.max(1, Math.ceil(ms)), () => {
    clock.destroy();
    callback();
  });
  return () => void clock.destroy();
}
