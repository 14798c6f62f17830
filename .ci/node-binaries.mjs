// The binaries of other lines of Node, from the npm package `node`.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";

/** The lines beside the one that the package is developed on. */
export const LINES = ["22", "24", "26"];

const repository = resolve(import.meta.dirname, "..");

/** The binary of a line, installed where it is not there yet; `undefined` where that fails, and npm has said why. */
export function nodeOf(line) {
  return binaryOf(line) ?? install(line);
}

function install(line) {
  const args = ["install", "--no-save", "--no-audit", "--no-fund", "--prefix", prefixOf(line), `node@${line}`];
  const { status, stderr } = spawnSync("npm", args, { cwd: repository, encoding: "utf8" });
  if (status !== 0) process.stderr.write(stderr);
  // npm may be set up to skip install scripts: this one links the binary of the platform's own package.
  const folder = join(prefixOf(line), "node_modules/node");
  if (!binaryOf(line) && existsSync(folder)) {
    spawnSync(process.execPath, ["installArchSpecificPackage"], { cwd: folder, encoding: "utf8" });
  }
  return binaryOf(line);
}

// One that runs and is of the line asked for.
function binaryOf(line) {
  const modules = join(prefixOf(line), "node_modules");
  if (!existsSync(modules)) return undefined;
  const packages = readdirSync(modules).filter((name) => name === "node" || name.startsWith("node-"));
  return packages
    .flatMap((name) => [join(modules, name, "bin/node"), join(modules, "node/node_modules", name, "bin/node")])
    .find((path) => existsSync(path) && isOfLine(path, line));
}

function isOfLine(path, line) {
  const { stdout } = spawnSync(path, ["--version"], { encoding: "utf8" });
  return stdout?.startsWith(`v${line}.`) === true;
}

function prefixOf(line) {
  return join(repository, ".nodes", line);
}
