// The process that diagnostics.mjs measures. Run with --expose-gc and a young generation so large that nothing is
// collected while bytes are counted.
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { PerformanceObserver } from "node:perf_hooks";
import { currentHandshake } from "../dist/esm/handshake/handshake.js";
import { expectations, maxSize, silent } from "../dist/esm/index.js";
import { safeLogger } from "../dist/esm/observe/logger.js";
import { publishAccepted, reportFault, reportRefusal } from "../dist/esm/observe/record.js";
import { makeExchange, refuseOne } from "./flood-exchange.mjs";
import { median } from "./statistics.mjs";

const ROUNDS = 5;
const CALLS = 1_000_000;
const TOLD_CALLS = 20_000;
const DECISIONS = 1_000;

let heard = 0;
const hear = ({ record }) => {
  heard += record.durationMs < 0 ? 0 : 1;
};
const CHANNELS = ["accept", "refuse", "error"].map((name) => `express-expectations:${name}`);

let collections = 0;
const observer = new PerformanceObserver((list) => {
  collections += list.getEntries().length;
});
observer.observe({ entryTypes: ["gc"] });

const pause = () => new Promise((resolve) => setTimeout(resolve, 20));

// Time: the median. Bytes: the least, since what else the process does (compiling, timers) lands on the same heap.
async function measure(calls, run) {
  await run(calls);
  await run(calls);
  const times = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (let i = 0; i < ROUNDS; i++) {
    globalThis.gc();
    await pause();
    collections = 0;
    const heapBefore = process.memoryUsage().heapUsed;
    const startedAt = process.hrtime.bigint();
    await run(calls);
    const ns = Number(process.hrtime.bigint() - startedAt);
    const grown = process.memoryUsage().heapUsed - heapBefore;
    await pause();
    times.push(ns / calls);
    if (collections === 0) bytes = Math.min(bytes, grown / calls);
  }
  if (bytes === Number.POSITIVE_INFINITY) throw new Error("no round without a collection: count fewer calls");
  return { ns: median(times), bytes };
}

const repeated = (call) => (calls) => {
  for (let i = 0; i < calls; i++) call();
};

async function withAndWithout(callsWithout, callsWith, run) {
  const without = await measure(callsWithout, run);
  for (const channel of CHANNELS) subscribe(channel, hear);
  const subscribed = await measure(callsWith, run);
  for (const channel of CHANNELS) unsubscribe(channel, hear);
  return { without, with: subscribed };
}

const guard = expectations({ policies: [maxSize("10mb")], logger: silent, autoAttach: false });

// Reads its content, which sends the 100: then the decision is made.
function acceptOne() {
  const { req, res } = makeExchange(5);
  guard(req, res, () => {
    req.on("data", () => {});
    req.read(0);
  });
  if (req.listenerCount("data") === 0) throw new Error("an upload was not accepted");
  req.push("hello");
  req.push(null);
  res.end();
}

// What a decision leaves to later belongs to it.
const decided = (decide) => async (calls) => {
  for (let i = 0; i < calls; i += 50) {
    for (let j = 0; j < 50; j++) decide();
    await new Promise(setImmediate);
  }
};

const { req, res } = makeExchange(5);
guard(req, res, () => {});
const handshake = currentHandshake(req);
const logger = safeLogger(silent);
const by = { status: 413, policy: "maxSize", reason: "larger than 10 bytes" };
const error = new Error("broken");

const telling = {
  "telling of an acceptance": await withAndWithout(
    CALLS,
    TOLD_CALLS,
    repeated(() => publishAccepted(handshake)),
  ),
  "telling of a refusal": await withAndWithout(
    CALLS,
    TOLD_CALLS,
    repeated(() => reportRefusal(logger, handshake, by)),
  ),
  "telling of a fault": await withAndWithout(
    CALLS,
    TOLD_CALLS,
    repeated(() => reportFault(logger, handshake, by, error)),
  ),
};

let kept;
const control = await measure(
  CALLS,
  repeated(() => {
    kept = { req, res };
  }),
);
if (kept === undefined) throw new Error("the control did not run");

const decisions = {
  "an upload accepted and read, in-process": await withAndWithout(DECISIONS, DECISIONS, decided(acceptOne)),
  "an upload refused, in-process": await withAndWithout(
    3_000,
    3_000,
    decided(() => refuseOne(guard)),
  ),
};
observer.disconnect();

process.send({ telling, control, decisions, heard }, () => process.exit(0));
