// npm run mutation -- [ROOM…] [--sample N] [--seed N]
//
// Changes the code of src/ROOM one place at a time (Stryker), and runs tests until one of them fails. Prints what no test
// noticed; docs/mutation.md says why. Exit code 1 below 85 % noticed.
// Stryker cannot load jest.config.ts: mutation.jest.json says the same to it.
//
// http and policies are judged by their unit tests, all of their places. The rooms that need sockets are judged by all
// unit and wire tests, which takes half a minute for each change that is not noticed: `--sample N` takes N lines of each.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Random } from "../tests/fuzz/random.mjs";

const repository = resolve(import.meta.dirname, "..");
const { values, positionals } = parseArgs({
  options: { sample: { type: "string" }, seed: { type: "string", default: "1" } },
  allowPositionals: true,
});
const BY_UNIT_TESTS = ["http", "policies"];
const rooms = positionals.length > 0 ? positionals : BY_UNIT_TESTS;
const random = new Random(Number(values.seed), 0);

function filesOf(room) {
  const folder = join(repository, "src", room);
  const names = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".ts"));
  return names.sort().map((name) => relative(repository, join(folder, name)));
}

/** Lines that may hold code: no comments, imports, braces alone. */
function linesOf(file) {
  const lines = readFileSync(join(repository, file), "utf8").split("\n");
  const isCode = (line) =>
    /[\w"']/.test(line) && !/^\s*(\/\/|\*|\/\*|import |export (type|interface)|readonly )/.test(line);
  return lines.flatMap((line, i) => (isCode(line) ? [`${file}:${i + 1}-${i + 1}`] : []));
}

function placesOf(room) {
  if (values.sample === undefined) return filesOf(room);
  const lines = filesOf(room).flatMap(linesOf);
  const count = Math.min(Number(values.sample), lines.length);
  return Array.from({ length: count }, () => lines.splice(random.below(lines.length), 1)[0]);
}

function run(name, mutate, runner) {
  const file = join(repository, "node_modules/.cache", `stryker-${name}.json`);
  const config = {
    ...runner,
    mutate,
    reporters: ["clear-text"],
    clearTextReporter: { allowColor: false, logTests: false, reportTests: false, allowEmojis: false },
    ignorePatterns: ["dist", ".nodes", ".dist-*", "docs", "bench", "examples"],
    thresholds: { high: 95, low: 85, break: 85 },
    timeoutMS: 60_000,
  };
  writeFileSync(file, JSON.stringify(config));
  return spawnSync("npx", ["stryker", "run", file], { cwd: repository, stdio: "inherit" }).status === 0;
}

const byUnit = (room) => ({
  testRunner: "jest",
  plugins: ["@stryker-mutator/jest-runner"],
  coverageAnalysis: "perTest",
  concurrency: 2,
  jest: {
    configFile: ".ci/mutation.jest.json",
    enableFindRelatedTests: false,
    config: { roots: [`<rootDir>/tests/unit/${room}`] },
  },
});

const byAllTests = {
  testRunner: "command",
  commandRunner: { command: "npx jest --bail=1 --silent tests/unit tests/wire" },
  concurrency: 1,
};

let isGood = true;
for (const room of rooms) {
  const runner = BY_UNIT_TESTS.includes(room) ? byUnit(room) : byAllTests;
  isGood = run(room, placesOf(room), runner) && isGood;
}
process.exitCode = isGood ? 0 : 1;
