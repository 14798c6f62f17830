// Runs the jest suite on other lines of Node, whose binaries come from the npm package `node`.
//
//   node .ci/nodes.mjs                  tests/unit and tests/wire on Node 22, 24 and 26
//   node .ci/nodes.mjs --whole          all tests
//   node .ci/nodes.mjs 24               on these lines alone
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { LINES, nodeOf } from "./node-binaries.mjs";

// A run that is not over by then hangs: tests that have ended leave something open, most often.
const DEADLINE_MS = 600_000;
const repository = resolve(import.meta.dirname, "..");

const { values, positionals } = parseArgs({ options: { whole: { type: "boolean" } }, allowPositionals: true });
const folders = values.whole ? [] : ["tests/unit", "tests/wire"];
const lines = positionals.length > 0 ? positionals : LINES;

const results = lines.map(testOn);
process.exitCode = results.every((isGood) => isGood) ? 0 : 1;

function say(text) {
  process.stdout.write(`${text}\n`);
}

function testOn(line) {
  const node = nodeOf(line);
  if (!node) {
    say(`Node ${line}: could not be installed`);
    return false;
  }
  const folder = mkdtempSync(join(tmpdir(), "expectations-nodes-"));
  try {
    return report(node, join(folder, "jest.json"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(node, outputFile) {
  const version = spawnSync(node, ["--version"], { encoding: "utf8" }).stdout.trim().slice(1);
  const jest = join(repository, "node_modules/jest/bin/jest.js");
  const startedAt = performance.now();
  // Whatever a test starts as `node` is this line of Node, too.
  const env = { ...process.env, PATH: `${join(node, "..")}:${process.env.PATH}` };
  const { status, signal, stderr } = spawnSync(node, [jest, "--json", "--outputFile", outputFile, ...folders], {
    cwd: repository,
    env,
    encoding: "utf8",
    stdio: ["ignore", "ignore", "pipe"],
    maxBuffer: 256 * 1024 * 1024,
    timeout: DEADLINE_MS,
  });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  if (!existsSync(outputFile)) {
    say(`Node ${version}: jest did not end (${signal ?? status}, ${seconds} s)\n${indented(stderr)}`);
    return false;
  }
  const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites } = JSON.parse(readFileSync(outputFile));
  const pending = numPendingTests > 0 ? `, ${numPendingTests} skipped` : "";
  say(`Node ${version}: ${numPassedTests} passed, ${numFailedTests} failed${pending} (${seconds} s)`);
  const isGood = status === 0 && numFailedTests === 0 && numFailedTestSuites === 0 && numPassedTests > 0;
  if (signal) say(`Node ${version}: the tests ended, but jest did not (${signal})`);
  if (!isGood) say(indented(stderr));
  return isGood;
}

// So that nobody takes jest's own summary for a second one.
function indented(text) {
  return text.replace(/^/gm, "    ");
}
