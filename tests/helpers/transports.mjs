// Connections to servers of all protocols, on TCP or on a pair of Duplex streams, that tests can break off at will.
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { Duplex } from "node:stream";
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
      if (raw.resetAndDestroy) raw.resetAndDestroy();
      else raw.destroyBoth();
    },
  };
}

function ignore() {}

/** One end of a pair of streams that carry bytes to each other; the other end is a new connection of the server. */
function joined(server) {
  const client = new End();
  const served = new End();
  client.other = served;
  served.other = client;
  client.served = served;
  server.emit("connection", served);
  return client;
}

class End extends Duplex {
  other;
  #resume;

  constructor() {
    super({ allowHalfOpen: true });
  }

  _read() {
    const resume = this.other.takeResume();
    if (resume) process.nextTick(resume);
  }

  _write(chunk, _encoding, done) {
    if (this.other.destroyed) done();
    else if (this.other.push(chunk)) process.nextTick(done);
    else this.#resume = done;
  }

  _final(done) {
    if (!this.other.destroyed) this.other.push(null);
    done();
  }

  takeResume() {
    const resume = this.#resume;
    this.#resume = undefined;
    return resume;
  }

  // As a socket whose peer is gone: what follows is the end of both.
  _destroy(error, done) {
    done(error);
    process.nextTick(() => {
      if (!this.other.destroyed && !this.other.readableEnded) this.other.destroy();
    });
  }

  destroyBoth() {
    this.destroy();
    this.other.destroy(Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }));
  }
}
