import type { ServerContext } from "../handshake/context.js";
import type { Handshake } from "../handshake/handshake.js";
import { TOO_MANY_EXPECTATIONS, UNKNOWN_EXPECTATION } from "../http/expect-header.js";
import type { FramingFault } from "../http/framing.js";
import { reportFault, reportRefusal } from "../observe/record.js";
import { endBegun } from "../response/closing.js";
import { writePlainRefusal } from "../response/refusal.js";
import { asError } from "../support/errors.js";

/** Refuses a request in the server's own name: whoever reads its content gets an error. */
export function refuseByServer(handshake: Handshake, status: number, policy: string, reason: string): void {
  const { res } = handshake;
  const hasBegun = res.headersSent;
  const refusal = { status: hasBegun ? res.statusCode : status, policy, reason };
  handshake.refuse(refusal);
  reportRefusal(handshake.context.logger, handshake, refusal);
  if (!hasBegun) writePlainRefusal(handshake, status, reason);
  handshake.content.fail(status === 408 ? "ERR_EXPECT_BODY_TIMEOUT" : "ERR_EXPECT_REFUSED", reason);
  // The reader may end its own response when it gets the error.
  if (hasBegun) endBegun(handshake);
}

/**
 * Refuses what no guard has to look at: bad framing, and expectations that no name covers.
 *
 * @returns whether it refused.
 */
export function refuseAtGate(handshake: Handshake, context: ServerContext, fault: FramingFault | undefined): boolean {
  if (fault !== undefined) {
    handshake.distrustFraming();
    refuseByServer(handshake, fault.status, "framing", fault.reason);
    return true;
  }
  if (!context.refusesUnknownAtOnce) return false;
  const reason = handshake.hasTooManyExpectations ? TOO_MANY_EXPECTATIONS : UNKNOWN_EXPECTATION;
  const isUnknown = handshake.undecided.some(({ name }) => !context.names.has(name));
  if (!isUnknown && !handshake.hasTooManyExpectations) return false;
  refuseByServer(handshake, 417, "unknown-expectation", reason);
  return true;
}

/** Refuses an upload that has come to a server which is about to close. Another server may take it at once. */
export function refuseForDrain(handshake: Handshake): void {
  const { res } = handshake;
  // An application may have begun its own response.
  if (!res.headersSent) res.setHeader("Retry-After", "1");
  refuseByServer(handshake, 503, "drain", "the server is shutting down");
}

/** Responds 500 for a guard that failed, as an application's error handler would. */
export function refuseForError(handshake: Handshake, error: unknown): void {
  const refusal = { status: 500, policy: "guard", reason: undefined };
  handshake.refuse(refusal);
  reportFault(handshake.context.logger, handshake, refusal, asError(error));
  writePlainRefusal(handshake, 500);
}
