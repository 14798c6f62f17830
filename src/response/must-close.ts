import type { Handshake } from "../handshake/handshake.js";

/**
 * Whether a final status ends the connection: announced content is outstanding, or the framing is unsure.
 *
 * What comes next on the connection would be that content. A client that repeats its request on a kept-alive 417 would
 * have the tail of its file executed as a request (docs/facts.md, "A kept-alive 417").
 *
 * @see docs/architecture.md, connection rules 4 and 10
 */
export function mustClose(handshake: Handshake, status: number): boolean {
  const { req, refusal } = handshake;
  if (refusal && (handshake.length !== 0 || handshake.hasExpectation)) return true;
  if (req.headers.upgrade !== undefined) return true;
  if (handshake.hasBadFraming) return true;
  if (handshake.hasArrived) return false;
  return handshake.isWithheld || !handshake.hasReader || status >= 400;
}

/** Whether somebody still reads content that has not come whole. */
export function isBeingRead({ hasReader, hasArrived, refusal }: Handshake): boolean {
  return hasReader && !hasArrived && !refusal;
}

/** Tells a reader that the rest of its content will not come. */
export function failReader(handshake: Handshake): void {
  handshake.content.fail("ERR_EXPECT_TOO_LATE", "the final response ended the upload");
}
