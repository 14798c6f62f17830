import { performance } from "node:perf_hooks";
import { isContent, isContinue, isFinal, saysClose } from "../probe/summary.js";
import type { Journal } from "../probe/wire/journal.js";
import type { Sent } from "./line.js";
import type { Plan } from "./plan.js";
import { transcriptOf } from "./transcript.js";

const PIECE_BYTES = 65_536;

/**
 * Sends a request as planned, and waits for what comes of it. Every wait is for an event.
 *
 * @throws {Error} if an event does not come within the plan's deadline, or the response is not HTTP. The message has the
 *   transcript.
 */
export async function play(sent: Sent, plan: Plan): Promise<void> {
  const { journal } = sent;
  const { content, method, path, deadlineMs } = plan;
  const fault = (what: string) => new Error(`${method} ${path}: ${what}\n\n${transcriptOf(journal.events)}\n`);
  const end = performance.now() + deadlineMs;
  const wait = async (what: string, isThere: () => boolean) => {
    if (await journal.until(isThere, Math.max(1, end - performance.now()))) return;
    const malformed = journal.events.find((event) => event.kind === "malformed");
    if (malformed?.kind === "malformed") throw fault(malformed.reason);
    if (!journal.isOver) throw fault(`${what} did not come within ${deadlineMs} ms`);
  };

  sent.sendHead();
  const leavesAtOnce = content.leave !== undefined && content.stopAfter === 0;
  if (content.announced !== "none" && content.when !== "at once" && !leavesAtOnce) {
    await wait("a 100 or a final status", () => journal.has(isContinue) || journal.has(isFinal));
    // Accepted. Nothing more comes, because the content does not.
    if (content.when === "never" && !journal.has(isFinal)) return;
  }
  if (content.when !== "never") await send(sent, plan, (isThere) => wait("room for more content", isThere));
  if (content.leave) {
    sent.leave(content.leave);
    return wait("the end of the connection, which the client has left,", () => journal.isOver);
  }
  await wait("a final status", () => journal.has(isFinal));
  await wait("the end of the response", () => journal.has(({ kind }) => kind === "complete"));
  const final = journal.events.find(isFinal);
  if (final && saysClose(final)) {
    await wait("the end of the connection, which the response announces,", () => journal.isOver);
  }
  // A stream ends, unless the server forgets it. Nothing announces that.
  if (sent.isStream) await journal.until(() => journal.isOver, Math.max(1, end - performance.now()));
}

async function send(sent: Sent, { content }: Plan, wait: (isThere: () => boolean) => Promise<void>): Promise<void> {
  const { journal } = sent;
  let left = content.stopAfter;
  for (const whole of content.pieces) {
    for (let from = 0; from < whole.length; from += PIECE_BYTES) {
      const bytes = whole.subarray(from, Math.min(from + PIECE_BYTES, from + left));
      if (isRefused(journal) || journal.isOver || bytes.length === 0) return;
      let isTaken = false;
      sent.sendContent(bytes, () => {
        isTaken = true;
        journal.add({ kind: "sent", what: "content", lines: [], bytes: bytes.length });
      });
      await wait(() => isTaken || isRefused(journal));
      left -= bytes.length;
    }
  }
  const length = content.pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (!isRefused(journal) && content.stopAfter >= length) sent.endContent();
}

// A server may respond with a success before it has read everything, and still read the rest.
function isRefused(journal: Journal): boolean {
  return journal.has((event) => isFinal(event) && (event.status >= 300 || !journal.has(isContent)));
}
