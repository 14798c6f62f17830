// One instance of a server: a cluster of workers that share a quota and places in Redis. Started by rolling.mjs. Or one
// worker of a cluster of PM2: started by pm2.mjs.
//
// Prints a line of JSON for each event. SIGTERM drains the workers and ends the instance. PM2 sends SIGINT to a worker.
import cluster from "node:cluster";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import express from "express";
import { attach, concurrency, drain, expectations, isDraining, quota } from "express-expectations";
import { Redis } from "ioredis";
import { RateLimiterRedis } from "rate-limiter-flexible";
import { Semaphore } from "redis-semaphore";

const { port, workers, redisPort, budget, places, announceMs } = JSON.parse(process.env.FLEET);

const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

if (cluster.isPrimary) {
  for (let i = 0; i < workers; i++) cluster.fork();
  let listening = 0;
  cluster.on("listening", () => {
    listening++;
    if (listening === workers) print({ event: "ready" });
  });
  cluster.on("exit", (worker, code, signal) => {
    if (code !== 0) print({ event: "died", pid: worker.process.pid, code, signal });
  });
  process.once("SIGTERM", () => {
    for (const worker of Object.values(cluster.workers)) worker.send("drain");
  });
} else {
  await serve();
}

async function serve() {
  const redis = new Redis({ host: "127.0.0.1", port: redisPort });
  const logger = {
    warn: (details, message) => print({ event: "refused", status: details.status, message }),
    error: (details, message) => print({ event: "fault", message, err: String(details.err ?? "") }),
  };
  const now = { judged: 0, read: 0 };
  const guard = expectations({
    logger,
    policies: [
      // A slow question to another service: the client waits for its 100.
      async (req, upload) => {
        now.judged++;
        await sleep(Number(req.headers["x-think-ms"]));
        // The two policies behind this one have their answers within milliseconds, or the upload waits for a place.
        now.judged--;
        return !upload.signal.aborted;
      },
      quota({
        limiter: new RateLimiterRedis({ storeClient: redis, keyPrefix: "quota", points: budget, duration: 3_600 }),
        key: (req) => req.headers["x-user"],
      }),
      concurrency({
        name: "places",
        limit: places,
        maxWaiting: 10_000,
        semaphore: (key, limit, options) => new Semaphore(redis, key, limit, options),
      }),
    ],
  });

  const app = express();
  app.get("/health", (_req, res) => void res.sendStatus(isDraining(server) ? 503 : 200));
  app.put("/files/:id", guard, (req, res, next) => {
    now.read++;
    store(redis, req).then(
      (digest) => res.status(201).send(digest),
      (error) => next(error),
    );
    res.once("close", () => now.read--);
  });

  const server = attach(app.listen(port, "127.0.0.1"), { logger });
  await once(server, "listening");
  const leave = async (options) => {
    const drained = drain(server, { announceMs, ...options });
    print({ event: "draining", ...now });
    setTimeout(() => print({ event: "refusing", ...now }), announceMs);
    print({ event: "drained", ...(await drained) });
    await redis.quit();
    process.exit();
  };
  process.on("message", (message) => {
    if (message === "drain") void leave();
  });
  // This worker goes alone: the port remains, with the other ones.
  process.once("SIGINT", () => void leave({ keepListening: false }));
  process.send("ready");
}

/** Reads an upload, and counts what is in progress and what is stored in Redis, past the policies. */
async function store(redis, req) {
  await redis.eval(HIGHEST, 2, "now", "highest");
  try {
    const hash = createHash("sha256");
    for await (const piece of req) hash.update(piece);
    const digest = hash.digest("hex");
    await redis.multi().hincrby("stored", req.params.id, 1).hset("digests", req.params.id, digest).exec();
    return digest;
  } finally {
    await redis.decr("now");
  }
}

const HIGHEST = `
local now = redis.call("incr", KEYS[1])
if now > tonumber(redis.call("get", KEYS[2]) or "0") then redis.call("set", KEYS[2], now) end
return now`;
