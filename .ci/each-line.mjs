// Runs a program on this Node and on the other lines, whose binaries come from the npm package `node`. Stops at the first
// that fails.
//
//   node .ci/each-line.mjs tests/sweep/sweep.mjs --every 13
//   node .ci/each-line.mjs --on 26 tests/frameworks/run.mjs --check      on this line alone
import { spawnSync } from "node:child_process";
import { LINES, nodeOf } from "./node-binaries.mjs";

const given = process.argv.slice(2);
const line = given[0] === "--on" ? given[1] : undefined;
const args = line === undefined ? given : given.slice(2);
for (const node of line === undefined ? [process.execPath, ...LINES.map(nodeOf)] : [nodeOf(line)]) {
  if (node === undefined) {
    process.stderr.write("a line of Node could not be installed\n");
    process.exit(1);
  }
  const { status } = spawnSync(node, args, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
