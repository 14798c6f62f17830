import type { IncomingMessage, ServerResponse } from "node:http";
import { closeWithConnection, openConnection } from "../handshake/connection.js";
import type { ServerContext } from "../handshake/context.js";
import { Handshake, type HandshakeListener } from "../handshake/handshake.js";
import { loggableUrl } from "../observe/printable.js";
import { publishAccepted, publishContent } from "../observe/record.js";
import { watchFinal } from "../response/final.js";
import { leave, occupy } from "./held.js";
import { refuseByServer } from "./refusals.js";

/** Begins the handshake of a request that the gate did not watch, because its server is not attached. */
export function beginHandshake(req: IncomingMessage, res: ServerResponse, context: ServerContext): Handshake {
  const handshake = watchRequest(req, res, context);
  if (handshake.socket) occupy(openConnection(handshake.socket), handshake);
  // The client left while others had the request: `close` of the response has already fired.
  if (handshake.isGone) handshake.close();
  return handshake;
}

/** From here on the request's content, its final status and its connection are watched. */
export function watchRequest(req: IncomingMessage, res: ServerResponse, context: ServerContext): Handshake {
  const handshake = new Handshake(req, res, context, LISTENER);
  watchFinal(handshake);
  const { socket } = handshake;
  if (socket) {
    const connection = openConnection(socket);
    connection.open = [...connection.open, handshake];
    closeWithConnection(handshake, socket);
  }
  return handshake;
}

const LISTENER: HandshakeListener = {
  onUndecided(handshake) {
    handshake.shareResponse();
    refuseByServer(handshake, 417, "unknown-expectation", "an expectation that nothing on this route accepts");
  },
  onIdle(handshake) {
    handshake.shareResponse();
    refuseByServer(handshake, 408, "body-timeout", "no content arrived in time");
  },
  onMissedBytes: reportMissedBytes,
  onAccept: publishAccepted,
  onContent: publishContent,
  onClosed(handshake) {
    if (handshake.socket) leave(openConnection(handshake.socket), handshake);
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
