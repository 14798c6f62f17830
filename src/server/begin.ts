import type { IncomingMessage, ServerResponse } from "node:http";
import { slowness, TOO_SLOW } from "../handshake/body-clock.js";
import { connectionOf, openConnection } from "../handshake/connection.js";
import type { ServerContext } from "../handshake/context.js";
import { currentHandshake, Handshake } from "../handshake/handshake.js";
import type { HandshakeListener } from "../handshake/listener.js";
import { loggableUrl } from "../observe/printable.js";
import { publishAccepted, publishContent } from "../observe/record.js";
import { watchFinal } from "../response/final.js";
import { releaseHeld } from "./held.js";
import { refuseByServer } from "./refusals.js";
import { enterTraffic, leaveTraffic } from "./traffic.js";

/** Returns the one handshake of a request that is handed on, begun if no gate or guard has done so. */
export function handshakeFor(req: IncomingMessage, res: ServerResponse, context: ServerContext): Handshake {
  const handshake = watchRequest(req, res, context);
  handshake.dispatch();
  return handshake;
}

/**
 * Returns the one handshake of a request. From its begin on the request's content, its final status and its connection
 * are watched, also while the request waits for others.
 */
export function watchRequest(req: IncomingMessage, res: ServerResponse, context: ServerContext): Handshake {
  const present = currentHandshake(req);
  if (present) return present;
  const handshake = new Handshake(req, res, context, LISTENER);
  watchFinal(handshake);
  enterTraffic(handshake);
  if (handshake.socket) {
    const connection = openConnection(handshake.socket);
    connection.open = connection.open.length === 0 ? [handshake] : [...connection.open, handshake];
  }
  // The client left while others had the request: `close` of the response has already fired.
  if (handshake.isGone) handshake.close();
  return handshake;
}

const NONE: readonly Handshake[] = Object.freeze([]);

const LISTENER: HandshakeListener<Handshake> = {
  onUndecided(handshake) {
    handshake.shareResponse();
    refuseByServer(handshake, 417, "unknown-expectation", "an expectation that nothing on this route accepts");
  },
  onIdle(handshake) {
    handshake.shareResponse();
    refuseByServer(handshake, 408, "body-timeout", "no content arrived in time");
  },
  onSlow(handshake) {
    handshake.shareResponse();
    refuseByServer(handshake, 408, TOO_SLOW, slowness(handshake.context.bodyRate));
  },
  onMissedBytes: reportMissedBytes,
  onAccept: publishAccepted,
  onContent: publishContent,
  onVerdict({ socket }) {
    const connection = connectionOf(socket);
    // Later, so that the request that was accepted is handed on first.
    if (connection && connection.held.length > 0) process.nextTick(releaseHeld, connection);
  },
  onClosed(handshake) {
    leaveTraffic(handshake);
    handshake.sessionWatch?.leave();
    const connection = connectionOf(handshake.socket);
    if (!connection) return;
    const { open } = connection;
    const isAlone = open.length === 1 && open[0] === handshake;
    connection.open = isAlone ? NONE : open.filter((other) => other !== handshake);
    connection.unfinished = handshake.content.isOver ? undefined : handshake;
    releaseHeld(connection);
  },
};

const reported = new WeakSet<ServerContext>();

// Once for each server: it is a fault of the program, not of the request.
function reportMissedBytes({ context, length, received, req }: Handshake): void {
  if (reported.has(context)) return;
  reported.add(context);
  const message = `limits do not count: a request of ${length} bytes ended whole, and ${received} bytes were counted; something replaces push() of the request, or this version of Node delivers content in another way`;
  context.logger.error({ event: "expectation.error", url: loggableUrl(req.url ?? "") }, message);
}
