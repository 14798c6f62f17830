// npm run bench:upload -- [--rounds N]
//
// The rate of `express-expectations/client` against an http.request written by hand that waits for its 100, for uploads of
// 1 KiB and 1 MiB to an attached server in another process. Exit code 1 if the interval of the ratio's median lies below
// the goal.
import { fork } from "node:child_process";
import { once } from "node:events";
import * as http from "node:http";
import { parseArgs } from "node:util";
import { attach } from "express-expectations";
import { upload } from "express-expectations/client";
import { ask, messageOf } from "./children.mjs";
import { median, medianWithin } from "./statistics.mjs";

const GOAL = 0.95;
const SLOT_MS = 60;
const WARM_UP_ROUNDS = 15;
/** Each sender has a process of its own, so that none of them runs through code that another one has made slower. */
const SENDERS = { "by hand": byHand, client: byClient, "by hand, again": byHand };
const SIZES = { "1 KiB": [1_024, 8], "1 MiB": [2 ** 20, 2] };

const [role] = process.argv.slice(2);
if (role === "server") await serve();
else if (Object.hasOwn(SENDERS, role)) work(SENDERS[role]);
else await compare();

async function serve() {
  const server = attach(
    http.createServer((req, res) => {
      req.on("data", () => {});
      req.on("end", () => {
        res.statusCode = 201;
        res.end();
      });
    }),
  );
  await once(server.listen(0, "127.0.0.1"), "listening");
  process.send(server.address().port);
  process.once("disconnect", () => process.exit());
}

function byHand(url, agent, body) {
  return new Promise((resolve, reject) => {
    const headers = { Expect: "100-continue", "Content-Length": body.length };
    const req = http.request(url, { agent, method: "PUT", headers });
    req.on("continue", () => req.end(body));
    req.on("response", (res) => {
      res.on("data", () => {});
      res.on("end", () => resolve(res.statusCode));
    });
    req.on("error", reject);
    req.flushHeaders();
  });
}

async function byClient(url, agent, body) {
  const { status } = await upload(url, { agent, body });
  return status;
}

/** Measures a slot at each message: uploads per second, so many at a time. */
function work(send) {
  const agent = new http.Agent({ keepAlive: true });
  process.on("message", async ({ url, bytes, width }) => {
    const body = Buffer.alloc(bytes, "x");
    const startedAt = performance.now();
    let count = 0;
    const one = async () => {
      while (performance.now() - startedAt < SLOT_MS) {
        if ((await send(url, agent, body)) !== 201) throw new Error("an upload was not stored");
        count++;
      }
    };
    await Promise.all(Array.from({ length: width }, one));
    process.send((count * 1_000) / (performance.now() - startedAt));
  });
  process.once("disconnect", () => process.exit());
}

async function compare() {
  const { values } = parseArgs({ options: { rounds: { type: "string", default: "101" } } });
  const start = (name) => fork(new URL(import.meta.url), [name], { stdio: "inherit" });
  const server = start("server");
  const url = `http://127.0.0.1:${await messageOf(server)}/files`;
  const workers = Object.fromEntries(Object.keys(SENDERS).map((name) => [name, start(name)]));
  console.log(`Node ${process.versions.node}, ${values.rounds} rounds of ${SLOT_MS} ms each, in turns\n`);
  console.log("| size | by hand, uploads/s | client / by hand | by hand, again / by hand |\n|---|---|---|---|");
  for (const [size, [bytes, width]] of Object.entries(SIZES)) {
    const rates = Object.fromEntries(Object.keys(SENDERS).map((name) => [name, []]));
    for (let round = -WARM_UP_ROUNDS; round < Number(values.rounds); round++) {
      const names = Object.keys(SENDERS);
      for (const name of round % 2 === 0 ? names : names.reverse()) {
        const rate = await ask(workers[name], { url, bytes, width });
        if (round >= 0) rates[name].push(rate);
      }
    }
    const ratio = (name) => medianWithin(rates[name].map((rate, i) => rate / rates["by hand"][i]));
    const shown = ({ median: middle, from, to }) => `${middle.toFixed(3)} (${from.toFixed(3)} to ${to.toFixed(3)})`;
    const client = ratio("client");
    if (client.to < GOAL) process.exitCode = 1;
    console.log(
      `| ${size} | ${Math.round(median(rates["by hand"]))} | ${shown(client)} | ${shown(ratio("by hand, again"))} |`,
    );
  }
  for (const child of [server, ...Object.values(workers)]) child.disconnect();
}
