// node bench/waiting-room.mjs [--line 22]
//
// What it costs to wait for a place. Memory: what 10,000 uploads in a waiting room add to the process, over 10,000 whose
// policy has not answered. Time: from the moment in which a place becomes free to the verdict of the upload that gets it,
// with 10,000 in the room, of one key and of 1,000 keys. Exit code 1 where a goal is missed. Build first: npm run build.
import { parseArgs } from "node:util";
import { nodeOf } from "../.ci/node-binaries.mjs";
import { concurrency } from "../dist/esm/index.js";
import { Load, measurePending } from "./exchanges.mjs";
import { median } from "./statistics.mjs";

/** Memory of a waiting upload ÷ that of a pending handshake. */
const MOST_MEMORY = 1.1;
/** Microseconds until a free place has its next upload. */
const MOST_US = 50;

const WAITING = 10_000;
const PENDING = "package, attach({ guard })";
const ROOM = "package, waiting room";

const { values } = parseArgs({ options: { line: { type: "string" } } });

/** An upload without a server. */
function upload(key) {
  const { signal } = new AbortController();
  const callbacks = [];
  return {
    key,
    length: 5,
    signal,
    isPreflight: false,
    onClose: (callback) => callbacks.push(callback),
    close: () => {
      for (const callback of callbacks) callback();
    },
  };
}

/** Microseconds from each end of an upload to the next one's verdict: median and slowest hundredth. */
async function timeToNext(options, keyOf) {
  const policy = concurrency({ ...options, key: (_req, { key }) => key, maxWaiting: WAITING, maxWaitMs: 600_000 });
  const order = [];
  let told;
  for (let i = 0; i <= WAITING; i++) {
    const one = upload(keyOf(i));
    void Promise.resolve(policy({}, one)).then(() => {
      order.push(one);
      told?.();
    });
  }
  await new Promise(setImmediate);
  const times = [];
  for (let i = 0; i < WAITING; i++) {
    const served = new Promise((resolve) => {
      told = resolve;
    });
    const startedAt = process.hrtime.bigint();
    order[i].close();
    await served;
    times.push(Number(process.hrtime.bigint() - startedAt) / 1000);
  }
  order.at(-1).close();
  times.sort((a, b) => a - b);
  return { medianUs: median(times), p99Us: times[Math.floor(times.length * 0.99)] };
}

const misses = [];
for (const [name, options, keyOf] of [
  ["one key", { limit: 1 }, () => "all"],
  ["1,000 keys that take turns", { limit: 1, total: 1 }, (i) => String(i % 1_000)],
]) {
  const { medianUs, p99Us } = await timeToNext(options, keyOf);
  console.log(`${name}: next found in ${medianUs.toFixed(1)} µs, slowest hundredth ${p99Us.toFixed(1)} µs`);
  if (medianUs > MOST_US) misses.push(`${name}: ${medianUs.toFixed(1)} µs, goal ${MOST_US}`);
}

// V8 doubles the space for young objects in steps of tens of MiB, which has nothing to do with one upload.
process.env.NODE_OPTIONS = "--max-semi-space-size=1";
const load = new Load();
try {
  const execPath = values.line === undefined ? process.execPath : nodeOf(values.line);
  if (execPath === undefined) throw new Error(`Node ${values.line} could not be installed`);
  const found = await measurePending(load, [PENDING, ROOM], WAITING, execPath);
  const kib = (name) => (found[name].rssBytes / 1024).toFixed(1);
  const ratio = found[ROOM].rssBytes / found[PENDING].rssBytes;
  const heap = found[ROOM].heapBytes / found[PENDING].heapBytes;
  console.log(
    `a pending handshake ${kib(PENDING)} KiB, a waiting upload ${kib(ROOM)} KiB: ${ratio.toFixed(2)} (heap ${heap.toFixed(2)})`,
  );
  if (ratio > MOST_MEMORY) misses.push(`memory: ${ratio.toFixed(2)}, goal ${MOST_MEMORY}`);
} finally {
  load.stop();
}

for (const miss of misses) console.error(`missed: ${miss}`);
process.exitCode = misses.length === 0 ? 0 : 1;
