// A cluster of processes that share places in Redis. Started by concurrency-redis.test.ts beside a copy of src.
//
// Prints its port, then a line of JSON for each record, and for each upload that a worker accepts.
import cluster from "node:cluster";
import { createServer } from "node:http";
import { Redis } from "ioredis";
import { Semaphore } from "redis-semaphore";
import { attach, concurrency, expectations } from "./src/index.js";

// Each policy is for the URLs that begin with its name: /NAME-1, /NAME-2.
const { workers, redisPort, policyTimeoutMs, policies } = JSON.parse(process.argv[2]);

/** Each is over when a client is connected, or could not be. */
const connections = [];

const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

if (cluster.isPrimary) {
  let listening = 0;
  cluster.on("listening", (_worker, { port }) => {
    listening++;
    if (listening === workers) process.stdout.write(`listening on ${port}\n`);
  });
  cluster.on("exit", (worker, code, signal) => print({ exit: worker.process.pid, code, signal }));
  for (let i = 0; i < workers; i++) cluster.fork();
} else {
  await serve();
}

async function serve() {
  const write = (level) => (details, message) => print({ level, message, ...details, err: String(details.err ?? "") });
  const logger = { warn: write("warn"), error: write("error") };
  const rooms = new Map(Object.entries(policies).map(([name, options]) => [name, roomOf(options)]));
  const room = (req, upload) => rooms.get(/^\/([a-z]+)-/.exec(req.url)[1])(req, upload);
  const guard = expectations({ logger, policyTimeoutMs, policies: [room] });
  const server = createServer((req, res) => {
    guard(req, res, () => {
      print({ accepted: req.url, pid: process.pid });
      let length = 0;
      req.on("data", (chunk) => {
        length += chunk.length;
      });
      req.on("end", () => res.writeHead(201).end(`stored ${length}`));
      req.on("error", () => {});
    });
  });
  attach(server, { logger });
  // A client that may not queue commands fails those that come before it is connected.
  await Promise.all(connections);
  server.listen(0, "127.0.0.1");
}

function roomOf({ redisOptions, ...options }) {
  const redis = new Redis({ host: "127.0.0.1", port: redisPort, ...redisOptions });
  redis.on("error", () => {});
  connections.push(new Promise((resolve) => redis.once("ready", resolve).once("close", resolve)));
  return concurrency({
    ...options,
    key: (req) => req.url,
    semaphore: (key, limit, semaphoreOptions) => new Semaphore(redis, key, limit, semaphoreOptions),
  });
}
