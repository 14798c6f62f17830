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
import { messageOf } from "./children.mjs";
import { median, medianWithin } from "./statistics.mjs";

const GOAL = 0.95;
const SLOT_MS = 60;
const WARM_UP_ROUNDS = 15;
const SIZES = { "1 KiB": [1_024, 8], "1 MiB": [2 ** 20, 2] };

if (process.send) await serve();
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

/** Uploads per second, so many at a time. */
async function slot(send, url, agent, body, width) {
  const startedAt = performance.now();
  let count = 0;
  const work = async () => {
    while (performance.now() - startedAt < SLOT_MS) {
      if ((await send(url, agent, body)) !== 201) throw new Error("an upload was not stored");
      count++;
    }
  };
  await Promise.all(Array.from({ length: width }, work));
  return (count * 1_000) / (performance.now() - startedAt);
}

async function compare() {
  const { values } = parseArgs({ options: { rounds: { type: "string", default: "101" } } });
  const server = fork(new URL(import.meta.url), { stdio: "inherit" });
  const url = `http://127.0.0.1:${await messageOf(server)}/files`;
  const agent = new http.Agent({ keepAlive: true });
  const senders = { "by hand": byHand, client: byClient, "by hand, again": byHand };
  console.log(`Node ${process.versions.node}, ${values.rounds} rounds of ${SLOT_MS} ms each, in turns\n`);
  console.log("| size | by hand, uploads/s | client / by hand | by hand, again / by hand |\n|---|---|---|---|");
  for (const [size, [bytes, width]] of Object.entries(SIZES)) {
    const body = Buffer.alloc(bytes, "x");
    const rates = Object.fromEntries(Object.keys(senders).map((name) => [name, []]));
    for (let round = -WARM_UP_ROUNDS; round < Number(values.rounds); round++) {
      const names = Object.keys(senders);
      for (const name of round % 2 === 0 ? names : names.reverse()) {
        const rate = await slot(senders[name], url, agent, body, width);
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
  agent.destroy();
  server.disconnect();
}
