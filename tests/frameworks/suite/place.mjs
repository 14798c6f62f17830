// Where the recipes run: .frameworks/, with the packages that tests/frameworks/package.json names.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { join, resolve } from "node:path";
import { transformSync } from "esbuild";

const SUITE = resolve(import.meta.dirname, "..");
const REPOSITORY = resolve(SUITE, "../..");
/** Git ignores it. */
export const PLACE = join(REPOSITORY, ".frameworks");
export const RECIPES = join(SUITE, "recipes");

/**
 * Installs the packages where they are not there yet, and copies the recipes beside them.
 *
 * @param isWhole - whether large packages (NestJS, Next.js, Bun and so on) are installed, too.
 */
export function prepare(isWhole) {
  fs.mkdirSync(PLACE, { recursive: true });
  install(isWhole);
  link();
  copyRecipes();
}

function install(isWhole) {
  const names = ["package.json", "package-lock.json"];
  const texts = names.map((name) => fs.readFileSync(join(SUITE, name)));
  const digest = createHash("sha256").update(Buffer.concat(texts)).digest("hex");
  const stamps = [`${digest} whole`, ...(isWhole ? [] : [`${digest} short`])];
  const stamp = join(PLACE, "node_modules/.installed");
  if (fs.existsSync(stamp) && stamps.includes(fs.readFileSync(stamp, "utf8"))) return;
  for (const [i, name] of names.entries()) fs.writeFileSync(join(PLACE, name), texts[i]);
  // Without install scripts: some would download a binary, and the binaries that the recipes need are packages.
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", ...(isWhole ? [] : ["--omit=dev"])];
  run("npm", args);
  fs.writeFileSync(stamp, stamps[0].replace(/\w+$/, isWhole ? "whole" : "short"));
}

// The recipes import this package by its name.
function link() {
  const name = join(PLACE, "node_modules/express-expectations");
  if (!fs.existsSync(name)) fs.symlinkSync(REPOSITORY, name, "junction");
}

function copyRecipes() {
  const target = join(PLACE, "recipes");
  for (const name of fs.readdirSync(RECIPES)) fs.cpSync(join(RECIPES, name), join(target, name), { recursive: true });
  fs.copyFileSync(join(SUITE, "suite/alias.mjs"), join(PLACE, "alias.mjs"));
  for (const name of fs.readdirSync(RECIPES).filter((each) => each.endsWith(".ts"))) {
    const tsconfigRaw = { compilerOptions: { experimentalDecorators: true } };
    const { code } = transformSync(fs.readFileSync(join(RECIPES, name), "utf8"), { loader: "ts", tsconfigRaw });
    fs.writeFileSync(join(target, name.replace(/ts$/, "js")), code);
  }
}

/** Builds the Next.js application, unless the same one has been built. */
export function buildNext() {
  const folder = join(PLACE, "recipes/next");
  const files = ["app/files/[name]/route.js", "../save.mjs"].map((name) => fs.readFileSync(join(folder, name)));
  files.push(fs.readFileSync(join(PLACE, "package-lock.json")));
  const digest = createHash("sha256").update(Buffer.concat(files)).digest("hex");
  const stamp = join(folder, ".next/built");
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, "utf8") === digest) return;
  run(process.execPath, [join(PLACE, "node_modules/next/dist/bin/next"), "build", folder]);
  fs.writeFileSync(stamp, digest);
}

function run(command, args) {
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1" };
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd: PLACE, encoding: "utf8", env });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error ?? `${stdout}${stderr}`}`);
}

/** The version of an installed package; `undefined` if it is not there. */
export function versionOf(name) {
  const file = join(PLACE, "node_modules", name, "package.json");
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")).version : undefined;
}
