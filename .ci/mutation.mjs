// npm run mutation -- [ROOM…] [--sample N] [--minutes N] [--seed N] [--seconds N] [--tests FOLDER] [--again] [--write]
//
// Changes the code of src/ROOM in one place at a time (the changes are Stryker's), and runs the tests that reach the place
// until one fails. Prints each change that no test notices. Exit code 1 if less than 85 % of a room's changes are noticed
// or explained in .ci/mutation/reasons.json.
//
// The order of a room's changes is drawn (`--seed`). `--sample` tries the first N of them, `--minutes` stops a room after
// that time, and the sum says how many were tried. `--seconds` is what the tests of one change may take, by what they take
// without a change: 20 as a rule. `--again` tries those alone that the last `--write` left unnoticed and that no reason
// explains. `--write` writes docs/mutation.md.
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

const SECONDS = numberOf("seconds");
const SAMPLE = numberOf("sample");
const MINUTES = numberOf("minutes");

/** An option that is a positive number; without it no limit. */
function numberOf(name) {
  const number = Number(values[name] ?? Number.POSITIVE_INFINITY);
  if (!(number > 0)) throw new Error(`--${name}: received ${values[name]}; expected a number above 0`);
  return number;
}

function say(text) {
  process.stdout.write(`${text}\n`);
}

function shuffled(list, seed) {
  const random = new Random(Number(seed), 0);
  const left = [...list];
  return list.map(() => left.splice(random.below(left.length), 1)[0]);
}

/** Tries changes as long as there is time. @returns the changes with their `status`. */
async function judged(chosen, plan) {
  const end = performance.now() + MINUTES * 60_000;
  const done = [];
  for (const mutant of chosen) {
    if (performance.now() > end) break;
    const { status, by } = await judge(mutant, plan, workers);
    const { file, line, within, change } = mutant;
    if (values.verbose) say(`${status} ${file}:${line} ${change}${by ? `  BY ${by}` : ""}`);
    const isNoticed = status === "killed" || status === "timeout";
    if (!isNoticed) say(`  ${file}:${line} ${within}: ${change}${status === "uncovered" ? " (no test runs it)" : ""}`);
    done.push({
      file,
      line,
      within,
      change,
      isNoticed,
      isLate: status === "timeout",
      isReached: status !== "uncovered",
    });
  }
  return done;
}

/** What came out for a room. */
async function tried(all, plan) {
  const startedAt = performance.now();
  const done = await judged(shuffled(all, values.seed).slice(0, SAMPLE), plan);
  const unnoticed = done.filter(({ isNoticed }) => !isNoticed).map(entryOf);
  return {
    total: all.length,
    tried: done.length,
    noticed: done.length - unnoticed.length,
    late: done.filter(({ isLate }) => isLate).length,
    seed: values.seed,
    seconds: SECONDS,
    minutes: (performance.now() - startedAt) / 60_000,
    unnoticed: unnoticed.sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line),
  };
}

function entryOf({ file, line, within, change, isReached }) {
  return { file, line, within, change, isReached };
}

/** What came out before, without what is noticed now. */
async function triedAgain(all, plan, before) {
  const open = new Set(before.unnoticed.filter((one) => !isExplained(one)).map(keyOf));
  const sample = shuffled(all, before.seed).slice(0, before.tried);
  const done = await judged(
    sample.filter((mutant) => open.has(keyOf(mutant))),
    plan,
  );
  const unnoticed = [...before.unnoticed];
  for (const one of done.filter(({ isNoticed }) => isNoticed)) {
    const at = unnoticed.findIndex((other) => keyOf(other) === keyOf(one));
    if (at >= 0) unnoticed.splice(at, 1);
  }
  return { ...before, noticed: before.tried - unnoticed.length, unnoticed };
}

const results = readResults();
const { mutants, hash } = await writeTree(ROOMS);
const workers = new Workers();
let isGood = true;
try {
  for (const room of rooms) {
    say(`== ${room}`);
    const covers = await coverageOf(testFilesOf(values.tests ?? TESTS_OF[room]), hash, workers, say);
    const plan = new Plan(mutants, covers, SECONDS * 1_000);
    const all = mutants.filter(({ file }) => file.startsWith(join("src", room, "/")));
    const before = values.again ? results[room] : undefined;
    const result = await (before ? triedAgain(all, plan, before) : tried(all, plan));
    if (values.write) writeResults({ ...readResults(), [room]: result });
    const { total, tried: count, noticed, late, minutes, unnoticed } = result;
    const withReason = unnoticed.filter(isExplained).length;
    isGood = isGood && count > 0 && noticed + withReason >= GOAL * count;
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
