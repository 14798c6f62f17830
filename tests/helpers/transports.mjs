// Connections to servers of all protocols, on TCP or on a pair of Duplex streams, that tests can break off at will.
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { duplexPair } from "node:stream";
import * as tls from "node:tls";

const certificates = readFileSync(new URL("./certificate.ts", import.meta.url), "utf8");
/** The key and certificate of TLS servers. */
export const [key, cert] = certificates.match(/-----BEGIN[^`]*-----END [A-Z ]*-----/g);

const IS_TLS = { http: false, h2c: false, https: true, h2: true };
const ALPN = { https: ["http/1.1"], h2: ["h2"] };

/**
 * Opens a connection.
 *
 * @param to - `{ port }` of a server that listens, or `{ server }` to hand it one end of a pair of streams.
 * @returns `{ stream, ready, fin(), reset() }`: the stream of the protocol, a promise that settles when it can be used or
 *   has failed, and two ways to leave.
 */
export function openTransport(protocol, to) {
  const raw = to.server
    ? joined(to.server)
    : connect({ port: to.port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
  raw.on("error", ignore);
  const isTls = IS_TLS[protocol];
  const stream = isTls ? tls.connect({ socket: raw, rejectUnauthorized: false, ALPNProtocols: ALPN[protocol] }) : raw;
  stream.on("error", ignore);
  const ready = new Promise((resolve) => {
    if (to.server && !isTls) resolve();
    stream.once(isTls ? "secureConnect" : "connect", resolve);
    stream.once("close", resolve);
  });
  return {
    stream,
    raw,
    ready,
    fin() {
      stream.end();
    },
    reset() {
      if (raw.other) breakOff(raw);
      else raw.resetAndDestroy();
    },
  };
}

function ignore() {}

/** One end of a pair of streams that carry bytes to each other; the other end is a new connection of the server. */
function joined(server) {
  const [client, served] = duplexPair();
  server.emit("connection", served);
  client.other = served;
  endWith(client, served);
  endWith(served, client);
  return client;
}

// As a socket: what the other end has sent is read, then the connection is over.
function endWith(end, other) {
  other.once("close", () => {
    if (end.readableEnded) end.destroy();
    else end.once("end", () => end.destroy());
    if (!end.destroyed && !end.readableEnded && !hasEnded(other)) end.push(null);
  });
}

// An end of a pair that has finished has told the other one.
const hasEnded = ({ writableEnded }) => writableEnded;

function breakOff(end) {
  end.other.destroy(Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }));
  end.destroy();
}
