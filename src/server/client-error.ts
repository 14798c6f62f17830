import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { type Connection, connectionOf } from "../handshake/connection.js";
import type { Handshake } from "../handshake/handshake.js";
import { isBeingRead } from "../response/must-close.js";
import { refuseByServer } from "./refusals.js";

/** The client has sent a FIN within a request. */
const END_WITHIN_REQUEST = "HPE_INVALID_EOF_STATE";

/** A request has not come whole within `requestTimeout`, or its header section within `headersTimeout`. */
const REQUEST_TIMEOUT = "ERR_HTTP_REQUEST_TIMEOUT";

/**
 * Whether a `clientError` needs no answer of its own.
 *
 * Behind a final status that ends the connection, a second status would corrupt the response. Garbage behind a request
 * that came whole must not take that request's response away: the connection ends after it. Garbage within a request
 * must not take the place of earlier responses: Node would write its 400 at once (RFC 9112 §9.3.2). An upload that a
 * guard has accepted may take longer than Node's `requestTimeout`.
 */
export function isAnswered(socket: Socket, error: unknown): boolean {
  const connection = connectionOf(socket);
  if (connection === undefined) return false;
  const code = String((error as { code?: unknown } | undefined)?.code);
  const isLate = code === REQUEST_TIMEOUT;
  if (isLate && outlasts(connection)) return true;
  if (connection.lastResponse) {
    // The client left while the application was still responding, or reset the connection: there is nothing to wait for.
    if (!connection.lastResponse.writableEnded || !(isLate || code.startsWith("HPE_"))) socket.destroy();
    // As Node behind a FIN: what has been written goes out. An earlier response that never comes must not hold the socket.
    else if (code === END_WITHIN_REQUEST && waitsForEarlier(connection.lastResponse)) socket.end();
    return true;
  }
  const last = connection.open.at(-1);
  const isGarbage = code.startsWith("HPE_") && code !== END_WITHIN_REQUEST;
  const endsLast = isGarbage || (isLate && connection.open.some(isInGuardsHands));
  if (!endsLast || !last || socket.readableEnded) return false;
  const isQueued = waitsForEarlier(last.res);
  if (!isQueued && (!last.hasArrived || last.res.headersSent)) return false;
  if (!last.hasBadFraming) socket.once("end", socket.destroy);
  last.distrustFraming();
  if (!last.hasArrived && !last.res.headersSent) {
    last.shareResponse();
    if (isLate) refuseByServer(last, 408, "request-timeout", "the request did not come in time");
    else refuseByServer(last, 400, "framing", "the content is not valid HTTP");
  }
  return true;
}

// Whether the content that is on its way is an upload which Node's `requestTimeout` does not end. Node reports it once for
// each request; from then on the handshake's own clock ends the upload (docs/facts.md, "requestTimeout").
function outlasts({ open, unfinished }: Connection): boolean {
  const upload = open.at(-1) ?? (unfinished && isBeingRead(unfinished) ? unfinished : undefined);
  if (!upload || upload.hasArrived || upload.refusal || !isInGuardsHands(upload)) return false;
  upload.clock.outlast();
  return true;
}

// A verdict that is pending has a time of its own, `policyTimeoutMs`.
function isInGuardsHands({ acceptedAt, isJudged }: Handshake): boolean {
  return acceptedAt !== undefined || isJudged;
}

// Node gives a response its socket when its turn has come.
function waitsForEarlier(res: Pick<ServerResponse, "socket" | "writableFinished">): boolean {
  return res.socket === null && !res.writableFinished;
}
