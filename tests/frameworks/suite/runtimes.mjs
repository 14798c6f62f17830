// The runtimes that recipes run on.
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { PLACE } from "./place.mjs";

const NODE = { name: "Node", command: [process.execPath], version: process.versions.node };

/** The runtime of a name: `{ name, command, version }`, or `{ name, skipped }` with the reason. */
export function runtime(name) {
  if (name === "Node") return NODE;
  const file = binaryOf(name);
  if (!file) return { name, skipped: `no package brings a binary of ${name} for this platform` };
  const { stdout, status, stderr } = spawnSync(file, ["--version"], { encoding: "utf8" });
  if (status !== 0) return { name, skipped: `its binary does not start: ${stderr}` };
  const [version] = /\d+\.\d+\.\d+/.exec(stdout);
  return { name, command: name === "Deno" ? [file, "run", "--allow-all", "--quiet"] : [file], version };
}

// The packages `bun` and `deno` have the binaries of all platforms as optional dependencies.
function binaryOf(name) {
  const scope = join(PLACE, "node_modules", name === "Bun" ? "@oven" : "@deno");
  if (!fs.existsSync(scope)) return undefined;
  const files = fs.readdirSync(scope).flatMap((each) => {
    return [join(scope, each, "bin", name.toLowerCase()), join(scope, each, name.toLowerCase())];
  });
  return files.find((file) => fs.existsSync(file) && spawnSync(file, ["--version"]).status === 0);
}
