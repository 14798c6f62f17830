import { setTimeout as after } from "node:timers/promises";

const TICK_MS = 20;
/** What a late tick counts at most: on a busy machine a wait gets more time than its deadline says. */
const COUNTED_MS = 2 * TICK_MS;

/**
 * Waits until `isTrue` returns true.
 *
 * The deadline follows the load: time in which this process gets no CPU counts only in part.
 *
 * @returns whether it became true.
 */
export async function patiently(isTrue, deadlineMs) {
  let spent = 0;
  let last = performance.now();
  while (!(await isTrue())) {
    if (spent >= deadlineMs) return false;
    await after(spent < 4 * TICK_MS ? 2 : TICK_MS);
    const now = performance.now();
    spent += Math.min(now - last, COUNTED_MS);
    last = now;
  }
  return true;
}

/** Waits for a promise as {@link patiently} does: its value, or `undefined` when the deadline is over. */
export async function settled(promise, deadlineMs) {
  let value;
  let isSettled = false;
  promise.then((result) => {
    value = result;
    isSettled = true;
  });
  await patiently(() => isSettled, deadlineMs);
  return value;
}
