import { isFollowed } from "../handshake/connection.js";
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
  const { req, refusal, hasArrived } = handshake;
  if (handshake.hasBadFraming || req.headers.upgrade !== undefined) return true;
  if (refusal) {
    if (hasArrived && isFollowed(handshake)) return false;
    if (handshake.length !== 0 || handshake.hasExpectation) return true;
  }
  if (hasArrived) return false;
  // Node does not end it any more, and nobody counts the time of content that nobody reads.
  if (handshake.isOverdue && !handshake.hasReader) return true;
  if (handshake.socket && !handshake.hasExpectation && !refusal && isSmall(handshake)) return false;
  return handshake.isWithheld || !handshake.hasReader || status >= 400;
}

/** Declared content that Node reads and discards by itself to keep a connection in step, in bytes. */
const MAX_KEPT_BYTES = 64 * 1024;

function isSmall({ length, received }: Handshake): boolean {
  return length !== undefined && length - received <= MAX_KEPT_BYTES;
}

/** Whether somebody still reads content that has not come whole. */
export function isBeingRead({ hasReader, hasArrived, refusal }: Handshake): boolean {
  return hasReader && !hasArrived && !refusal;
}

/** Tells a reader that the rest of its content will not come. */
export function failReader(handshake: Handshake): void {
  handshake.content.fail("ERR_EXPECT_TOO_LATE", "the final response ended the upload");
}
