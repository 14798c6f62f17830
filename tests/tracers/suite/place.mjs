// Where the programs run: .tracers/short with the packages of this repository, and a folder with packages of its own for
// each of tests/tracers/packages.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const SUITE = resolve(import.meta.dirname, "..");
const REPOSITORY = resolve(SUITE, "../..");
/** Git ignores it. */
const PLACE = join(REPOSITORY, ".tracers");

/** Installs what is not there yet, and copies the programs. @returns the folder of the programs. */
export function prepare(place) {
  const folder = join(PLACE, place);
  fs.mkdirSync(folder, { recursive: true });
  if (place !== "short") install(folder, join(SUITE, "packages", place));
  copyPackage(join(folder, "node_modules/express-expectations"));
  fs.cpSync(join(SUITE, "programs"), join(folder, "programs"), { recursive: true });
  return join(folder, "programs");
}

function install(folder, manifests) {
  const names = ["package.json", "package-lock.json"];
  const texts = names.map((name) => fs.readFileSync(join(manifests, name)));
  const digest = createHash("sha256").update(Buffer.concat(texts)).digest("hex");
  const stamp = join(folder, "node_modules/.installed");
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, "utf8") === digest) return;
  for (const [i, name] of names.entries()) fs.writeFileSync(join(folder, name), texts[i]);
  // Without install scripts: some would download or compile.
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
  const { status, error, stdout, stderr } = spawnSync("npm", args, { cwd: folder, encoding: "utf8" });
  if (status !== 0) throw new Error(`npm ci: ${error ?? `${stdout}${stderr}`}`);
  fs.writeFileSync(stamp, digest);
}

// A copy, as npm would install it: a link would lead to the OpenTelemetry of this repository.
function copyPackage(target) {
  fs.rmSync(target, { recursive: true, force: true });
  fs.mkdirSync(target, { recursive: true });
  fs.cpSync(join(REPOSITORY, "dist"), join(target, "dist"), { recursive: true, dereference: true });
  fs.cpSync(join(REPOSITORY, "package.json"), join(target, "package.json"));
}

/** The version of a package as the programs get it; `undefined` if it is not there. */
export function versionOf(name, programs) {
  const folders = createRequire(join(programs, "start.cjs")).resolve.paths(name);
  const file = folders.map((folder) => join(folder, name, "package.json")).find((path) => fs.existsSync(path));
  return file && JSON.parse(fs.readFileSync(file, "utf8")).version;
}
