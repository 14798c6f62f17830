const DEADLINE_MS = 8_000;

/** Waits for something that no event tells of; fails with what it was. */
export async function until(what: string | (() => string), isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await isTrue())) {
    if (performance.now() > deadline) {
      throw new Error(`not within ${DEADLINE_MS} ms: ${typeof what === "string" ? what : what()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
