// The process that is swept: attached servers of all four protocols, and what stays in it, on demand. A child of sweep.mjs.
import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import * as https from "node:https";
import { setTimeout as after } from "node:timers/promises";
import { attach, concurrency, expectations, maxSize, refuse, silent } from "../../dist/esm/index.js";
import { gauges } from "../../dist/esm/observe/diagnostics.js";
import { patiently } from "../helpers/patience.mjs";
import { cert, key } from "../helpers/transports.mjs";

const OPTIONS = { logger: silent, lingerMs: 300, bodyTimeoutMs: 300 };
const DEADLINE_MS = 15_000;
/** More than the buffers of a connection take from a client that does not read. */
const LARGE = Buffer.alloc(8 * 2 ** 20, "x");

const faults = [];
for (const event of ["uncaughtException", "unhandledRejection"]) {
  process.on(event, (error) => faults.push(`${event}: ${error?.stack ?? error}`));
}
process.on("warning", (warning) => {
  // Node's own, about an experiment of the line.
  if (warning.name !== "ExperimentalWarning") faults.push(`warning: ${warning.stack}`);
});
process.on("disconnect", () => process.exit(0));

const counts = { judged: 0, over: 0, requests: 0, responsesClosed: 0, requestsClosed: 0, routed: 0, routesOver: 0 };

function watched(_req, { onClose }) {
  counts.judged++;
  let calls = 0;
  onClose(() => {
    if (++calls === 1) counts.over++;
    else faults.push("onClose was called twice");
  });
  return true;
}

const place = concurrency({ limit: 1_000 });
const refusal = refuse(403);

const POLICIES = {
  "/accept": [place, maxSize("1mb")],
  "/accept-later": [place, () => after(4).then(() => true)],
  "/refuse": [place, () => refusal],
  "/refuse-later": [place, () => after(4).then(() => refusal)],
  "/refuse-large": [() => after(1).then(() => refuse(403, { body: LARGE, type: "text/plain" }))],
  "/limit": [
    (_req, { limitBytes }) => {
      limitBytes(10, refuse(413));
      return true;
    },
  ],
  "/throws": [() => after(2).then(() => Promise.reject(new Error("a policy that fails")))],
};
const guards = Object.fromEntries(
  Object.entries(POLICIES).map(([path, policies]) => [
    path,
    expectations({ policies: [watched, ...policies], logger: silent }),
  ]),
);

async function application(req, res) {
  counts.routed++;
  let bytes = 0;
  try {
    for await (const chunk of req) bytes += chunk.length;
    res.end(String(bytes));
  } catch {
    // The client left, or a limit was passed.
    if (!res.headersSent) res.statusCode = 500;
    res.end();
  }
  counts.routesOver++;
}

function listener(req, res) {
  counts.requests++;
  req.once("close", () => counts.requestsClosed++);
  res.once("close", () => counts.responsesClosed++);
  const guard = guards[req.url];
  if (guard) guard(req, res, () => application(req, res));
  else res.writeHead(404).end();
}

const servers = {
  http: attach(http.createServer(listener), OPTIONS),
  https: attach(https.createServer({ key, cert }, listener), OPTIONS),
  h2c: attach(http2.createServer(listener), OPTIONS),
  h2: attach(http2.createSecureServer({ key, cert }, listener), OPTIONS),
};
const sessions = new Set();
for (const server of [servers.h2c, servers.h2]) {
  server.on("sessionError", () => {});
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
}
const ports = {};
for (const [name, server] of Object.entries(servers)) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ports[name] = server.address().port;
}

async function what() {
  const { pendingHandshakes, lingeringConnections } = gauges();
  const stays = { pendingHandshakes, lingeringConnections, sessions: sessions.size };
  for (const [name, server] of Object.entries(servers)) {
    stays[`connections of ${name}`] = await new Promise((resolve) => {
      server.getConnections((_error, count) => resolve(count));
    });
  }
  stays["policies not told of the end"] = counts.judged - counts.over;
  stays["requests without close"] = counts.requests - counts.requestsClosed;
  stays["responses without close"] = counts.requests - counts.responsesClosed;
  stays["readers that wait"] = counts.routed - counts.routesOver;
  return Object.entries(stays).filter(([, count]) => count !== 0);
}

process.on("message", async () => {
  let stays = [];
  await patiently(async () => {
    stays = await what();
    return stays.length === 0;
  }, DEADLINE_MS);
  const found = [...stays.map(([name, count]) => `${name}: ${count}`), ...faults.splice(0)];
  process.send({ faults: found, counts });
});
process.send({ ports });
