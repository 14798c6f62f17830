import type { IncomingMessage } from "node:http";
import { connectionOf } from "../handshake/connection.js";
import { acceptedSocket } from "../node/server.js";
import { closeAfterEnd } from "../response/closing.js";

/**
 * Whether an `upgrade` or `connect` is dropped, because responses of earlier requests have to go out first.
 *
 * It is never handled: a 101 would go out ahead of those responses, or behind a refusal. The connection ends after the
 * last of them.
 *
 * @param req - the request; the stream that comes with it is not always the connection (since Node 26).
 */
export function isUpgradeDropped(req: IncomingMessage): boolean {
  const socket = acceptedSocket(req);
  const connection = connectionOf(socket);
  if (socket === undefined || connection === undefined) return false;
  if (connection.lastResponse === undefined) {
    const last = connection.open.at(-1);
    if (last === undefined) return false;
    last.distrustFraming();
    // Its head may have said that the connection is kept.
    if (last.res.headersSent) closeAfterEnd(last);
  }
  // Content of the upgrade must not stop the socket.
  req.resume();
  // Node has taken its own listeners off. Without any, nobody would see that the client leaves, or how.
  if (socket.listenerCount("error") === 0) socket.on("error", ignore);
  if (socket.listenerCount("data") === 0) socket.resume();
  return true;
}

function ignore(): void {}
