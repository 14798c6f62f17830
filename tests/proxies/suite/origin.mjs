// The attached app behind the proxies, and the endpoint that some of them ask before they forward.
import { createHash } from "node:crypto";
import { once } from "node:events";
import * as http from "node:http";
import { admission, attach, expectations, mediaTypes } from "express-expectations";

/** Uploads of this type are accepted; no proxy refuses one of another type by itself, as it might one by its size. */
export const ACCEPTED_TYPE = "image/png";
export const REFUSED_TYPE = "text/plain";
export const REFUSED_STATUS = 415;
/** The verdict on uploads beneath this path waits until it is released. */
export const HELD = "/files/held/";

/** What a GET of a path is answered with. */
export function answerTo(path) {
  return `the answer to ${path}`;
}

export function sha256(content) {
  return createHash("sha256").update(content).digest("hex");
}

/** An attached app that remembers the fields of what reached it, by path. */
export class Origin {
  /** Fields of the requests that arrived, by path. */
  fields = new Map();
  /** Paths of what the app, the server or the endpoint refused. */
  refused = new Set();
  #holds = new Map();

  static async start() {
    const origin = new Origin();
    const policies = [(req) => origin.#hold(req), mediaTypes(["image/*"])];
    const logger = {
      warn: ({ url }) => origin.refused.add(url),
      error: (details, message) => console.error(message, details),
    };
    const guard = expectations({ policies, logger });
    const app = (req, res) => {
      origin.fields.set(req.url, req.headers);
      guard(req, res, () => answer(req, res));
    };
    origin.server = attach(http.createServer(app), { logger });
    const asked = (statuses) => http.createServer(admission({ trustProxy: "loopback", policies, statuses, logger }));
    origin.admissions = { nginx: asked("nginx"), verbatim: asked("verbatim") };
    for (const server of origin.#servers) await once(server.listen(0, "127.0.0.1"), "listening");
    return origin;
  }

  get #servers() {
    return [this.server, ...Object.values(this.admissions)];
  }

  get port() {
    return this.server.address().port;
  }

  #hold({ url }) {
    return url.startsWith(HELD) ? this.#holdOf(url).promise : true;
  }

  #holdOf(path) {
    if (!this.#holds.has(path)) {
      let release;
      const promise = new Promise((resolve) => {
        release = () => resolve(true);
      });
      setTimeout(release, 5_000).unref();
      this.#holds.set(path, { promise, release });
    }
    return this.#holds.get(path);
  }

  /** Lets the verdict on a held upload come: whoever asks for it, and whenever. */
  release(path) {
    this.#holdOf(path).release();
  }

  stop() {
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
  }
}

function answer(req, res) {
  if (req.method === "GET") {
    res.end(answerTo(req.url));
    return;
  }
  const hash = createHash("sha256");
  req.on("data", (chunk) => hash.update(chunk));
  req.on("end", () => {
    res.statusCode = 201;
    res.end(hash.digest("hex"));
  });
}
