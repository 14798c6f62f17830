import { isContent, isContinue, isFinal, saysClose } from "./summary.js";
import { CLOSING_WATCH_MS, PAGE_MS, WATCH_MS } from "./timing.js";
import type { Journal } from "./wire/journal.js";

/** Waits for a 100 or a final response. */
export function waitForVerdict(journal: Journal, ms: number): Promise<boolean> {
  return journal.waitFor("a 100 or a final response", () => journal.has(isContinue) || hasFinal(journal), ms);
}

/** Waits for a final response. */
export function waitForFinal(journal: Journal, ms: number): Promise<boolean> {
  return journal.waitFor("a final response", () => hasFinal(journal), ms);
}

/** Waits for the end of the final response's content. */
export async function watchPage(journal: Journal): Promise<void> {
  await journal.until(() => journal.has(({ kind }) => kind === "complete"), PAGE_MS);
}

/** Waits a short time for what may follow the final response: another 100, or the end of the connection. */
export async function watchEnd(journal: Journal): Promise<void> {
  const final = journal.events.find(isFinal);
  // If the response says close and nothing was sent that could be lost, a shorter wait is enough.
  const isAnnounced = final !== undefined && saysClose(final) && !journal.has(isContent);
  await journal.until(() => journal.isOver, isAnnounced ? CLOSING_WATCH_MS : WATCH_MS);
}

/** Returns whether a final response has come. */
export function hasFinal(journal: Journal): boolean {
  return journal.has(isFinal);
}
