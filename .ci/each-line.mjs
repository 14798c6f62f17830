// Runs a program on this Node and on the other lines, whose binaries come from the npm package `node`. Stops at the first
// that fails.
//
//   node .ci/each-line.mjs tests/sweep/sweep.mjs --every 13
import { spawnSync } from "node:child_process";
import { LINES, nodeOf } from "./node-binaries.mjs";

const args = process.argv.slice(2);
for (const node of [process.execPath, ...LINES.map(nodeOf)]) {
  if (node === undefined) {
    process.stderr.write("a line of Node could not be installed\n");
    process.exit(1);
  }
  const { status } = spawnSync(node, args, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
