// node bench/sampled.mjs [--seconds N]
//
// What `sampled` costs while uploads are refused in a flood. In-process: 10,000 refusals a second for 10 seconds, counted;
// then the most that one process decides, `sampled` and `silent` side by side. On the wire: the most that this machine
// refuses, side by side as well. Exit code 1 where a stated line is missed. Build first: npm run build.
import { fork } from "node:child_process";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { ask, messageOf } from "./children.mjs";
import { Load } from "./exchanges.mjs";
import { median, medianWithin } from "./statistics.mjs";

const { values } = parseArgs({ options: { seconds: { type: "string", default: "10" } } });
const seconds = Number(values.seconds);

const PER_SECOND = 50;
const FLOOD = 10_000;
const WARM_UP_ROUNDS = 4;
/** The line to hold: what `sampled` leaves of the throughput of `silent`. */
const LEAST_RATIO = 0.95;

const at = (file) => new URL(file, import.meta.url);

// Slots of the variants stand side by side, forwards and backwards in turn; those of one round give one ratio.
async function sideBySide(measureSlot, variants, rounds) {
  const slots = Object.fromEntries(variants.map((name) => [name, []]));
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    for (const variant of round % 2 === 0 ? variants : [...variants].reverse()) {
      const measured = await measureSlot(variant);
      if (round >= 0) slots[variant].push(measured);
    }
  }
  return Object.fromEntries(
    variants.map((name) => [
      name,
      {
        perSecond: Math.round(median(slots[name].map(({ perSecond }) => perSecond))),
        perCpuSecond: Math.round(median(slots[name].map(({ perCpuSecond }) => perCpuSecond))),
        ratio: medianWithin(slots[name].map(({ perSecond }, i) => perSecond / slots.silent[i].perSecond)),
        cpuRatio: medianWithin(slots[name].map(({ perCpuSecond }, i) => perCpuSecond / slots.silent[i].perCpuSecond)),
      },
    ]),
  );
}

const VARIANTS = ["silent", "silent, again", "sampled", "every record written"];

async function measure() {
  const server = fork(at("flood.mjs"), { execArgv: ["--expose-gc"] });
  const load = new Load();
  try {
    const { ports } = await messageOf(server);
    const flood = await ask(server, { job: "flood", perSecond: FLOOD, seconds });
    const inProcess = await sideBySide(
      (variant) => ask(server, { job: "inProcess", calls: 1_000, variant }),
      VARIANTS,
      30,
    );
    const onTheWire = async (variant) => {
      const before = await ask(server, { job: "cpu" });
      const { count, ms, statuses } = await load.run({ job: "refuse", port: ports[variant], ms: 100, connections: 16 });
      if (statuses[413] !== count) throw new Error(`not all were refused: ${JSON.stringify(statuses)}`);
      const { cpuMs } = await ask(server, { job: "cpu" });
      return { perSecond: (count * 1000) / ms, perCpuSecond: (count * 1000) / (cpuMs - before.cpuMs) };
    };
    const wire = await sideBySide(onTheWire, VARIANTS, 20);
    return { flood, inProcess, wire };
  } finally {
    load.stop();
    server.disconnect();
  }
}

function missesOf({ flood, inProcess, wire }) {
  const misses = [];
  if (flood.refused !== FLOOD * seconds) misses.push(`${flood.refused} refusals instead of ${FLOOD * seconds}`);
  const reached = Math.round((flood.refused * 1000) / flood.ms);
  if (reached < FLOOD * 0.95) misses.push(`the machine was too slow for the flood: ${reached}/s`);
  if (flood.records > mostRecords(flood)) misses.push(`${flood.records} records in ${flood.ms} ms`);
  if (flood.records + flood.omitted !== flood.refused) {
    misses.push(`${flood.records} records and ${flood.omitted} omitted make no ${flood.refused}`);
  }
  for (const [where, { sampled }] of Object.entries({ "in-process": inProcess, "on the wire": wire })) {
    if (Math.max(sampled.ratio.to, sampled.cpuRatio.to) < LEAST_RATIO) {
      misses.push(
        `${where}: sampled has ${shown(sampled.ratio)} of the throughput, ${shown(sampled.cpuRatio)} a CPU second`,
      );
    }
  }
  return misses;
}

// A machine that falls behind floods for longer than it was asked to.
function mostRecords({ ms }) {
  return PER_SECOND * Math.ceil(ms / 1000);
}

function shown({ median, from, to }) {
  return `${median.toFixed(3)} (${from.toFixed(3)} to ${to.toFixed(3)})`;
}

function table({ flood, inProcess, wire }) {
  const rowsOf = (where, measured) =>
    Object.entries(measured).map(([name, { perSecond, perCpuSecond, ratio, cpuRatio }]) => [
      `${where}, ${name}`,
      name === "silent"
        ? `${perSecond}/s, ${perCpuSecond} a CPU second`
        : `${perSecond}/s, ratio ${shown(ratio)}; a CPU second: ratio ${shown(cpuRatio)}`,
      name === "sampled" ? `>= ${LEAST_RATIO}` : "",
    ]);
  const lines = [
    ["measure", "found", "line to hold"],
    ["---", "---", "---"],
    [
      `refusals in ${seconds} s at ${FLOOD}/s, in-process`,
      `${flood.refused} in ${(flood.ms / 1000).toFixed(2)} s`,
      String(FLOOD * seconds),
    ],
    [`records written, sampled at ${PER_SECOND}/s`, String(flood.records), `<= ${mostRecords(flood)}`],
    [
      "summaries, and what they count",
      `${flood.summaries}, ${flood.omitted} left out`,
      `${flood.refused - flood.records}`,
    ],
    ...rowsOf("in-process", inProcess),
    ...rowsOf("fresh connections", wire),
  ];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

const results = await measure();
const misses = missesOf(results);
console.log(`Node ${process.versions.node}, ${cpus().length} × ${cpus()[0].model.trim()}\n`);
console.log(table(results));
for (const miss of misses) console.log(`\nMISSED: ${miss}`);
process.exitCode = misses.length > 0 ? 1 : 0;
