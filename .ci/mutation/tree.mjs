// The copy of sources and tests that the changes are tried in: `src/ROOM` holds every change, each behind a switch, and
// all is CommonJS that Node loads without further work.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { Instrumenter } from "@stryker-mutator/instrumenter";
import { transform } from "esbuild";
import { placesIn } from "./places.mjs";

const repository = resolve(import.meta.dirname, "../..");
/** Inside the repository, so that packages are found in its node_modules. */
const FOLDER = join(repository, ".stryker-tmp");
/** The copy. Each run has its own. */
export const TREE = join(FOLDER, `tree-${process.pid}`);

const silent = () => {};
const logger = { debug: silent, info: silent, warn: silent, isDebugEnabled: () => false };
const NOTHING_LEFT_OUT = { plugins: null, excludedMutations: [], ignorers: [], noHeader: false };

// A change that is tried has no use for what it covers, and counting takes longer than the tests of a parser.
const COUNTING = "function stryCov_9fa48() {";
const COUNTING_ON_REQUEST = `${COUNTING} if (!stryNS_9fa48().isCounting) return (stryCov_9fa48 = () => {});`;

/**
 * Writes the copy.
 *
 * @returns `{ mutants, hash }`: every change as Stryker describes it, with its place added, and a hash of the sources.
 */
export async function writeTree(rooms) {
  removeOldTrees();
  const sources = readdirSync(join(repository, "src"), { recursive: true }).filter(isTypeScript).sort();
  const inRooms = sources.filter((name) => rooms.includes(dirname(name))).map((name) => join("src", name));
  const files = inRooms.map((name) => ({ name, mutate: true, content: read(name) }));
  const { files: instrumented, mutants } = await new Instrumenter(logger).instrument(files, NOTHING_LEFT_OUT);
  const contents = new Map(
    instrumented.map(({ name, content }) => [name, content.replace(COUNTING, COUNTING_ON_REQUEST)]),
  );
  for (const name of sources) {
    const path = join("src", name);
    await writeScript(path, contents.get(path) ?? read(path));
  }
  await copyTests();
  cpSync(join(repository, "README.md"), join(TREE, "README.md"));
  writeFileSync(join(TREE, "package.json"), JSON.stringify({ ...JSON.parse(read("package.json")), type: "commonjs" }));
  const described = mutants.map((mutant) => ({ ...mutant, ...placeOf(mutant) }));
  return { mutants: described, hash: hashOf(sources.map((name) => read(join("src", name)))) };
}

// What runs have left that were ended.
function removeOldTrees() {
  mkdirSync(FOLDER, { recursive: true });
  for (const name of readdirSync(FOLDER)) {
    const pid = Number(/^tree-(\d+)$/.exec(name)?.[1] ?? process.pid);
    if (pid !== process.pid && !isAlive(pid)) rmSync(join(FOLDER, name), { recursive: true, force: true });
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Removes the copy. */
export function removeTree() {
  rmSync(TREE, { recursive: true, force: true });
}

async function copyTests() {
  for (const folder of ["unit", "wire", "helpers", "redis"]) {
    const names = readdirSync(join(repository, "tests", folder), { recursive: true, withFileTypes: true });
    for (const entry of names.filter((one) => one.isFile())) {
      const path = relative(repository, join(entry.parentPath, entry.name));
      if (isTypeScript(path)) await writeScript(path, read(path));
      else if (!path.endsWith(".d.ts")) cpSync(join(repository, path), join(TREE, path));
    }
  }
}

async function writeScript(path, content) {
  const { code } = await transform(content, { loader: "ts", format: "cjs", target: "node20", keepNames: true });
  const to = join(TREE, path.replace(/\.ts$/, ".js"));
  mkdirSync(dirname(to), { recursive: true });
  writeFileSync(to, code);
}

function placeOf({ fileName, location, replacement }) {
  return placesIn(fileName, read(fileName)).describe(location, replacement);
}

function isTypeScript(name) {
  return name.endsWith(".ts") && !name.endsWith(".d.ts");
}

function read(path) {
  return readFileSync(join(repository, path), "utf8");
}

/** A hash of texts. */
export function hashOf(texts) {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(text).update("\0");
  return hash.digest("hex");
}
