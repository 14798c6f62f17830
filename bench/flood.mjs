// The process that sampled.mjs measures: apps that differ in their logger alone, refusing uploads in-process and on
// a port each. Run with --expose-gc.
// Gets jobs by IPC, one at a time: { job: "flood" | "inProcess" | "cpu", … }.
import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import pino from "pino";
import { attach, expectations, maxSize, sampled, silent } from "../dist/esm/index.js";
import { refuseOne } from "./flood-exchange.mjs";

const SAMPLED = { perSecond: 50 };
const TICK_MS = 10;

const guardWith = (logger) => expectations({ policies: [maxSize("10mb")], logger, autoAttach: false });

const nowhere = { write() {} };

const loggers = {
  silent,
  "silent, again": silent,
  sampled: sampled(pino({}, nowhere), SAMPLED),
  "every record written": pino({}, nowhere),
};
const guards = Object.fromEntries(Object.entries(loggers).map(([name, logger]) => [name, guardWith(logger)]));

/** Refuses at a given rate, and counts what the log got of it. */
async function flood({ perSecond, seconds }) {
  const told = { records: 0, summaries: 0, omitted: 0 };
  const count = {
    write(line) {
      const { event, omitted } = JSON.parse(line);
      if (event === "expectation.omitted") {
        told.summaries++;
        told.omitted += omitted;
      } else told.records++;
    },
  };
  const guard = guardWith(sampled(pino({}, count), SAMPLED));
  const perTick = (perSecond * TICK_MS) / 1000;
  const startedAt = performance.now();
  let refused = 0;
  for (let tick = 0; tick < (seconds * 1000) / TICK_MS; tick++) {
    const early = startedAt + tick * TICK_MS - performance.now();
    if (early > 0) await sleep(early);
    for (let i = 0; i < perTick; i++) refuseOne(guard);
    refused += perTick;
  }
  const ms = performance.now() - startedAt;
  // The last word comes by a timer, a second after the last second began.
  await sleep(1_100);
  return { refused, ms, ...told };
}

/** Refuses so many as fast as it can. */
async function inProcess({ variant, calls }) {
  const guard = guards[variant];
  // What the slot before has left behind is not this one's to clear up.
  globalThis.gc();
  const cpuBefore = cpuMs();
  const startedAt = performance.now();
  for (let i = 0; i < calls; i += 50) {
    for (let j = 0; j < 50; j++) refuseOne(guard);
    // What a refusal leaves to later belongs to its cost.
    await new Promise(setImmediate);
  }
  const ms = performance.now() - startedAt;
  return { perSecond: (calls * 1000) / ms, perCpuSecond: (calls * 1000) / (cpuMs() - cpuBefore) };
}

function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const ports = {};
for (const [name, logger] of Object.entries(loggers)) {
  const guard = guards[name];
  const server = attach(
    createServer((req, res) => guard(req, res, () => res.end())),
    { logger },
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ports[name] = server.address().port;
}

const JOBS = { flood, inProcess, cpu: () => ({ cpuMs: cpuMs() }) };

process.on("message", async ({ job, ...options }) => process.send(await JOBS[job](options)));
process.on("disconnect", () => process.exit(0));
process.send({ ports });
