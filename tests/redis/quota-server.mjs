// One of several server processes that share a budget. Started by quota-redis.test.ts beside a copy of src.
import { createServer } from "node:http";
import { Redis } from "ioredis";
import { RateLimiterRedis } from "rate-limiter-flexible";
import { attach, expectations, quota } from "./src/index.js";

const { redisPort, points, duration, redisOptions, storeTimeoutMs, policyTimeoutMs } = JSON.parse(process.argv[2]);

const write = (level) => (details, message) => {
  const error = details.err === undefined ? undefined : String(details.err);
  console.log(JSON.stringify({ level, message, ...details, err: error }));
};
const logger = { warn: write("warn"), error: write("error") };

const storeClient = new Redis({ host: "127.0.0.1", port: redisPort, ...redisOptions });
storeClient.on("error", () => {});

const limiter = new RateLimiterRedis({ storeClient, points, duration });
const guard = expectations({
  logger,
  policyTimeoutMs,
  policies: [quota({ limiter, storeTimeoutMs, key: (req) => req.url })],
});

const server = createServer((req, res) => {
  guard(req, res, () => {
    let length = 0;
    req.on("data", (chunk) => {
      length += chunk.length;
    });
    req.on("end", () => {
      res.statusCode = 201;
      res.end(`stored ${length}`);
    });
  });
});
attach(server, { logger });
// A client that may not queue commands fails those that come before it is connected.
if (storeClient.status !== "ready") {
  await new Promise((resolve) => storeClient.once("ready", resolve).once("close", resolve));
}
server.listen(0, "127.0.0.1", () => console.log(`listening on ${server.address().port}`));
