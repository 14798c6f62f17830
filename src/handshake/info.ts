import type { Expectation } from "../http/expect-header.js";
import { announcedContent, type HttpRequest } from "../http/message.js";
import type { RefusedWith } from "../observe/record.js";
import { currentHandshake, type HandshakeState } from "./handshake.js";

/** What {@link handshakeOf} returns. */
export interface HandshakeInfo {
  readonly state: HandshakeState;
  /** The expectations of the request, each once, in the order received. */
  readonly expectations: readonly Expectation[];
  /** Announced bytes of content; 0 for none; `undefined` for an unknown length. */
  readonly length: number | undefined;
  /** Bytes of content that have arrived until now. */
  readonly received: number;
  /** Present when the state is `refused`. */
  readonly refusal: RefusedWith | undefined;
}

/**
 * Returns what was decided about a request, for handlers and logs.
 *
 * @example const { state, received } = handshakeOf(req);
 */
export function handshakeOf(req: HttpRequest): HandshakeInfo {
  const handshake = currentHandshake(req);
  if (!handshake) {
    return { state: "none", expectations: [], length: announcedContent(req).length, received: 0, refusal: undefined };
  }
  const { state, expectations, length, received, refusal } = handshake;
  return { state, expectations, length, received, refusal };
}
