// npm run bench -- [--rounds N] [--only NAME] [--write] [--check]
//
// What it costs to decide before the upload: tables as markdown, numbers in results.json, plots as SVG. `--write` puts
// the tables into README.md and bench/README.md; `--check` is the short form for every change: generous bounds, ratios
// to bare Node of the same run. Exit code 1 where a line is missed. See README.md beside this file.
import { execFileSync, fork } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { LINES, nodeOf } from "../.ci/node-binaries.mjs";
import { messageOf } from "./children.mjs";
import { Load, measureGrowth, measureLine, measurePending, measureWorkload, WORKLOADS } from "./exchanges.mjs";
import { measureIdle } from "./idle.mjs";
import { missesOf } from "./lines.mjs";
import { growthPlot, refusalPlot } from "./plot.mjs";
import { startRedis } from "./redis.mjs";
import { tablesOf } from "./tables.mjs";

const { values } = parseArgs({
  options: {
    rounds: { type: "string" },
    only: { type: "string", multiple: true },
    write: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds ?? (values.check ? 5 : 15));
const warmUpMs = values.check ? 1_500 : 4_000;
const CHECKED = ["micro", "idle", "refuse", "accept 1 KiB", "pending"];
const wants = (name) => (values.only ? values.only.includes(name) : !values.check || CHECKED.includes(name));

const PENDING = [
  "bare node",
  "bare node, again",
  "Express by hand",
  "package, attach({ guard })",
  "package, middleware",
  "Go",
  "aiohttp",
];
const GROWING = ["bare node", "package, attach({ guard })", "package, middleware"];
const at = (file) => new URL(file, import.meta.url);
const say = (text) => process.stderr.write(`${text}\n`);

function micro() {
  const youngGeneration = ["--min-semi-space-size=256", "--max-semi-space-size=256"];
  return messageOf(fork(at("micro.mjs"), { execArgv: ["--expose-gc", ...youngGeneration] }));
}

async function measure() {
  const load = new Load();
  const redis = wants("quota") ? await startRedis() : undefined;
  const found = {
    node: process.versions.node,
    cpu: `${cpus().length} × ${cpus()[0].model.trim()}`,
    rounds,
    workloads: {},
  };
  try {
    if (redis?.url) process.env.REDIS_URL = redis.url;
    if (wants("micro")) found.micro = await micro();
    if (wants("idle")) {
      say("idle");
      found.idle = await measureIdle(load, values.check ? 40 : 120);
    }
    for (const [name, workload] of Object.entries(WORKLOADS)) {
      if (!wants(name)) continue;
      say(name);
      const subjects = redis?.missing
        ? workload.subjects.filter((subject) => !subject.includes("Redis"))
        : workload.subjects;
      const few = values.check ? subjects.slice(0, 5) : subjects;
      found.workloads[name] = await measureWorkload(load, { ...workload, subjects: few }, { rounds, warmUpMs });
    }
    if (wants("pending")) {
      say("pending");
      found.pending = await measurePending(
        load,
        values.check ? PENDING.slice(0, 5) : PENDING,
        values.check ? 2_000 : 10_000,
      );
    }
    if (wants("growth")) {
      say("growth");
      found.growth = await measureGrowth(load, GROWING, [10, 100, 1_000, 10_000], { slotMs: 1_000, rounds: 5 });
    }
    if (wants("lines")) {
      found.lines = {};
      for (const line of LINES) {
        say(`Node ${line}`);
        const execPath = nodeOf(line);
        if (!execPath) throw new Error(`Node ${line} could not be installed`);
        found.lines[line] = await measureLine(load, execPath, { rounds, warmUpMs });
      }
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
  return { ...earlier, ...found, workloads: { ...earlier.workloads, ...found.workloads } };
}

const measured = await measure();
const found = values.only && values.write ? withEarlier(measured) : measured;
const misses = missesOf(found, values.check);
const tables = tablesOf(found, misses);
console.log(tables.whole);
if (values.write) {
  writeFileSync(at("results.json"), `${JSON.stringify(found, null, 2)}\n`);
  if (found.workloads.refuse) writeFileSync(at("../docs/refusals.svg"), refusalPlot(found));
  if (found.growth) writeFileSync(at("../docs/growth.svg"), growthPlot(found));
  put(at("README.md"), "results", tables.whole);
  put(at("../README.md"), "bench", tables.short);
  execFileSync("npx", ["biome", "format", "--write", "README.md", "bench"], { cwd: at("..") });
}
process.exitCode = misses.length > 0 ? 1 : 0;
