// npm run bench -- [--rounds N] [--slot MS]
//
// What the middleware costs a request that is none of its business, and what a refusal costs the client that waits.
// Prints a table, writes results.json; exit code 1 where a stated line is missed twice. See README.md.
import { fork } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "120" }, slot: { type: "string", default: "50" } },
});
const rounds = Number(values.rounds);
const slotMs = Number(values.slot);

/** The lines to hold. */
const MOST_NS = 300;
const MOST_BYTES = 0.5;
const LEAST_RATIO = 0.97;

const CONNECTIONS = 32;
const WARM_UP_ROUNDS = 10;
const YOUNG_GENERATION = ["--min-semi-space-size=256", "--max-semi-space-size=256"];

// What a child tells next; that it ends instead is an error, not a wait for ever.
function messageOf(child) {
  return new Promise((resolve, reject) => {
    const ended = (code) => reject(new Error(`${child.spawnfile} ended with ${code}`));
    child.once("exit", ended);
    child.once("message", (message) => {
      child.off("exit", ended);
      resolve(message);
    });
  });
}

const at = (file) => new URL(file, import.meta.url);

async function micro() {
  const child = fork(at("micro.mjs"), { execArgv: ["--expose-gc", ...YOUNG_GENERATION] });
  const result = await messageOf(child);
  return result;
}

/** The load generator, one job at a time. */
class Load {
  #child = fork(at("load.mjs"));

  async run(job) {
    this.#child.send(job);
    return messageOf(this.#child);
  }

  stop() {
    this.#child.disconnect();
  }
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** In the order of their slots: those that are compared stand side by side. */
const VARIANTS = ["with", "without", "without, again", "no-op", "attach({ guard })"];

// Each round gives every app one slot, forwards or backwards, so that what drifts in a run falls on all alike and none
// finds its code and connections warmer than the others do; the slots of one round give one ratio.
async function throughput(load, server, ports) {
  const slot = async (name) => {
    const before = await cpuMsOf(server);
    const { requests, ms } = await load.run({ job: "get", port: ports[name], ms: slotMs, connections: CONNECTIONS });
    const cpuMs = (await cpuMsOf(server)) - before;
    return { perSecond: (requests * 1000) / ms, perCpuSecond: (requests * 1000) / cpuMs };
  };
  const slots = Object.fromEntries(VARIANTS.map((name) => [name, []]));
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    for (const name of round % 2 === 0 ? VARIANTS : [...VARIANTS].reverse()) {
      const measured = await slot(name);
      if (round >= 0) slots[name].push(measured);
    }
  }
  const ratiosOf = (name, figure) =>
    medianWithin(slots[name].map((measured, i) => measured[figure] / slots.without[i][figure]));
  const medianOf = (name, figure) => Math.round(median(slots[name].map((measured) => measured[figure])));
  return Object.fromEntries(
    VARIANTS.map((name) => [
      name,
      {
        perSecond: medianOf(name, "perSecond"),
        perCpuSecond: medianOf(name, "perCpuSecond"),
        ...(name === "without" ? {} : { ratio: ratiosOf(name, "perSecond"), cpuRatio: ratiosOf(name, "perCpuSecond") }),
      },
    ]),
  );
}

// The median, and the interval that holds the true one in 95 of 100 runs (order statistics, no distribution assumed).
function medianWithin(ratios) {
  const sorted = [...ratios].sort((a, b) => a - b);
  const reach = 0.98 * Math.sqrt(sorted.length);
  const at = (i) => rounded(sorted[Math.max(0, Math.min(sorted.length - 1, Math.round(i)))], 3);
  const middle = (sorted.length - 1) / 2;
  return { median: rounded(median(sorted), 3), from: at(middle - reach), to: at(middle + reach) };
}

async function cpuMsOf(server) {
  server.send("cpu");
  return (await messageOf(server)).cpuMs;
}

async function refusals(load, ports) {
  const measured = {};
  for (const name of ["with", "attach({ guard })"]) {
    await load.run({ job: "refuse", port: ports[name], ms: 500, connections: 8 });
    const busy = await load.run({ job: "refuse", port: ports[name], ms: 2_000, connections: 8 });
    const alone = await load.run({ job: "refuse", port: ports[name], ms: 1_000, connections: 1 });
    measured[name] = {
      perSecond: Math.round(busy.perSecond),
      p50Ms: rounded(busy.p50Ms, 2),
      p99Ms: rounded(busy.p99Ms, 2),
      aloneP50Ms: rounded(alone.p50Ms, 2),
      aloneP99Ms: rounded(alone.p99Ms, 2),
      bodyBytes: busy.bodyBytes + alone.bodyBytes,
      statuses: busy.statuses,
    };
  }
  return measured;
}

function rounded(number, digits) {
  return Number(number.toFixed(digits));
}

function missesOf({ micro, throughput, refusals }) {
  const misses = [];
  if (micro.nsPerCall >= MOST_NS) misses.push(`a call takes ${micro.nsPerCall} ns`);
  if (!(micro.bytesPerCall.guard < MOST_BYTES)) misses.push(`a call allocates ${micro.bytesPerCall.guard} bytes`);
  if (micro.bytesPerCall.control < 16) misses.push("the count of bytes does not see an allocation");
  const { ratio, cpuRatio } = throughput.with;
  if (Math.max(ratio.to, cpuRatio.to) < LEAST_RATIO) {
    misses.push(
      `an app with the middleware serves ${shown(ratio)} of the requests a second, ${shown(cpuRatio)} a CPU second`,
    );
  }
  for (const [name, { bodyBytes, statuses }] of Object.entries(refusals)) {
    if (bodyBytes !== 0) misses.push(`${name}: clients sent ${bodyBytes} bytes of refused bodies`);
    if (Object.keys(statuses).join() !== "413") misses.push(`${name}: statuses ${JSON.stringify(statuses)}`);
  }
  return misses;
}

function shown({ median, from, to }) {
  return `${median.toFixed(3)} (${from.toFixed(3)} to ${to.toFixed(3)})`;
}

function table({ micro, throughput, refusals }) {
  const { bytesPerCall } = micro;
  const lines = [
    ["measure", "found", "line to hold"],
    ["---", "---", "---"],
    [
      "GET without a body through the middleware alone",
      `${micro.nsPerCall.toFixed(1)} ns (no-op: ${micro.nsPerCallNoop.toFixed(1)} ns)`,
      `< ${MOST_NS} ns`,
    ],
    [
      "bytes allocated by that call",
      `${bytesPerCall.guard.toFixed(3)} (no-op: ${bytesPerCall.noop.toFixed(3)}, one object: ${bytesPerCall.control.toFixed(1)})`,
      `< ${MOST_BYTES}`,
    ],
    ...Object.entries(throughput).map(([name, { perSecond, perCpuSecond, ratio, cpuRatio }]) => [
      `Express 5, GET keep-alive, ${name}`,
      ratio === undefined
        ? `${perSecond}/s, ${perCpuSecond} a CPU second`
        : `${perSecond}/s, ratio ${shown(ratio)}; a CPU second: ratio ${shown(cpuRatio)}`,
      name === "with" ? `>= ${LEAST_RATIO}` : "",
    ]),
    ...Object.entries(refusals).flatMap(([name, found]) => [
      [`declared 100 MiB refused, ${name}: body bytes sent`, String(found.bodyBytes), "0"],
      [`declared 100 MiB refused, ${name}`, `${found.perSecond}/s, p50 ${found.p50Ms} ms, p99 ${found.p99Ms} ms`, ""],
      [`the same, one client at a time`, `p50 ${found.aloneP50Ms} ms, p99 ${found.aloneP99Ms} ms`, ""],
    ]),
  ];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

async function measure() {
  const server = fork(at("server.mjs"));
  const load = new Load();
  try {
    const { ports } = await messageOf(server);
    return {
      micro: await micro(),
      throughput: await throughput(load, server, ports),
      refusals: await refusals(load, ports),
    };
  } finally {
    load.stop();
    server.disconnect();
  }
}

let results = await measure();
let misses = missesOf(results);
if (misses.length > 0) {
  console.log(`missed, once more: ${misses.join("; ")}\n`);
  results = await measure();
  misses = missesOf(results);
}
console.log(`Node ${process.versions.node}, ${cpus().length} × ${cpus()[0].model.trim()}\n`);
console.log(table(results));
for (const miss of misses) console.log(`\nMISSED: ${miss}`);
writeFileSync(at("results.json"), `${JSON.stringify({ node: process.versions.node, ...results }, null, 2)}\n`);
process.exitCode = misses.length > 0 ? 1 : 0;
