import { once } from "node:events";
import express from "express";
import { attach, expectations, maxSize, quota } from "express-expectations";
import { Redis } from "ioredis";
import { RateLimiterMemory, RateLimiterRedis } from "rate-limiter-flexible";

const MEBIBYTE = 2 ** 20;

/**
 * Starts one of the processes that share the budget.
 *
 * @param port - 0 for a free one.
 * @param redisUrl - the Redis or Valkey that all of them use.
 */
export async function start(port = 0, redisUrl = "redis://127.0.0.1:6379") {
  const storeClient = new Redis(redisUrl, {
    // Without a connection a command fails at once, instead of waiting for the next one: an upload needs its verdict now.
    enableOfflineQueue: false,
    // A command whose answer was lost is not sent again: it would count twice.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  });
  storeClient.on("error", (error) => console.error(`redis: ${error.message}`));

  const perUser = new RateLimiterRedis({
    storeClient,
    points: 10 * MEBIBYTE,
    duration: 3600,
    // While Redis is down each process grants a tenth of the budget by itself. Leave this away to refuse with 503.
    insuranceLimiter: new RateLimiterMemory({ points: MEBIBYTE, duration: 3600 }),
  });

  const app = express();
  app.put(
    "/files/:name",
    expectations({
      policies: [
        maxSize("5mb"),
        // Last: what the others refuse is not asked of the store.
        quota({
          limiter: perUser,
          key: (req) => req.get("x-user") ?? "anonymous",
          unknownLengthCost: "5mb",
          name: "user",
        }),
      ],
    }),
    express.raw({ type: () => true, limit: "5mb" }),
    (req, res) => void res.status(201).json({ file: req.params.name, bytes: req.body?.length ?? 0 }),
  );

  const server = attach(app.listen(port, "127.0.0.1"));
  server.on("close", () => storeClient.disconnect());
  await once(server, "listening");
  return server;
}

if (process.argv[1] === import.meta.filename) {
  const server = await start(Number(process.argv[2] ?? 3000), process.argv[3]);
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
}
