import type { IncomingMessage } from "node:http";
import { connectionOf } from "../handshake/connection.js";
import { acceptedSocket } from "../node/server.js";

/**
 * Whether an `upgrade` or `connect` is dropped, because responses of earlier requests have to go out first.
 *
 * It is never handled: a 101 would go out ahead of those responses, or behind a refusal. The connection ends after the
 * last of them.
 *
 * @param req - the request; the stream that comes with it is not always the connection (since Node 26).
 */
export function isUpgradeDropped(req: IncomingMessage): boolean {
  const connection = connectionOf(acceptedSocket(req));
  if (connection === undefined) return false;
  if (connection.lastResponse === undefined) {
    const last = connection.open.at(-1);
    if (last === undefined) return false;
    last.distrustFraming();
  }
  // Content of the upgrade that still comes must not stop the socket.
  req.resume();
  return true;
}
