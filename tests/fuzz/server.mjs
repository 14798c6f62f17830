// The servers under fire: one process, several kinds of attached server around one application. A child of fuzz.mjs.
import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as after } from "node:timers/promises";
import express from "express";
import express4 from "express4";
import { attach, expectations, maxSize, refuse } from "../../dist/esm/index.js";
import { LIMIT, POLICY_TIMEOUT_MS } from "./routes.mjs";

for (const event of ["uncaughtException", "unhandledRejection"]) {
  process.on(event, (error) => {
    process.send({ crash: `${event}: ${error?.stack ?? error}` }, () => process.exit(70));
  });
}
process.on("disconnect", () => process.exit(0));

const EXPECTED_FAULTS = new Set(["/policy-throws", "/policy-rejects", "/policy-never"]);
const logger = {
  warn() {},
  error(details, message) {
    if (!EXPECTED_FAULTS.has(details.url)) process.send({ fault: `${message} ${details.err?.stack ?? ""}` });
  },
};

const limitUpload = maxSize(LIMIT);

function routePolicy(req, upload) {
  switch (req.url) {
    case "/refuse":
      return refuse(413, { reason: "refused here" });
    case "/refuse-body":
      return refuse(403, { body: "no, and here is why" });
    case "/refuse-async":
      return after(3).then(() => refuse(403));
    case "/accept-async":
      return after(3).then(() => true);
    case "/limit":
      return limitUpload(req, upload);
    case "/policy-throws":
      throw new Error("thrown by a policy");
    case "/policy-rejects":
      return Promise.reject(new Error("rejected by a policy"));
    case "/policy-never":
      return new Promise(() => {});
    default:
      return true;
  }
}

function readAll(req, res) {
  let length = 0;
  req.on("data", (chunk) => {
    length += chunk.length;
  });
  req.on("end", () => {
    res.statusCode = 201;
    res.end(`read ${length}`);
  });
}

async function iterate(req, res) {
  let length = 0;
  try {
    for await (const chunk of req) length += chunk.length;
  } catch {
    return;
  }
  res.statusCode = 201;
  res.end(`iterated ${length}`);
}

// Every kind of server runs this one; `next` is the framework's.
function application(req, res, next) {
  const { url } = req;
  if (url.startsWith("/smuggled-")) {
    process.send({ smuggled: url.slice("/smuggled-".length) });
    res.end("smuggled");
    return;
  }
  switch (url) {
    case "/read":
    case "/limit":
    case "/accept-async":
      readAll(req, res);
      return;
    case "/iterate":
      void iterate(req, res);
      return;
    case "/read-late":
      setTimeout(readAll, 4, req, res);
      return;
    case "/no-read":
      res.end("not read");
      return;
    case "/no-read-late":
      setTimeout(() => res.end("not read"), 4);
      return;
    case "/keep-alive":
      res.writeHead(404, { Connection: "keep-alive" });
      res.end("kept");
      return;
    case "/echo":
      req.pipe(res);
      return;
    case "/head-first":
      res.writeHead(200);
      req.on("data", (chunk) => res.write(chunk));
      req.on("end", () => res.end());
      return;
    case "/resume":
      req.on("end", () => res.end("resumed"));
      req.resume();
      return;
    case "/pause":
      req.once("data", () => {
        req.pause();
        setTimeout(() => req.resume(), 3);
      });
      req.on("end", () => res.end("paused"));
      return;
    case "/first":
      req.once("data", () => res.end("first"));
      req.once("end", () => res.writableEnded || res.end("last"));
      return;
    case "/throw":
      throw new Error("thrown by a handler");
    case "/destroy":
      req.socket.destroy();
      return;
    default:
      next();
  }
}

function answerFailure(res, error) {
  if (res.headersSent) return;
  res.statusCode = error ? 500 : 404;
  res.end();
}

function plain(...middlewares) {
  return (req, res) => {
    const step = (i, error) => {
      if (error || i === middlewares.length) {
        answerFailure(res, error);
        return;
      }
      try {
        middlewares[i](req, res, (failed) => step(i + 1, failed));
      } catch (thrown) {
        step(middlewares.length, thrown);
      }
    };
    step(0);
  };
}

function framework(make, ...middlewares) {
  const app = make();
  app.set("env", "test");
  for (const middleware of middlewares) app.use(middleware);
  return app;
}

const guardWith = (options = {}) =>
  expectations({ policies: [routePolicy], logger, policyTimeoutMs: POLICY_TIMEOUT_MS, ...options });
const ATTACH = { logger, lingerMs: 1_500, bodyTimeoutMs: 3_000 };
const INSECURE = { insecureHTTPParser: true };

const KINDS = {
  "node:http": () => attach(createServer(plain(guardWith(), application)), ATTACH),
  "node:http insecure": () => attach(createServer(INSECURE, plain(guardWith(), application)), ATTACH),
  "Express 5": () => attach(createServer(framework(express, guardWith(), application)), ATTACH),
  "Express 5 insecure": () => attach(createServer(INSECURE, framework(express, guardWith(), application)), ATTACH),
  "Express 4": () => attach(createServer(framework(express4, guardWith(), guardWith(), application)), ATTACH),
  guard: () => attach(createServer(plain(application)), { ...ATTACH, guard: guardWith() }),
  immediately: () => attach(createServer(plain(guardWith({ continueTiming: "immediately" }), application)), ATTACH),
  upgrading: () => {
    const server = attach(createServer(plain(guardWith(), application)), ATTACH);
    server.on("upgrade", (_req, socket) => {
      socket.on("error", () => {});
      socket.resume();
      socket.end("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    });
    return server;
  },
};

const sockets = new Map();
const ports = {};
for (const [kind, make] of Object.entries(KINDS)) {
  const server = make();
  server.on("connection", (socket) => {
    sockets.set(socket, Date.now());
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ports[kind] = server.address().port;
}

process.on("message", async ({ ask, id }) => {
  if (ask !== "connections") {
    process.send({ id });
    return;
  }
  process.send({ id, left: [...sockets].map(([{ remotePort }, at]) => ({ port: remotePort, at })) });
});
process.send({ ports });
