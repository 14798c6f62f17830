import type { HandshakeAnswer } from "./answer.js";
import { whyNotContinued, whyNotRefused } from "./verdict.js";

interface Matched {
  readonly pass: boolean;
  readonly message: () => string;
}

/** What {@link handshakeMatchers} add to `expect`, for the types of jest and vitest. */
export interface HandshakeMatchers<R = unknown> {
  /** The upload was refused before a byte of its content was sent, and the connection is closed. */
  toBeRefusedBeforeContent(status?: number): R;
  /** The upload got exactly one 100, and then its final status. */
  toContinueOnce(status?: number): R;
}

/**
 * Matchers for jest and vitest. Their messages have the transcript.
 *
 * @example expect.extend(handshakeMatchers);
 */
export const handshakeMatchers: {
  toBeRefusedBeforeContent(answer: unknown, status?: number): Matched;
  toContinueOnce(answer: unknown, status?: number): Matched;
} = {
  toBeRefusedBeforeContent: (answer, status) =>
    matched(answer, (one) => whyNotRefused(one, status), "refused before content"),
  toContinueOnce: (answer, status) => matched(answer, (one) => whyNotContinued(one, status), "continued once"),
};

function matched(answer: unknown, whyNot: (answer: HandshakeAnswer) => string | undefined, what: string): Matched {
  if (typeof (answer as HandshakeAnswer | null)?.transcript !== "string") {
    return {
      pass: false,
      message: () => "received something else than the answer of a handshake; is there an await missing?",
    };
  }
  const { transcript } = answer as HandshakeAnswer;
  const why = whyNot(answer as HandshakeAnswer);
  return { pass: why === undefined, message: () => `${why ?? `the upload was ${what}`}\n\n${transcript}\n` };
}
