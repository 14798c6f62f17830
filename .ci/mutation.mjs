// npm run mutation -- [ROOM…] [--sample N] [--minutes N] [--seed N] [--seconds N] [--tests FOLDER] [--again] [--write]
//
// Changes the code of src/ROOM in one place at a time (the changes are Stryker's), and runs the tests that reach the place
// until one fails. Prints each change that no test notices. Exit code 1 if less than 85 % of a room's changes are noticed
// or explained in .ci/mutation/reasons.json.
//
// The order of a room's changes is drawn (`--seed`). `--sample` tries the first N of them, `--minutes` stops a room after
// that time, and the sum says how many were tried. `--seconds` is what the tests of one change may take, by what they take
// without a change: 20 as a rule. `--again` tries those alone that the last `--write` left unnoticed.
// `--write` writes docs/mutation.md.
//
// http and policies have no sockets and are judged by the unit tests, the other rooms by the wire tests as well.
//
// Stryker's own jest runner starts jest anew for each change. That takes seconds, most of the tests here milliseconds.
// worker.cjs keeps a process instead.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Random } from "../tests/fuzz/random.mjs";
import { coverageOf, testFilesOf } from "./mutation/coverage.mjs";
import { judge } from "./mutation/judge.mjs";
import { isExplained, keyOf, percent, readResults, writePage, writeResults } from "./mutation/page.mjs";
import { Plan } from "./mutation/plan.mjs";
import { removeTree, writeTree } from "./mutation/tree.mjs";
import { Workers } from "./mutation/workers.mjs";

const TESTS_OF = {
  http: ["tests/unit"],
  policies: ["tests/unit"],
  handshake: ["tests/unit", "tests/wire"],
  response: ["tests/unit", "tests/wire"],
  server: ["tests/unit", "tests/wire"],
};
const ROOMS = Object.keys(TESTS_OF);
const GOAL = 0.85;

const { values, positionals } = parseArgs({
  options: {
    sample: { type: "string" },
    minutes: { type: "string" },
    seed: { type: "string", default: "1" },
    seconds: { type: "string", default: "20" },
    tests: { type: "string", multiple: true },
    again: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
  },
  allowPositionals: true,
});
const rooms = positionals.length > 0 ? positionals : ROOMS;
const unknown = rooms.filter((room) => !ROOMS.includes(room));
if (unknown.length > 0) throw new Error(`no such room: ${unknown.join(", ")}; there are ${ROOMS.join(", ")}`);

function say(text) {
  process.stdout.write(`${text}\n`);
}

function shuffled(list, seed) {
  const random = new Random(Number(seed), 0);
  const left = [...list];
  return list.map(() => left.splice(random.below(left.length), 1)[0]);
}

function isUnnoticedIn({ unnoticed }) {
  const keys = new Set(unnoticed.map(keyOf));
  return (mutant) => keys.has(keyOf(mutant));
}

/** Tries the changes of a room; what came out. */
async function tried(room, mutants, plan) {
  const all = mutants.filter(({ file }) => file.startsWith(join("src", room, "/")));
  const before = values.again ? results[room] : undefined;
  const chosen = before
    ? shuffled(all, before.seed).slice(0, before.tried).filter(isUnnoticedIn(before))
    : shuffled(all, values.seed).slice(0, Number(values.sample ?? all.length));
  const end = performance.now() + Number(values.minutes ?? Number.POSITIVE_INFINITY) * 60_000;
  const startedAt = performance.now();
  const unnoticed = [];
  let count = 0;
  let late = 0;
  for (const mutant of chosen) {
    if (performance.now() > end) break;
    const { status, by } = await judge(mutant, plan, workers);
    count++;
    const { file, line, within, change } = mutant;
    if (values.verbose) say(`${status} ${file}:${line} ${change}${by ? `  BY ${by}` : ""}`);
    if (status === "timeout") late++;
    if (status !== "survived" && status !== "uncovered") continue;
    unnoticed.push({ file, line, within, change, isReached: status === "survived" });
    say(`  ${file}:${line} ${within}: ${change}${status === "uncovered" ? " (no test runs it)" : ""}`);
  }
  const minutes = (performance.now() - startedAt) / 60_000;
  unnoticed.sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line);
  if (before) return { ...before, noticed: before.tried - unnoticed.length, unnoticed };
  return {
    total: all.length,
    tried: count,
    noticed: count - unnoticed.length,
    late,
    seed: values.seed,
    minutes,
    unnoticed,
  };
}

const results = readResults();
const { mutants, hash } = await writeTree(ROOMS);
const workers = new Workers();
let isGood = true;
try {
  for (const room of rooms) {
    say(`== ${room}`);
    const covers = await coverageOf(testFilesOf(values.tests ?? TESTS_OF[room]), hash, workers, say);
    const result = await tried(room, mutants, new Plan(mutants, covers, Number(values.seconds) * 1_000));
    if (values.write) writeResults({ ...readResults(), [room]: result });
    const { total, tried: count, noticed, late, minutes, unnoticed } = result;
    const withReason = unnoticed.filter(isExplained).length;
    const isEnough = noticed + withReason >= GOAL * count;
    isGood = isGood && isEnough;
    say(
      `${room}: ${count} of ${total} changes, ${noticed} noticed (${percent(noticed, count)}, ${late} by time), ` +
        `${withReason} explained: ${percent(noticed + withReason, count)}; ${minutes.toFixed(1)} min`,
    );
  }
} finally {
  workers.close();
  removeTree();
}
if (values.write) writePage(readResults());
process.exitCode = isGood ? 0 : 1;
