// What the libraries do that users bring along: docs/facts.md, "Libraries". Needs the development dependencies.
import * as http from "node:http";
import { Writable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import bytes from "bytes";
import httpProxy from "http-proxy";
import pino from "pino";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { Semaphore } from "redis-semaphore";
import winston from "winston";
import { closeAll, exchange, fact, listen, PLAIN, UPLOAD } from "./fact.mjs";

{
  const limiter = new RateLimiterMemory({ points: 100, duration: 60 });
  await limiter.consume("key", 1_000).catch(() => {});
  const isRefused = await limiter.consume("key", 10).then(
    () => false,
    () => true,
  );
  fact(
    "a refused `consume` still counts",
    isRefused,
    `10 of 100 after a refused 1,000: ${isRefused ? "refused" : "accepted"}`,
  );
}
{
  const limiter = new RateLimiterMemory({ points: 100, duration: 1 });
  await limiter.consume("key", 100);
  await setTimeout(1_100);
  await limiter.reward("key", 100);
  const after = await limiter.consume("key", 200).then(
    () => "200 of 100 accepted",
    () => "200 of 100 refused",
  );
  fact("`reward` after the end of the window makes credit", after === "200 of 100 accepted", after);
}
{
  // As much of ioredis as the library needs: Redis has the place, until it fails.
  const answers = [1, 1];
  const evalsha = async () => answers.shift() ?? Promise.reject(new Error("no connection"));
  const client = { eval: evalsha, evalsha, get: evalsha, set: evalsha, zrem: async () => 1 };
  const unhandled = [];
  process.on("unhandledRejection", (error) => unhandled.push(error.message));
  const place = { identifier: "place", acquiredExternally: true, onLockLost() {} };
  await new Semaphore(client, "key", 1, { ...place, refreshInterval: 0 }).tryAcquire();
  await setTimeout(50);
  const own = [...unhandled];
  const renewing = new Semaphore(client, "key", 1, { ...place, refreshInterval: 10 });
  await renewing.tryAcquire();
  await setTimeout(50);
  await renewing.release();
  process.removeAllListeners("unhandledRejection");
  fact(
    "redis-semaphore leaves a failed renewal unhandled, and renews nothing with `refreshInterval: 0`",
    own.length === 0 && unhandled.includes("no connection"),
    `${own.length} and ${unhandled.length} unhandled rejections`,
  );
}
{
  const answers = [1, 0];
  const evalsha = async () => answers.shift();
  const client = { eval: evalsha, evalsha, get: evalsha, set: evalsha, zrem: async () => 1 };
  const options = { identifier: "place", acquiredExternally: true, refreshInterval: 0 };
  const renew = () => new Semaphore(client, "key", 1, options).tryAcquire();
  const seen = [await renew(), await renew()];
  fact(
    "with `acquiredExternally`, `tryAcquire()` says whether the place still exists",
    `${seen}` === "true,false",
    seen,
  );
}
{
  const seen = [bytes.parse("5MiB"), bytes.parse("1e9")];
  fact('`bytes.parse` reads "5MiB" as 5 and "1e9" as 1', `${seen}` === "5,1", seen);
}

/** What a logger writes of a call. */
function written(make, ...args) {
  let text = "";
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  make(stream).warn(...args);
  return text.trim();
}
const FIELDS = { status: 413 };
{
  const make = (stream) => winston.createLogger({ transports: [new winston.transports.Stream({ stream })] });
  const seen = written(make, FIELDS, "refused");
  fact("winston drops the message of `(fields, message)`", seen.includes("413") && !seen.includes("refused"), seen);
}
{
  const seen = written((stream) => pino(stream), "refused", FIELDS);
  fact("pino drops the fields of `(message, fields)`", seen.includes("refused") && !seen.includes("413"), seen);
}
{
  const { warn } = pino(new Writable({ write: (_chunk, _encoding, done) => done() }));
  let thrown = "nothing";
  try {
    warn("refused");
  } catch ({ name }) {
    thrown = name;
  }
  fact("a method that is taken off a pino logger throws", thrown === "TypeError", `throws ${thrown}`);
}
{
  const origin = await listen(http.createServer((req, res) => req.resume().on("end", () => res.end())));
  const proxy = httpProxy.createProxyServer({ target: `http://127.0.0.1:${origin}` });
  const seen = [];
  proxy.on("proxyReq", (_proxyReq, { headers }) => seen.push(headers.expect ?? "none"));
  const port = await listen(http.createServer((req, res) => proxy.web(req, res)));
  for (const head of [UPLOAD, PLAIN]) await exchange(port, [head, "hello"]);
  fact(
    "http-proxy emits no `proxyReq` for a request with `Expect`",
    `${seen}` === "none",
    `\`Expect\` of those told: ${seen}`,
  );
}
closeAll();
