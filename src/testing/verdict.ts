import type { HandshakeAnswer } from "./answer.js";

/**
 * Returns why an answer is not a refusal before the content; `undefined` if it is one.
 *
 * @param status - the expected status. Default: any of 400 and more.
 */
export function whyNotRefused(answer: HandshakeAnswer, status: number | undefined): string | undefined {
  const wrong = wrongStatus(answer, status, "a refusal", (received) => received >= 400);
  if (wrong !== undefined) return wrong;
  if (answer.continues > 0) return `the server sent ${answer.continues} 100 Continue before the refusal`;
  if (answer.sentBytes > 0) return `${answer.sentBytes} bytes of content were sent`;
  if (answer.isClosed) return undefined;
  return "the server left the connection open, and would take the next request for the content";
}

/**
 * Returns why an answer does not show an upload that was continued once; `undefined` if it does.
 *
 * @param status - the expected status. Default: any from 200 to 299.
 */
export function whyNotContinued(answer: HandshakeAnswer, status: number | undefined): string | undefined {
  if (answer.continues !== 1) {
    const seen = answer.status === undefined ? "" : `, then ${answer.status}`;
    return `the server sent ${answer.continues === 0 ? "no" : answer.continues} 100 Continue${seen}`;
  }
  return wrongStatus(answer, status, "a success", (received) => received >= 200 && received < 300);
}

function wrongStatus(
  { status: received, end }: HandshakeAnswer,
  status: number | undefined,
  what: string,
  isRight: (received: number) => boolean,
): string | undefined {
  if (received === undefined) {
    return end === "open"
      ? "no final status came: the server waits for the content"
      : "the connection ended without a final status";
  }
  if (status === undefined ? isRight(received) : received === status) return undefined;
  return `the status is ${received}, not ${status ?? what}`;
}
