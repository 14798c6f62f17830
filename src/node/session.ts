import type { Http2Session } from "node:http2";
import type { Socket } from "node:net";

/**
 * Returns the socket of an HTTP/2 session, which can be destroyed.
 *
 * `session.socket` is a proxy that forbids `destroy()`, and `session.destroy()` waits for a write that is under way.
 * Where that write never ends (docs/facts.md, "A reset over TLS during a write"), only the socket itself can be
 * destroyed. The methods of an emitter return it. Wire test "the listener methods of a session's socket return the socket
 * itself".
 */
export function socketOf(session: Http2Session): Socket {
  return session.socket.off("close", ignore);
}

function ignore(): void {}
