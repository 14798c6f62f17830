// The middleware function alone, on requests that Node parsed: nanoseconds and bytes per call. Run with --expose-gc and
// a young generation so large that nothing is collected while bytes are counted.
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { PerformanceObserver } from "node:perf_hooks";
import { attach, expectations, maxSize, silent } from "../dist/esm/index.js";
import { median } from "./statistics.mjs";

const TIMED_CALLS = 4_000_000;
const TIMED_ROUNDS = 7;
const COUNTED_CALLS = 4_000_000;

const exchanges = [];
const server = attach(
  createServer((req, res) => {
    exchanges.push({ req, res });
    res.end();
  }),
  { logger: silent },
);
server.listen(0, "127.0.0.1");
await once(server, "listening");
const socket = connect(server.address().port, "127.0.0.1");
for (const path of ["/", "/a", "/b?c=d", "/e"]) {
  for (const line of [
    "",
    "Accept: */*\r\n",
    "User-Agent: bench\r\nAccept: a/b\r\nCookie: c=d\r\n",
    "Content-Length: 0\r\n",
  ]) {
    socket.write(`GET ${path} HTTP/1.1\r\nHost: bench\r\n${line}\r\n`);
  }
}
while (exchanges.length < 16) await new Promise((resolve) => setTimeout(resolve, 10));

let passed = 0;
const next = () => {
  passed++;
};
const noop = (_req, _res, proceed) => proceed();
const guard = expectations({ policies: [maxSize("10mb")], logger: silent });

function call(middleware, calls) {
  for (let i = 0; i < calls; i++) {
    const { req, res } = exchanges[i & 15];
    middleware(req, res, next);
  }
}

function nsPerCall(middleware) {
  const startedAt = process.hrtime.bigint();
  call(middleware, TIMED_CALLS);
  return Number(process.hrtime.bigint() - startedAt) / TIMED_CALLS;
}

call(guard, 1_000_000);
call(noop, 1_000_000);
const times = { guard: [], noop: [] };
for (let i = 0; i < TIMED_ROUNDS; i++) {
  times.guard.push(nsPerCall(guard));
  times.noop.push(nsPerCall(noop));
}

let collections = 0;
const observer = new PerformanceObserver((list) => {
  collections += list.getEntries().length;
});

// The least of a few: what else the process does (compiling, timers) lands on the same heap.
async function bytesPerCall(middleware) {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
    collections = 0;
    const before = process.memoryUsage().heapUsed;
    call(middleware, COUNTED_CALLS);
    const bytes = process.memoryUsage().heapUsed - before;
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (collections === 0) least = Math.min(least, bytes / COUNTED_CALLS);
  }
  return least;
}

observer.observe({ entryTypes: ["gc"] });
const bytes = { guard: await bytesPerCall(guard), noop: await bytesPerCall(noop) };
// A middleware that does allocate: shows that the count would see it.
let kept;
bytes.control = await bytesPerCall((req, res, proceed) => {
  kept = { req, res };
  proceed();
});
if (kept === undefined) throw new Error("the control did not run");
observer.disconnect();

process.send({ nsPerCall: median(times.guard), nsPerCallNoop: median(times.noop), bytesPerCall: bytes, passed }, () =>
  process.exit(0),
);
