// node servers.mjs attached|bare
//
// One of the Node servers under comparison: an attached Express app with a guard, or node:http alone. Both run the same
// routes. The runner asks on stdin, one line a question, and gets one line of JSON for each on stdout:
//
//   <id> idle <port> <bytes>   whether the connection from <port> has read <bytes>, and has nothing left to do
//   <id> log <port>            what ran on the connection, which is forgotten then
//   <id> left                  the ports whose log nobody has fetched
import { once } from "node:events";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { setImmediate as turn } from "node:timers/promises";
import express from "express";
import { attach, expectations, maxSize, refuse } from "../../dist/esm/index.js";
import { LATE_MS, LIMIT, numberOf, routeOf } from "./routes.mjs";

/** Turns of the event loop in which nothing may happen on an idle connection. */
const QUIET_TURNS = 4;

const MAKERS = {
  attached() {
    const app = express();
    app.set("env", "test");
    app.use((req, res, next) => {
      begin(req, res);
      next();
    });
    app.use(expectations({ policies: [judge], logger }));
    app.use(application);
    return attach(createServer(app), { logger });
  },
  bare() {
    return createServer((req, res) => {
      begin(req, res);
      application(req, res, () => {
        res.statusCode = 404;
        res.end();
      });
    });
  },
};

const logger = {
  warn() {},
  error(details, message) {
    say({ fault: `${message} ${details.err?.stack ?? ""}` });
  },
};

const limitUpload = maxSize(LIMIT);

function judge(req, upload) {
  switch (tracked.get(req).route) {
    case "refuse":
      return refuse(413);
    case "refuse-late":
      return later(req, () => refuse(403));
    case "limit":
      return limitUpload(req, upload);
    default:
      return true;
  }
}

/** By client's port: the socket, what ran on it, and how many timers of its requests are running. */
const connections = new Map();
const bySocket = new WeakMap();
const tracked = new WeakMap();

function begin(req, res) {
  const connection = bySocket.get(req.socket);
  // Express takes the origin out of an absolute form, too.
  const path = req.url.replace(/^https?:\/\/[^/?]*/i, "").replace(/\?.*$/s, "");
  const id = numberOf(req.url);
  tracked.set(req, { connection, route: routeOf(path), id });
  connection.log.push({ event: "begin", id, method: req.method, target: req.url });
  res.setHeader("X-Executed", id);
  res.setHeader("X-Method", req.method);
  const answered = () => connection.log.push({ event: "answered", id });
  const { end } = res;
  // A response that is first in line is on its way when it ends; `finish` comes later.
  res.end = function (...args) {
    const isFirst = res.socket !== null;
    const result = end.apply(this, args);
    if (isFirst && res.writableEnded) answered();
    else res.once("finish", answered);
    return result;
  };
}

function later(req, act) {
  const { connection } = tracked.get(req);
  connection.timers++;
  return new Promise((resolve) => {
    setTimeout(() => {
      connection.timers--;
      resolve(act());
    }, LATE_MS);
  });
}

function application(req, res, next) {
  switch (tracked.get(req).route) {
    case "read":
      readAll(req, res);
      return;
    case "read-late":
      void later(req, () => readAll(req, res));
      return;
    case "limit":
      readAll(req, res, LIMIT);
      return;
    case "no-read":
    case "smuggled":
      answer(res, 200);
      return;
    case "no-read-late":
      void later(req, () => answer(res, 200));
      return;
    case "refuse":
      answer(res, 413);
      return;
    case "refuse-late":
      void later(req, () => answer(res, 403));
      return;
    case "close":
      res.setHeader("Connection", "close");
      answer(res, 200);
      return;
    default:
      next();
  }
}

function answer(res, status, text = "done") {
  res.statusCode = status;
  res.end(text);
}

function readAll(req, res, limit = Number.POSITIVE_INFINITY) {
  const { connection, id } = tracked.get(req);
  let length = 0;
  let hash = 0x811c9dc5;
  req.on("data", (chunk) => {
    length += chunk.length;
    for (const byte of chunk) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
    if (length > limit && !res.writableEnded) answer(res, 413);
  });
  req.on("error", () => {});
  req.on("end", () => {
    if (res.writableEnded) return;
    connection.log.push({ event: "read", id, length, hash });
    answer(res, 200, `read ${length}`);
  });
}

async function idle(port, bytes) {
  const connection = connections.get(port);
  if (!connection) return { isIdle: false };
  const { socket, log } = connection;
  if (!socket || socket.bytesRead !== bytes || connection.timers > 0) return { isIdle: false };
  const now = () => `${socket.bytesRead} ${connection.timers} ${socket.bytesWritten} ${log.length} ${socket.destroyed}`;
  const before = now();
  for (let i = 0; i < QUIET_TURNS; i++) await turn();
  return { isIdle: before === now() && !socket.destroyed, written: socket.bytesWritten };
}

function fetchLog(port) {
  const connection = connections.get(port);
  if (!connection) return [];
  const { log } = connection;
  connection.log = [];
  return log;
}

// Connections that are open, and what ran after the log was fetched.
function left() {
  return [...connections].map(([port, { log, socket }]) => ({ port, log, isOpen: socket !== undefined }));
}

const ASKED = { idle, log: fetchLog, left };

function say(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

for (const event of ["uncaughtException", "unhandledRejection"]) {
  process.on(event, (error) => {
    say({ crash: `${event}: ${error?.stack ?? error}` });
    process.stdout.write("", () => process.exit(70));
  });
}

const server = MAKERS[process.argv[2]]();
server.on("connection", (socket) => {
  const connection = { socket, log: [], timers: 0 };
  const port = socket.remotePort;
  connections.set(port, connection);
  bySocket.set(socket, connection);
  socket.once("close", () => {
    connection.socket = undefined;
  });
});

server.listen(0, "127.0.0.1");
await once(server, "listening");
say({ port: server.address().port });
for await (const line of createInterface({ input: process.stdin })) {
  const [id, what, ...args] = line.split(" ");
  void Promise.resolve(ASKED[what](...args.map(Number))).then((result) => say({ id: Number(id), result }));
}
process.exit(0);
