// One subject in a process of its own: node servers/node.mjs NAME. Sends its port by IPC; "gc" collects garbage and
// answers with the memory in use; "decide" lets go of the handshakes that are pending.
import { once } from "node:events";
import { createServer } from "node:http";
import * as http2 from "node:http2";
import * as https from "node:https";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import express from "express";
import { Redis } from "ioredis";
import multer from "multer";
import { RateLimiterMemory, RateLimiterRedis } from "rate-limiter-flexible";
import { attach, concurrency, expectations, maxSize, quota, refuse, sampled, silent } from "../../dist/esm/index.js";
import { cert, key } from "../../tests/helpers/transports.mjs";

/** What is too large, in bytes. */
const LIMIT = Number(process.env.BENCH_LIMIT ?? 10 * 2 ** 20);

const pending = [];
const later = () => new Promise((resolve) => pending.push(resolve));
const isTooLarge = (req) => Number(req.headers["content-length"]) > LIMIT;
const isPending = (req) => req.url === "/pending";
/** A verdict that takes its time, and is no. */
const isLate = (req) => req.url === "/late";
const LATE_MS = 5;

function store(req, res) {
  req.on("data", () => {});
  req.on("end", () => {
    res.statusCode = 201;
    res.setHeader("Content-Length", 0);
    res.end();
  });
}

// Answers before it has read anything.
function early(_req, res) {
  res.statusCode = 201;
  res.setHeader("Content-Length", 0);
  res.end();
}

function hello(_req, res) {
  const body = '{"hello":"world"}';
  res.setHeader("Content-Type", "application/json; charset=utf-8");
  res.setHeader("Content-Length", body.length);
  res.end(body);
}

function app(...middlewares) {
  const made = express();
  for (const middleware of middlewares) made.use(middleware);
  made.get("/hello", hello);
  made.put(["/files", "/pending"], store);
  made.put("/early", early);
  return made;
}

// What the guides say: look at the length, answer or go on.
function byHand(req, res, next) {
  if (isTooLarge(req)) {
    close413(res);
  } else if (isLate(req)) {
    setTimeout(close413, LATE_MS, res);
  } else if (isPending(req)) {
    void later().then(() => {
      res.writeContinue();
      next();
    });
  } else {
    if (req.headers.expect !== undefined) res.writeContinue();
    next();
  }
}

function close413(res) {
  res.writeHead(413, { Connection: "close", "Content-Length": 0 });
  res.end();
}

function route(req, res) {
  if (req.method === "GET") hello(req, res);
  else if (req.url === "/early") early(req, res);
  else store(req, res);
}

const handled = (req, res) => byHand(req, res, () => route(req, res));

const bare = () => createServer(handled).on("checkContinue", handled);
/** The least that keeps a refusal from being lost to a reset: half-close, discard, and close when the client has. */
function bareLingering() {
  const handle = (req, res) => {
    if (isTooLarge(req)) req.socket.destroySoon = lingerSoon;
    handled(req, res);
  };
  return createServer(handle).on("checkContinue", handle);
}

function lingerSoon() {
  this.end();
  const parsers = this.listeners("data");
  this.on("data", discard);
  for (const parse of parsers) this.off("data", parse);
  for (const listener of this.listeners("end")) this.off("end", listener);
  this.on("end", closeBothWays);
}

function discard() {}

function closeBothWays() {
  if (this.writableFinished) this.destroy();
  else this.once("finish", () => this.destroy());
}

const bareTls = () => https.createServer({ key, cert }, handled).on("checkContinue", handled);

// Answers and resets: the client must not go on sending.
function bareHttp2() {
  const handle = (req, res) => {
    if (!isTooLarge(req)) {
      if (req.headers.expect !== undefined) res.writeContinue();
      route(req, res);
      return;
    }
    res.writeHead(413, { "content-length": 0 });
    res.end(() => res.stream.close(http2.constants.NGHTTP2_NO_ERROR));
  };
  return http2.createServer(handle).on("checkContinue", handle);
}

function expressByHand() {
  const made = app(byHand);
  const server = createServer(made);
  server.on("checkContinue", made);
  return server;
}

const late = refuse(413);

function decided(req) {
  if (isPending(req)) return later().then(() => true);
  return isLate(req) ? new Promise((resolve) => setTimeout(resolve, LATE_MS, late)) : true;
}

const guard = (logger = silent) =>
  expectations({ policies: [maxSize(LIMIT), decided], policyTimeoutMs: 600_000, logger });

const room = concurrency({ limit: 1, maxWaiting: 100_000, maxWaitMs: 600_000 });
const roomGuard = () => expectations({ policies: [maxSize(LIMIT), room], policyTimeoutMs: 600_000, logger: silent });

const QUOTA = { points: 1e12, duration: 3_600 };
const quotaGuard = (limiter) =>
  expectations({ policies: [maxSize(LIMIT), quota({ limiter, key: () => "all" })], logger: silent });

function multerLimit() {
  const upload = multer({ dest: join(tmpdir(), "expectations-bench"), limits: { fileSize: LIMIT } });
  return app(upload.single("file"), (error, _req, res, _next) => res.status(413).end(String(error.code)));
}

const pino = (destination) => {
  const make = createRequire(import.meta.url)("pino");
  return make({}, make.destination({ dest: destination, sync: false }));
};

const SUBJECTS = {
  "bare node": bare,
  "bare node, again": bare,
  "bare node, lingering": bareLingering,
  "bare node, TLS": bareTls,
  "bare node, TLS, again": bareTls,
  "bare node, h2c": bareHttp2,
  "bare node, h2c, again": bareHttp2,
  "Express by hand": expressByHand,
  "Express by hand, again": expressByHand,
  "package, node:http": () => attach(createServer(route), { logger: silent, guard: guard() }),
  "package, node:http, no guard": () => attach(createServer(route), { logger: silent }),
  "package, TLS": () => attach(https.createServer({ key, cert }, route), { logger: silent, guard: guard() }),
  "package, h2c": () => attach(http2.createServer(route), { logger: silent, guard: guard() }),
  "package, attach({ guard })": () => attach(createServer(app()), { logger: silent, guard: guard() }),
  "package, waiting room": () => attach(createServer(app()), { logger: silent, guard: roomGuard() }),
  "package, middleware": () => attach(createServer(app(guard())), { logger: silent }),
  "package, middleware, pino": () => attach(createServer(app(guard(pino("/dev/null")))), { logger: silent }),
  "package, middleware, sampled pino": () =>
    attach(createServer(app(guard(sampled(pino("/dev/null"), { perSecond: 50 })))), { logger: silent }),
  "express.raw({ limit })": () =>
    createServer(
      app(express.raw({ limit: LIMIT, type: "*/*" }), (error, _req, res, _next) => res.status(error.status).end()),
    ),
  "multer limit": () => createServer(multerLimit()),
  "package, quota in memory": () =>
    attach(createServer(app(quotaGuard(new RateLimiterMemory(QUOTA)))), { logger: silent }),
  "package, quota in Redis": () =>
    attach(
      createServer(app(quotaGuard(new RateLimiterRedis({ ...QUOTA, storeClient: new Redis(process.env.REDIS_URL) })))),
      { logger: silent },
    ),
};

const server = SUBJECTS[process.argv[2]]();
server.on("sessionError", () => {});
server.keepAliveTimeout = 600_000;
server.requestTimeout = 0;
server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 });
await once(server, "listening");

process.on("message", (message) => {
  if (message === "decide") for (const decide of pending.splice(0)) decide();
  if (message === "gc") {
    globalThis.gc?.();
    globalThis.gc?.();
    const { rss, heapUsed, external } = process.memoryUsage();
    const { inUse, waiting } = room.places;
    process.send({ rss, heapUsed, external, pending: pending.length + inUse + waiting });
  }
});
process.on("disconnect", () => process.exit(0));
process.send({ port: server.address().port });
