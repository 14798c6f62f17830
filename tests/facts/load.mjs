// How Node measures the event loop: docs/facts.md, "Node: load".
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { fact } from "./fact.mjs";

function block(ms) {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

const histogram = monitorEventLoopDelay({ resolution: 10 });
const longestMs = () => Math.round(histogram.max / 1e6);

histogram.enable();
await setTimeout(100);
block(300);
await setTimeout(100);
const inTheMiddle = longestMs();
fact("a blocked event loop is recorded", inTheMiddle >= 290, `${inTheMiddle} ms of 300`);

histogram.reset();
block(300);
await setTimeout(100);
const behindReset = longestMs();
fact("the first turn after a reset is not recorded", behindReset < 290, `${behindReset} ms of 300`);

histogram.reset();
const p99 = histogram.percentile(99);
fact("an empty histogram has a percentile near 0", p99 >= 0 && p99 < 1e6, `${p99} ns`);

await setTimeout(500);
const p50 = histogram.percentile(50) / 1e6;
fact("what is recorded is the time from one turn to the next, not the delay", p50 >= 9.5, `${p50} ms at rest`);
