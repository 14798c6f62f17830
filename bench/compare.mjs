// The servers of one workload beside each other, and beside those of another tree of this package, built:
//
//   npm run build && node bench/compare.mjs refuse "bare node" "package, node:http" "package, node:http@FOLDER" [--line 26] [--rounds 80]
//
// Names are those of exchanges.mjs and servers/node.mjs. Slots are short and in turn, so that what drifts falls on all
// alike. The lower quartile of CPU is what a server costs while nothing else runs on the machine.
import { fork } from "node:child_process";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { nodeOf } from "../.ci/node-binaries.mjs";
import { messageOf } from "./children.mjs";
import { Load, WORKLOADS } from "./exchanges.mjs";
import { medianWithin } from "./statistics.mjs";
import { Subject } from "./subjects.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { line: { type: "string", default: "26" }, rounds: { type: "string", default: "80" } },
});
const SLOT_MS = 100;
const WARM_UP_MS = 4_000;
const [name, ...servers] = positionals;
const execPath = nodeOf(values.line) ?? process.execPath;
const here = fileURLToPath(new URL("..", import.meta.url));
const { job } = WORKLOADS[name];

async function start(server) {
  const [subject, folder] = server.split("@");
  const program = join(folder ? resolve(folder) : here, "bench/servers/node.mjs");
  const child = fork(program, [subject], { execPath });
  const { port } = await messageOf(child);
  return new Subject(server, child, port, [child.pid]);
}

async function slot(load, subject, ms) {
  const [cpu, kernel] = [subject.cpuMs(), subject.kernelMs()];
  const { count, ms: elapsedMs } = await load.run({ ...job, port: subject.port, ms });
  return { cpuUs: ((subject.cpuMs() - cpu) * 1000) / count, kernelMs: subject.kernelMs() - kernel, count, elapsedMs };
}

const lowerQuartile = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 4)];
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

function row(server, slots, first) {
  const ratio = medianWithin(slots.map(({ cpuUs }, i) => cpuUs / first[i].cpuUs));
  const exchanges = sum(slots.map(({ count }) => count));
  return [
    server,
    medianWithin(slots.map(({ cpuUs }) => cpuUs)).median.toFixed(1),
    lowerQuartile(slots.map(({ cpuUs }) => cpuUs)).toFixed(1),
    ((sum(slots.map(({ kernelMs: ms }) => ms)) * 1000) / exchanges).toFixed(1),
    `${ratio.median.toFixed(2)} (${ratio.from.toFixed(2)} to ${ratio.to.toFixed(2)})`,
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
  for (const cells of [head, head.map(() => "---"), ...servers.map((server, i) => row(server, slots[i], slots[0]))]) {
    console.log(`| ${cells.join(" | ")} |`);
  }
} finally {
  for (const subject of subjects) await subject.stop();
  load.stop();
}
