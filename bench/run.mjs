// npm run bench -- [--line 26] [--rounds N] [--only NAME] [--write] [--check]
//
// What it costs to decide before the upload: tables as markdown, numbers in results.json, plots as SVG. Node 26 is
// measured first and whole, then the other lines without what is not Node. `--write` puts the tables into
// docs/performance.md and bench/README.md; `--check` is the short form for every change, on Node 26 and 22, and measures
// twice what it finds too slow. Exit code 1 where a goal of goals.mjs is missed. See README.md beside this file.
import { execFileSync, fork } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { nodeOf } from "../.ci/node-binaries.mjs";
import { messageOf } from "./children.mjs";
import { Load, measureGrowth, measurePending, measureSmall, measureWorkload, WORKLOADS } from "./exchanges.mjs";
import { comparedIn, missesOf } from "./goals.mjs";
import { measureIdle } from "./idle.mjs";
import { growthPlot, refusalPlot } from "./plot.mjs";
import { startRedis } from "./redis.mjs";
import { newestFirst, tablesOf } from "./tables.mjs";

const { values } = parseArgs({
  options: {
    line: { type: "string", multiple: true },
    rounds: { type: "string" },
    only: { type: "string", multiple: true },
    write: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
  },
});
const chosen = values.line ?? (values.check ? ["26", "22"] : ["26", "24", "22", "20"]);
const rounds = Number(values.rounds ?? (values.check ? 36 : 60));
const CHECKED = ["micro", "idle", "refuse", "accept 1 KiB", "small"];
const wants = (name) => (values.only ? values.only.includes(name) : !values.check || CHECKED.includes(name));

const PENDING = [
  "bare node",
  "bare node, again",
  "Express by hand",
  "package, attach({ guard })",
  "package, middleware",
];
const PENDING_PEERS = ["Go", "aiohttp"];
const GROWING = ["bare node", "package, attach({ guard })", "package, middleware"];
const at = (file) => new URL(file, import.meta.url);
const say = (text) => process.stderr.write(`${text}\n`);

function binaryOf(line) {
  if (process.versions.node.startsWith(`${line}.`)) return process.execPath;
  const found = nodeOf(line);
  if (!found) throw new Error(`Node ${line} could not be installed`);
  return found;
}

function versionOf(execPath) {
  return execFileSync(execPath, ["--version"], { encoding: "utf8" }).trim().slice(1);
}

function micro(execPath) {
  const youngGeneration = ["--min-semi-space-size=256", "--max-semi-space-size=256"];
  return messageOf(fork(at("micro.mjs"), { execPath, execArgv: ["--expose-gc", ...youngGeneration] }));
}

function subjectsOf(name, { subjects, peers = [] }, isFirst) {
  const compared = comparedIn(name);
  if (values.check) return subjects.filter((one) => compared.includes(one));
  return [...subjects, ...peers.filter((one) => isFirst || compared.includes(one))];
}

async function measureLine(load, line, isFirst, redis) {
  const execPath = binaryOf(line);
  const found = { node: versionOf(execPath), workloads: {} };
  const announce = (name) => say(`Node ${line}: ${name}`);
  if (wants("micro")) found.micro = await micro(execPath);
  if (wants("idle")) {
    announce("idle");
    found.idle = await measureIdle(load, values.check ? 40 : 120, execPath);
  }
  for (const [name, workload] of Object.entries(WORKLOADS)) {
    if (!wants(name)) continue;
    const here = subjectsOf(name, workload, isFirst).filter((one) => !redis?.missing || !one.includes("Redis"));
    if (here.length < 2) continue;
    announce(name);
    found.workloads[name] = await measureWorkload(load, workload, here, { rounds, execPath });
  }
  if (wants("small")) {
    announce("small");
    found.small = await measureSmall(load, execPath);
  }
  if (wants("pending")) {
    announce("pending");
    found.pending = await measurePending(load, [...PENDING, ...(isFirst ? PENDING_PEERS : [])], 10_000, execPath);
  }
  if (wants("growth") && isFirst) {
    announce("growth");
    const counts = [10, 100, 1_000, 10_000];
    found.growth = await measureGrowth(load, GROWING, counts, { slotMs: 1_000, rounds: 5, execPath });
  }
  return found;
}

async function measure(lines) {
  const load = new Load();
  const redis = wants("quota") ? await startRedis() : undefined;
  const found = { cpu: `${cpus().length} × ${cpus()[0].model.trim()}`, rounds, lines: {} };
  try {
    if (redis?.url) process.env.REDIS_URL = redis.url;
    for (const line of lines) {
      found.lines[line] = await measureLine(load, line, line === lines[0], redis);
      // A run takes long: what is measured is kept if a later line fails.
      if (values.write) write(withEarlier(found));
    }
    return found;
  } finally {
    load.stop();
    await redis?.stop();
  }
}

function put(file, mark, text) {
  const whole = readFileSync(file, "utf8");
  const [begin, end] = [`<!-- ${mark} -->`, `<!-- /${mark} -->`];
  const from = whole.indexOf(begin);
  const to = whole.indexOf(end);
  if (from < 0 || to < 0) throw new Error(`${file} has no place marked ${begin}`);
  writeFileSync(file, `${whole.slice(0, from + begin.length)}\n\n${text}\n\n${whole.slice(to)}`);
}

// What was not measured this time stays as it was.
function withEarlier(found) {
  const earlier = JSON.parse(readFileSync(at("results.json"), "utf8"));
  const merged = { ...earlier, ...found, lines: { ...earlier.lines } };
  for (const [line, one] of Object.entries(found.lines)) {
    const before = earlier.lines[line];
    merged.lines[line] = { ...before, ...one, workloads: { ...before?.workloads, ...one.workloads } };
  }
  return merged;
}

function write(found) {
  const [[, first]] = newestFirst(found.lines);
  const tables = tablesOf(found, missesOf(found));
  writeFileSync(at("results.json"), `${JSON.stringify(found)}\n`);
  if (first.workloads.refuse) writeFileSync(at("../docs/refusals.svg"), refusalPlot(first));
  if (first.growth) writeFileSync(at("../docs/growth.svg"), growthPlot(first));
  put(at("README.md"), "results", tables.whole);
  put(at("../docs/performance.md"), "bench", tables.short);
  execFileSync("npx", ["biome", "format", "--write", "bench"], { cwd: at("..") });
}

const measured = await measure(chosen);
const earlier = values.check ? JSON.parse(readFileSync(at("results.json"), "utf8")) : undefined;
const found = values.write ? withEarlier(measured) : measured;
let misses = missesOf(found, earlier);
if (values.check && misses.length > 0 && misses.every(({ isTimed }) => isTimed)) {
  for (const { text } of misses) say(`missed, and measured again: ${text}`);
  const again = await measure([...new Set(misses.map(({ line }) => line))]);
  Object.assign(found.lines, again.lines);
  misses = missesOf(again, earlier);
}
console.log(tablesOf(found, misses).whole);
process.exitCode = misses.length > 0 ? 1 : 0;
