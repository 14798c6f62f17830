import { createHash } from "node:crypto";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import express from "express";
import { attach, authorize, expectations, maxSize, refuse, silent, when } from "express-expectations";
import { credentialsOf, LIMIT, PATIENCE_MS } from "./cases.mjs";

const refused = () => refuse(403);
const refusedAfter = (ms) => async () => {
  await setTimeout(ms);
  return refuse(403);
};
const hasLength = (req) => req.headers["content-length"] !== undefined;

function limitBytes(_req, upload) {
  upload.limitBytes(LIMIT, refuse(413));
  return true;
}

/** Policies by the first part of the path, which is the bucket's name to clients of S3. */
const ROUTES = {
  accepted: [],
  "at-once": [refused],
  "after-300ms": [refusedAfter(300)],
  "after-2500ms": [refusedAfter(2_500)],
  // A declared length over `maxSize` is refused before the content; a client that has to declare one is cut off.
  "mid-body": [when((req) => !hasLength(req), maxSize(LIMIT)), when(hasLength, limitBytes)],
  "signed-in": [authorize(hasCredentials, { challenge: 'Basic realm="uploads"' })],
  unexpected: [() => false],
  patience: [untilContentArrives],
};

function hasCredentials({ path, headers: { authorization = "" } }) {
  const credentials = credentialsOf(path.slice(1));
  const [accessKey] = credentials.split(":");
  const basic = `Basic ${Buffer.from(credentials).toString("base64")}`;
  return authorization === basic || authorization.includes(`Credential=${accessKey}/`);
}

// Holds the verdict back, and so the 100, for as long as the client holds its content back.
async function untilContentArrives(req, upload) {
  const { request } = req.res.locals;
  const waitedMs = () => performance.now() - request.startedAt;
  while (upload.received === 0 && !upload.signal.aborted && waitedMs() < PATIENCE_MS) await setTimeout(5);
  request.waitedMs = waitedMs();
  request.gaveUp = upload.signal.aborted;
  return true;
}

/**
 * Starts an Express app on the package.
 *
 * @returns its address, and `requestsOf(path)`: what came in for a path so far, each with `expect`, `isChunked`,
 *   `status`; what was stored of it: `bytes`, `sha256`; on the route "patience" `waitedMs`, `gaveUp`.
 */
export async function startServer() {
  const arrived = new Map();
  const app = express();

  app.use((req, res, next) => {
    const request = {
      method: req.method,
      expect: req.headers.expect,
      isChunked: !hasLength(req),
      startedAt: performance.now(),
    };
    arrived.set(req.path, [...(arrived.get(req.path) ?? []), request]);
    res.on("finish", () => {
      request.status = res.statusCode;
    });
    res.locals.request = request;
    next();
  });

  for (const [name, policies] of Object.entries(ROUTES)) {
    app.use(`/${name}`, expectations({ logger: silent, policies }), store);
  }

  const server = attach(app.listen(0, "127.0.0.1"), { logger: silent });
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    requestsOf: (path) => arrived.get(path) ?? [],
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function store(req, res) {
  const { request } = res.locals;
  const sha256 = createHash("sha256");
  let bytes = 0;
  req.on("data", (chunk) => {
    bytes += chunk.length;
    sha256.update(chunk);
  });
  // The guard answers an upload that it cuts off; nobody is left to be answered where the client has gone.
  req.on("error", () => {});
  req.on("end", () => {
    request.bytes = bytes;
    request.sha256 = sha256.digest("hex");
    res.status(201).set("ETag", `"${request.sha256}"`).end();
  });
}
