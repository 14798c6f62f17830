// One upload through a middleware without a network: the request and the response are Node's own, on a connection in
// memory. Parser and kernel are left out.
import { IncomingMessage, ServerResponse } from "node:http";
import { Duplex } from "node:stream";

/** A connection whose client reads everything, and ends its side when the server does. */
class Connection extends Duplex {
  remoteAddress = "127.0.0.1";

  _read() {}

  _write(_chunk, _encoding, done) {
    done();
  }

  _final(done) {
    this.push(null);
    done();
  }

  setTimeout() {
    return this;
  }

  destroySoon() {
    this.end();
  }
}

/**
 * A `PUT` with `Expect: 100-continue`, and its response.
 *
 * @param length - the declared content, in bytes.
 */
export function makeExchange(length) {
  const socket = new Connection();
  const req = new IncomingMessage(socket);
  req.method = "PUT";
  req.url = "/files/7?token=secret";
  req.httpVersion = "1.1";
  req.httpVersionMajor = 1;
  req.httpVersionMinor = 1;
  req.headers = {
    host: "bench",
    expect: "100-continue",
    "content-type": "image/png",
    "content-length": String(length),
    "user-agent": "bench/1.0",
  };
  req.rawHeaders = Object.entries(req.headers).flat();
  const res = new ServerResponse(req);
  res.assignSocket(socket);
  return { req, res };
}

/** Has an upload of 100 MiB refused, from the request to the written response. */
export function refuseOne(guard) {
  const { req, res } = makeExchange(100 * 2 ** 20);
  guard(req, res, () => {
    throw new Error("an upload was accepted");
  });
  if (res.statusCode !== 413 || !res.writableEnded) throw new Error("an upload was not refused");
}
