import { AssertionError } from "node:assert";
import type { HandshakeAnswer } from "./answer.js";
import { whyNotContinued, whyNotRefused } from "./verdict.js";

/**
 * Asserts that an upload was refused before a byte of its content was sent: no 100, and a connection that is closed.
 *
 * @param status - the expected status. Default: any of 400 and more.
 * @throws {AssertionError} whose message has the transcript.
 * @example assertRefusedBeforeContent(await handshake(app).put("/files/1").withhold(1e9), 413);
 */
export function assertRefusedBeforeContent(answer: HandshakeAnswer, status?: number): void {
  fail(whyNotRefused(answer, status), answer, status, "assertRefusedBeforeContent");
}

/**
 * Asserts that an upload got exactly one 100, and then its final status.
 *
 * @param status - the expected status. Default: any from 200 to 299.
 * @throws {AssertionError} whose message has the transcript.
 * @example assertContinuedOnce(await handshake(app).put("/files/1").send("text"), 201);
 */
export function assertContinuedOnce(answer: HandshakeAnswer, status?: number): void {
  fail(whyNotContinued(answer, status), answer, status, "assertContinuedOnce");
}

function fail(why: string | undefined, answer: HandshakeAnswer, status: number | undefined, operator: string): void {
  if (why === undefined) return;
  const message = `${why}\n\n${answer.transcript}\n`;
  throw new AssertionError({ message, actual: answer.status, expected: status, operator });
}
