// The servers of one workload beside each other, and beside those of another tree of this package, built:
//
//   npm run build && node bench/compare.mjs refuse "bare node" "package, node:http" "package, node:http@FOLDER" [--line 26] [--rounds 80]
//
// Names are those of exchanges.mjs and servers/node.mjs. Slots are short and in turn, so that what drifts falls on all
// alike. The lower quartile of CPU is what a server costs while nothing else runs on the machine.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { nodeOf } from "../.ci/node-binaries.mjs";
import { Load, WARM_UP_MS, WORKLOADS } from "./exchanges.mjs";
import { lowerQuartile, median, medianWithin } from "./statistics.mjs";
import { startNode } from "./subjects.mjs";
import { spread, table } from "./tables.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { line: { type: "string", default: "26" }, rounds: { type: "string", default: "80" } },
});
const SLOT_MS = 100;
const [name, ...servers] = positionals;
const execPath = nodeOf(values.line) ?? process.execPath;
const { job } = WORKLOADS[name];

function start(server) {
  const [subject, folder] = server.split("@");
  return startNode(subject, { tree: folder && resolve(folder), execPath });
}

async function slot(load, subject, ms) {
  const [cpu, kernel] = [subject.cpuMs(), subject.kernelMs()];
  const { count, ms: elapsedMs } = await load.run({ ...job, port: subject.port, ms });
  return { cpuUs: ((subject.cpuMs() - cpu) * 1000) / count, kernelMs: subject.kernelMs() - kernel, count, elapsedMs };
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

function row(server, slots, first) {
  const cpu = slots.map(({ cpuUs }) => cpuUs);
  const exchanges = sum(slots.map(({ count }) => count));
  return [
    server,
    median(cpu).toFixed(1),
    lowerQuartile(cpu).toFixed(1),
    ((sum(slots.map(({ kernelMs: ms }) => ms)) * 1000) / exchanges).toFixed(1),
    spread(medianWithin(cpu.map((us, i) => us / first[i].cpuUs))),
    ((exchanges * 1000) / sum(slots.map(({ elapsedMs }) => elapsedMs))).toFixed(0),
  ];
}

const load = new Load();
const subjects = [];
try {
  for (const server of servers) {
    const subject = await start(server);
    subjects.push(subject);
    await slot(load, subject, WARM_UP_MS);
  }
  const slots = subjects.map(() => []);
  for (let round = 0; round < Number(values.rounds); round++) {
    const order = [...subjects.keys()];
    for (const i of round % 2 === 0 ? order : order.reverse()) slots[i].push(await slot(load, subjects[i], SLOT_MS));
  }
  const head = ["", "CPU each, µs", "lower quartile", "in the kernel", `÷ ${servers[0]}`, "a second"];
  console.log(
    table(
      head,
      servers.map((server, i) => row(server, slots[i], slots[0])),
    ),
  );
} finally {
  for (const subject of subjects) await subject.stop();
  load.stop();
}
