/**
 * Returns the server that accepted a socket or an HTTP/2 session; `undefined` for any other object.
 *
 * Node sets `server` on each socket and session, and has no public way from a request to its server. Without it no guard
 * would attach by itself, and a lingering socket would not notice `server.close()`. Wire test "server hangs on each
 * socket and on each session of HTTP/2".
 */
export function acceptedBy<S extends object>(holder: object | null | undefined): S | undefined {
  const { server } = (holder ?? {}) as { server?: S };
  return server;
}
