// The process that is soaked: attached servers, and figures about itself on demand. A child of soak.mjs, run with --expose-gc.
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createServer } from "node:http";
import * as http2 from "node:http2";
import { setTimeout as after } from "node:timers/promises";
import { attach, expectations, maxSize, mediaTypes, refuse, silent } from "../../dist/esm/index.js";
import { gauges } from "../../dist/esm/observe/diagnostics.js";
import { cert, key } from "../helpers/transports.mjs";

process.on("disconnect", () => process.exit(0));

const counts = { ran: 0, judged: 0, aborted: 0, stored: 0, asked: 0, over: 0 };

function watched(_req, { onClose }) {
  counts.asked++;
  onClose(() => counts.over++);
  return true;
}

const limit = maxSize("1mb");
const images = mediaTypes(["image/*"]);

function judge(req, upload) {
  switch (req.url) {
    case "/size":
      return limit(req, upload);
    case "/type":
      return images(req, upload);
    case "/auth":
      return after(1).then(() => refuse(401, { headers: { "WWW-Authenticate": "Bearer" } }));
    case "/async":
      return after(1).then(() => true);
    case "/vanish":
      return untilGone(req, upload);
    default:
      return true;
  }
}

// Holds the verdict until the client is gone for certain, and accepts then: nothing may come of it.
function untilGone(req, upload) {
  counts.judged++;
  upload.signal.addEventListener("abort", () => counts.aborted++, { once: true });
  process.send({ judging: req.headers["x-client"] });
  const { socket } = req;
  return new Promise((resolve) => {
    if (socket.destroyed) resolve(true);
    else socket.once("close", () => setImmediate(resolve, true));
  });
}

function application(req, res) {
  if (req.url === "/vanish") counts.ran++;
  if (req.url === "/nowhere") {
    res.statusCode = 404;
    res.end("nothing here");
    return;
  }
  req.on("data", () => {});
  req.on("error", () => {});
  req.on("end", () => {
    counts.stored++;
    res.statusCode = 201;
    res.end("stored");
  });
}

const guard = expectations({ policies: [watched, judge], logger: silent });
const listener = (req, res) => guard(req, res, () => application(req, res));

const servers = {
  http: attach(createServer(listener), { logger: silent }),
  h2c: attach(http2.createServer(listener), { logger: silent }),
  h2: attach(http2.createSecureServer({ key, cert }, listener), { logger: silent }),
};
const streams = new Set();
const sessions = new Set();
for (const server of [servers.h2c, servers.h2]) {
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  server.on("stream", (stream) => {
    streams.add(stream);
    stream.once("close", () => streams.delete(stream));
  });
}
const ports = {};
for (const [name, server] of Object.entries(servers)) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ports[name] = server.address().port;
}

function listenerCounts(emitter) {
  return Object.fromEntries(emitter.eventNames().map((name) => [String(name), emitter.listenerCount(name)]));
}

function byName(names) {
  const found = {};
  for (const name of names) found[name] = (found[name] ?? 0) + 1;
  return found;
}

async function figures() {
  for (let i = 0; i < 4; i++) {
    globalThis.gc();
    await after(20);
  }
  const connections = await new Promise((resolve) => servers.http.getConnections((_error, count) => resolve(count)));
  const { heapUsed, external, rss } = process.memoryUsage();
  return {
    heapUsed,
    external,
    rss,
    descriptors: process.platform === "linux" ? readdirSync("/proc/self/fd").length : 0,
    resources: byName(process.getActiveResourcesInfo()),
    serverListeners: listenerCounts(servers.http),
    processListeners: listenerCounts(process),
    connections,
    lingering: gauges().lingeringConnections,
    pending: gauges().pendingHandshakes,
    streams: streams.size,
    sessions: sessions.size,
    counts: { ...counts },
  };
}

process.on("message", async ({ ask }) => {
  if (ask === "figures") process.send({ figures: await figures() });
  if (ask === "cpu") process.send({ cpu: process.cpuUsage() });
});
process.send({ ports });
