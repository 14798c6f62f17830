// npm run test:types
//
// Compiles a user's program against the packed package, with `skipLibCheck: false`: by old and new compilers, each with
// the types of Node of its time, and in every module resolution that it has. The first is the minimum in the README.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const repository = resolve(import.meta.dirname, "../..");

const COMPILERS = [
  { typescript: "5.0.4", node: "20.19.43" },
  { typescript: "5.4.5", node: "22.20.7" },
  { typescript: "5.9.3", node: "24.19.4" },
  { typescript: "6.0.3", node: "26.6.7" },
  { typescript: "7.0.2", node: "26.6.7" },
];

const NODENEXT = { moduleResolution: "nodenext", module: "nodenext", files: ["main.mts", "main.cts"] };
const BUNDLER = { moduleResolution: "bundler", module: "esnext", files: ["main.ts"] };
const NODE10 = { moduleResolution: "node10", module: "commonjs", files: ["main.ts"] };

const PROGRAM = `import { createServer } from "node:http";
import {
  admission, allOf, attach, authorize, expectations, knownLength, maxSize, refuse, sampled, silent, when,
  type AdmissionRequest, type Policy,
} from "express-expectations";
import { dashboard } from "express-expectations/dashboard";
import { instrument } from "express-expectations/prometheus";
import { Registry } from "prom-client";

const own: Policy = (req) => (req.url === "/" ? refuse(403) : true);
const byAddress: Policy<AdmissionRequest> = (req) => req.ip !== undefined;
const guard = expectations({
  policies: [own, allOf(knownLength(), maxSize("1kb")), when((req) => req.method === "PUT", own)],
  logger: sampled(silent, { perSecond: 1 }),
});
export const server = attach(createServer((req, res) => guard(req, res, () => res.end())));
export const endpoint = admission({
  trustProxy: "loopback",
  policies: [maxSize(10), own, byAddress, (req) => req.get("x-name") !== undefined],
});
authorize((req) => req.headers.authorization !== undefined, { challenge: "Bearer" });
dashboard({ maxRecords: 10 }).close();
instrument(new Registry())();

// @ts-expect-error: not a property of the request that admission tells policies about
admission({ trustProxy: "loopback", policies: [(req) => req.nothing] });
// @ts-expect-error: only true accepts
export const forgetful: Policy = (req) => void req.headers.authorization;
// @ts-expect-error: a status is no verdict
export const wrong: Policy = () => 413;
`;

const folder = mkdtempSync(join(tmpdir(), "expectations-types-"));
try {
  const tarball = pack();
  const results = COMPILERS.flatMap((versions) => compileWith(versions, tarball));
  const failed = results.filter((isGood) => !isGood).length;
  say(`Tests: ${results.length - failed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function say(text) {
  process.stdout.write(`${text}\n`);
}

// The script in package.json has built it.
function pack() {
  const output = npm(["pack", "--ignore-scripts", "--json", "--pack-destination", folder], repository);
  const [{ filename }] = JSON.parse(output);
  return join(folder, filename);
}

function npm(args, cwd) {
  const { status, stdout, stderr } = spawnSync("npm", args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`npm ${args.join(" ")} failed\n${stdout}\n${stderr}`);
  return stdout;
}

/** Compiles in each resolution; returns whether each of them passed. */
function compileWith({ typescript, node }, tarball) {
  const project = join(folder, `typescript-${typescript}-node-${node}`);
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), `{ "private": true }`);
  for (const extension of ["ts", "mts", "cts"]) writeFileSync(join(project, `main.${extension}`), PROGRAM);
  const packages = [tarball, `typescript@${typescript}`, `@types/node@${node}`, "prom-client@15.1.3"];
  npm(["install", "--prefer-offline", "--no-audit", "--no-fund", ...packages], project);
  return resolutionsOf(typescript).map((resolution) => {
    const output = compile(project, resolution);
    const isGood = output === "";
    const name = `TypeScript ${typescript}, @types/node ${node}, ${resolution.moduleResolution}`;
    say(`${name}: ${isGood ? "passed" : `failed\n${output}`}`);
    return isGood;
  });
}

// TypeScript 6 reports node10 as deprecated, and 7 has removed it.
function resolutionsOf(typescript) {
  const major = Number.parseInt(typescript, 10);
  if (major >= 7) return [NODENEXT, BUNDLER];
  return [NODENEXT, BUNDLER, major === 6 ? { ...NODE10, ignoreDeprecations: "6.0" } : NODE10];
}

function compile(project, { files, ...resolution }) {
  const compilerOptions = {
    ...resolution,
    target: "es2022",
    lib: ["es2022"],
    types: ["node"],
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: false,
  };
  const config = join(project, "tsconfig.json");
  writeFileSync(config, JSON.stringify({ compilerOptions, files }));
  const tsc = join(project, "node_modules/typescript/bin/tsc");
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, "-p", config], { encoding: "utf8" });
  return status === 0 ? "" : `${stdout}${stderr}`;
}
