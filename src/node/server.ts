// Node sets `server` on each socket and each HTTP/2 session that it accepts. There is no public way from a request to
// its server. Without it no guard would attach by itself and no early `server.close()` would be noticed: wire tests
// "attaches by itself with the first request" and "ends lingering sockets when the server closes".

/** The server that accepted a socket or HTTP/2 session; `undefined` for any other object. */
export function acceptedBy<S extends object>(holder: object | null | undefined): S | undefined {
  const { server } = (holder ?? {}) as { server?: S };
  return server;
}
