import { deadline } from "./deadline.js";

const DEADLINE_MS = 8_000;

/** Waits for something that no event tells of; fails with what it was. */
export async function until(what: string | (() => string), isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = deadline(DEADLINE_MS);
  const end = performance.now() + deadlineMs;
  while (!(await isTrue())) {
    if (performance.now() > end) {
      throw new Error(`not within ${deadlineMs} ms: ${typeof what === "string" ? what : what()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
