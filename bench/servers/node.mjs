// One subject in a process of its own: node servers/node.mjs NAME. Sends its port by IPC; "gc" collects garbage and
// answers with the memory in use; "decide" lets go of the handshakes that are pending.
import { once } from "node:events";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import express from "express";
import { Redis } from "ioredis";
import multer from "multer";
import { RateLimiterMemory, RateLimiterRedis } from "rate-limiter-flexible";
import { attach, expectations, maxSize, quota, sampled, silent } from "../../dist/esm/index.js";

const LIMIT = 10 * 2 ** 20;

const pending = [];
const later = () => new Promise((resolve) => pending.push(resolve));
const isTooLarge = (req) => Number(req.headers["content-length"]) > LIMIT;
const isPending = (req) => req.url === "/pending";

function store(req, res) {
  req.on("data", () => {});
  req.on("end", () => {
    res.statusCode = 201;
    res.setHeader("Content-Length", 0);
    res.end();
  });
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
  return made;
}

// What the guides say: look at the length, answer or go on.
function byHand(req, res, next) {
  if (isTooLarge(req)) {
    res.writeHead(413, { Connection: "close", "Content-Length": 0 });
    res.end();
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

function bare() {
  const route = (req, res) => (req.method === "GET" ? hello(req, res) : store(req, res));
  const server = createServer((req, res) => byHand(req, res, () => route(req, res)));
  server.on("checkContinue", (req, res) => byHand(req, res, () => route(req, res)));
  return server;
}

function expressByHand() {
  const made = app(byHand);
  const server = createServer(made);
  server.on("checkContinue", made);
  return server;
}

const decided = (req) => (isPending(req) ? later().then(() => true) : true);
const guard = (logger = silent) =>
  expectations({ policies: [maxSize(LIMIT), decided], policyTimeoutMs: 600_000, logger });

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
  "Express by hand": expressByHand,
  "package, attach({ guard })": () => attach(createServer(app()), { logger: silent, guard: guard() }),
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
    process.send({ rss, heapUsed, external, pending: pending.length });
  }
});
process.on("disconnect", () => process.exit(0));
process.send({ port: server.address().port });
