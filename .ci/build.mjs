// Builds dist/, or takes what an earlier build made of the very same source: `npm run build`.
//
//   node .ci/build.mjs            brings the build to dist/
//   node .ci/build.mjs --print    leaves dist/ alone, and prints the folder in which the build is kept
//
// Builds are kept in node_modules/.cache by the content of all that goes into them. Every script that needs dist/ runs
// this first, so that a change is compiled once however many of them follow, and `npm ci` clears what was kept.
import { spawn } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import * as fs from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { bundleCommandLine, minify, writeLicences, writePageScripts } from "./bundles.mjs";
import { prune } from "./prune.mjs";

// How many builds are kept.
const KEPT = 4;
// How old a lock that names no process may become.
const UNNAMED_LOCK_MS = 60_000;
const repository = resolve(import.meta.dirname, "..");
const cache = join(repository, "node_modules/.cache/express-expectations");
const dist = join(repository, "dist");
const compiler = join(repository, "node_modules/typescript/bin/tsc");

const built = join(cache, `dist-${await fingerprint()}`);
await fs.mkdir(cache, { recursive: true });
if (!(await isThere(built))) await alone(`${built}.lock`, build);
if (process.argv.includes("--print")) process.stdout.write(`${built}\n`);
else await bring();

async function bring() {
  // One that is right is left in peace: a program may be loading it.
  if (await isSame(built, dist)) return;
  await fs.rm(dist, { recursive: true, force: true });
  await fs.cp(built, dist, { recursive: true });
}

/** A digest of all that a build depends on. */
async function fingerprint() {
  const sources = await fs.readdir(join(repository, "src"), { recursive: true });
  const files = [
    ".ci/build.mjs",
    ".ci/bundles.mjs",
    ".ci/page-scripts.cjs",
    ".ci/prune.mjs",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "tsconfig.build.json",
    "tsconfig.cjs.json",
    "tsconfig.browser.json",
    "tsconfig.pages.json",
    "node_modules/typescript/package.json",
    ...sources.filter((name) => /\.(?:tsx?|json)$/.test(name)).map((name) => join("src", name)),
  ];
  const hash = createHash("sha256");
  for (const file of files.sort()) hash.update(`${file}\0`).update(await fs.readFile(join(repository, file)));
  return hash.digest("hex").slice(0, 32);
}

async function build() {
  // Somebody else's, made while this one waited for the lock.
  if (await isThere(built)) return;
  const folder = `${built}.${randomUUID()}`;
  // Beside dist/, as maps name their sources by the way from there.
  const made = join(repository, `.dist-${randomUUID()}`);
  try {
    // At the same time: each of them keeps one processor busy.
    // Both to their end: the folder of one that is still writing cannot be removed.
    const compilers = await Promise.allSettled([
      compile("tsconfig.build.json", join(made, "esm")),
      compile("tsconfig.cjs.json", join(made, "cjs")),
      compile("tsconfig.browser.json", join(made, "browser")),
      minify("src/browser/upload.ts", join(made, "browser/upload.js")),
    ]);
    for (const { reason } of compilers) if (reason) throw reason;
    const { exports: exported } = JSON.parse(await fs.readFile(join(repository, "package.json"), "utf8"));
    for (const [system, condition] of [
      ["esm", "import"],
      ["cjs", "require"],
    ]) {
      const folder = join(made, system);
      const targets = Object.values(exported).flatMap((target) => target[condition]?.default ?? []);
      await prune(
        folder,
        targets.map((target) => relative(`dist/${system}`, target)),
      );
      await writePageScripts(folder, { isModule: system === "esm" });
    }
    for (const name of await fs.readdir(join(repository, "src/schema"))) {
      if (name.endsWith(".json")) await fs.cp(join(repository, "src/schema", name), join(made, "schema", name));
    }
    await writeLicences(join(made, "cli/LICENCES.txt"), await bundleCommandLine(join(made, "cli")));
    await fs.writeFile(join(made, "cjs/package.json"), '{"type":"commonjs"}\n');
    await fs.cp(made, folder, { recursive: true });
    // Node asks it what the scripts of a build are that is used where it is kept.
    await fs.writeFile(join(cache, "package.json"), '{"type":"module"}\n');
    // In one step, so that nobody ever finds a build that is not whole.
    await fs.rename(folder, built).catch(async (error) => {
      if (!(await isThere(built))) throw error;
    });
  } finally {
    for (const path of [folder, made]) await fs.rm(path, { recursive: true, force: true });
  }
  await forgetOldBuilds();
}

async function compile(project, outDir) {
  const child = spawn(process.execPath, [compiler, "-p", project, "--outDir", outDir], {
    cwd: repository,
    stdio: "inherit",
  });
  const status = await new Promise((settle, fail) => child.on("error", fail).on("close", settle));
  if (status !== 0) throw new Error(`tsc -p ${project} ended with ${status}`);
}

async function forgetOldBuilds() {
  const builds = (await fs.readdir(cache)).filter((name) => /^dist-[0-9a-f]+$/.test(name));
  const dated = await Promise.all(
    builds.map(async (name) => ({ name, madeAt: (await fs.stat(join(cache, name))).mtimeMs })),
  );
  for (const { name } of dated.sort((a, b) => b.madeAt - a.madeAt).slice(KEPT)) {
    await fs.rm(join(cache, name), { recursive: true, force: true });
  }
}

/** Does a job while no other process does it: the others wait. */
async function alone(lock, job) {
  for (;;) {
    try {
      await fs.writeFile(lock, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (await isLeft(lock)) await fs.rm(lock, { force: true });
    else await setTimeout(100);
  }
  try {
    await job();
  } finally {
    await fs.rm(lock, { force: true });
  }
}

// Whether the process that took a lock has ended without giving it back.
async function isLeft(lock) {
  const holder = Number(await fs.readFile(lock, "utf8").catch(() => Number.NaN));
  if (!(holder > 0)) {
    // Just taken, or just given back; or its taker was killed before it wrote its number.
    const { mtimeMs = Number.POSITIVE_INFINITY } = await fs.stat(lock).catch(() => ({}));
    return Date.now() - mtimeMs > UNNAMED_LOCK_MS;
  }
  try {
    process.kill(holder, 0);
    return false;
  } catch (error) {
    return error.code === "ESRCH";
  }
}

/** Whether two folders hold the same files. */
async function isSame(one, other) {
  const [names, others] = await Promise.all([filesOf(one), filesOf(other)]);
  if (names.join("\0") !== others.join("\0")) return false;
  const pairs = names.map((name) => Promise.all([one, other].map((folder) => fs.readFile(join(folder, name)))));
  return (await Promise.all(pairs)).every(([a, b]) => a.equals(b));
}

async function filesOf(folder) {
  const entries = await fs.readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

function isThere(path) {
  return fs.access(path).then(
    () => true,
    () => false,
  );
}
