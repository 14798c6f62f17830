// npm run test:types
//
// The types of the packed package, with `skipLibCheck: false`. A user's program is compiled by old and new compilers, each
// with the types of Node of its time, and in every module resolution that it has; the first compiler is the minimum in the
// README. A program with Express is compiled by the compiler of this repository, in both module systems, and run. attw
// checks what each entry resolves to.
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
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

const PROGRAM = `import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import {
  admission, allOf, attach, authorize, expectations, knownLength, maxSize, refuse, sampled, silent, when,
  type AdmissionRequest, type Policy,
} from "express-expectations";
import { UploadError, upload, type UploadErrorCode, type UploadOptions, type UploadResult } from "express-expectations/client";
import { dashboard } from "express-expectations/dashboard";
import { type RecordOptions, recordExpectations, rememberSpan } from "express-expectations/opentelemetry";
import { instrument } from "express-expectations/prometheus";
import { type HandshakeAnswer, handshake, handshakeMatchers, misbehave } from "express-expectations/testing";
import { metrics, type Span } from "@opentelemetry/api";
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
const recording: RecordOptions = { meter: metrics.getMeter("own") };
recordExpectations(recording)();
export const requestHook: (span: Span, request: object) => void = rememberSpan;

const options: UploadOptions = { body: () => createReadStream("a"), onProgress: ({ sentBytes }) => void sentBytes.toFixed() };
export const uploaded: Promise<UploadResult> = upload(new URL("http://a"), { ...options, body: new Blob(["a"]) });
export const codeOf = (error: unknown): UploadErrorCode | undefined => (error instanceof UploadError ? error.code : undefined);
export async function test(): Promise<HandshakeAnswer> {
  const { url } = await misbehave("no-continue");
  await handshake(url).put("/").send(["a", new Uint8Array(1)]);
  handshakeMatchers.toContinueOnce(undefined);
  return handshake(server).put("/").set("A", 1).withhold(5).expectRefusal(413);
}

// @ts-expect-error: a number is no body
export const wrongBody = upload("http://a", { body: 5 });
// @ts-expect-error: no such behaviour
export const wrongName = misbehave("perfect");
// @ts-expect-error: not a property of the request that admission tells policies about
admission({ trustProxy: "loopback", policies: [(req) => req.nothing] });
// @ts-expect-error: only true accepts
export const forgetful: Policy = (req) => void req.headers.authorization;
// @ts-expect-error: a status is no verdict
export const wrong: Policy = () => 413;
`;

const EXPRESS_PROGRAM = `import http from "node:http";
import express, { type Request } from "express";
import {
  allOf, attach, authorize, expectations, ExpectationError, handshakeOf, maxSize, mediaTypes, refuse, silent, when,
  type ExpectationErrorCode, type ExpectationOptions, type HandshakeInfo, type Logger, type Policy, type RefusalRecord,
} from "express-expectations";

const byName: Policy<Request<{ name: string }>> = (req) => (req.params.name === "no" ? refuse(403) : true);
const options: ExpectationOptions = { policies: [maxSize("1kb"), mediaTypes(["text/*"])], logger: silent };
const app = express();
app.use(expectations(options));
app.put<{ name: string }>("/files/:name", expectations({ policies: [byName], logger: silent }), (req, res) => {
  const info: HandshakeInfo = handshakeOf(req);
  res.json(info.state);
});
app.put("/other", expectations<Request>({
  policies: [
    authorize((req: Request) => req.get("authorization") !== undefined, { challenge: "Bearer" }),
    allOf(when((req) => req.method === "PUT", maxSize(10)), async (req, upload) => upload.length !== 7),
  ],
  onRefusal: (refusal, req, res, next) => next(new Error(String(refusal.status))),
}), (_req, res) => { res.end(); });
const logger: Logger = { warn(details) { const record = details as RefusalRecord; void record.bytesSpared; }, error() {} };
attach(http.createServer(app), { logger }).close();

// @ts-expect-error: an option that does not exist
() => expectations({ policy: [] });
// @ts-expect-error: a status is no verdict
const wrong: Policy = () => 413;
void wrong;

try {
  maxSize("5 apples");
} catch (error) {
  const code: ExpectationErrorCode = (error as ExpectationError).code;
  console.log(error instanceof ExpectationError, code);
}
`;

const folder = mkdtempSync(join(tmpdir(), "expectations-types-"));
try {
  const tarball = pack();
  const results = [
    ...COMPILERS.flatMap((versions) => compileWith(versions, tarball)),
    ...compileAndRun(tarball),
    resolvesEverywhere(tarball),
  ];
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
  const packages = [
    tarball,
    `typescript@${typescript}`,
    `@types/node@${node}`,
    "prom-client@15.1.3",
    "@opentelemetry/api@1.9.1",
  ];
  npm(["install", "--prefer-offline", "--no-audit", "--no-fund", ...packages], project);
  return resolutionsOf(typescript).map((resolution) =>
    told(`TypeScript ${typescript}, @types/node ${node}, ${resolution.moduleResolution}`, compile(project, resolution)),
  );
}

/** Says whether a check passed, which is so if there is nothing to complain of; returns it. */
function told(name, complaint) {
  const isGood = complaint === "";
  say(`${name}: ${isGood ? "passed" : `failed\n${complaint}`}`);
  return isGood;
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
  const { status, output } = node([tsc, "-p", config]);
  return status === 0 ? "" : output;
}

/** Compiles the program with Express as each kind of module, and runs what came out of it. */
function compileAndRun(tarball) {
  const project = join(folder, "express");
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), `{ "private": true }`);
  npm(["install", "--prefer-offline", "--no-audit", "--no-fund", tarball], project);
  for (const name of ["@types", "express"]) {
    symlinkSync(join(repository, "node_modules", name), join(project, "node_modules", name), "junction");
  }
  return ["mts", "cts"].map((extension) => {
    const file = `main.${extension}`;
    writeFileSync(join(project, file), EXPRESS_PROGRAM);
    const compilerOptions = {
      target: "es2023",
      module: "nodenext",
      moduleResolution: "nodenext",
      types: ["node"],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      verbatimModuleSyntax: extension === "mts",
      esModuleInterop: true,
      outDir: "out",
    };
    const config = join(project, "tsconfig.json");
    writeFileSync(config, JSON.stringify({ compilerOptions, files: [file] }));
    const compiled = node([join(repository, "node_modules/typescript/bin/tsc"), "-p", config]);
    const complaint =
      compiled.status === 0 ? wrongOutput(join(project, "out", `main.${extension[0]}js`)) : compiled.output;
    return told(`a program with Express, ${file}`, complaint);
  });
}

function wrongOutput(program) {
  const { status, output } = node([program]);
  return status === 0 && output.trim() === "true ERR_EXPECT_OPTION" ? "" : `ended with ${status}: ${output}`;
}

function node(args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  return { status, output: `${stdout}${stderr}` };
}

/** Whether each way in which users resolve types finds those of package.json, for every entry. */
function resolvesEverywhere(tarball) {
  const attw = join(repository, "node_modules/.bin/attw");
  // To a file: it ends its process while a pipe still holds the rest of its output.
  const file = join(folder, "attw.json");
  const output = openSync(file, "w");
  spawnSync(attw, [tarball, "--format", "json"], { stdio: ["ignore", output, "ignore"] });
  closeSync(output);
  const { problems, analysis } = JSON.parse(readFileSync(file, "utf8"));
  // Pages load modules alone.
  const isMeant = (kind, at) => kind === "CJSResolvesToESM" && at.every(({ entrypoint }) => entrypoint === "./browser");
  const complaints = Object.entries(problems ?? {}).flatMap(([kind, at]) => (isMeant(kind, at) ? [] : `attw: ${kind}`));
  const { exports: exported } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));
  for (const [entry, target] of Object.entries(exported)) {
    if (typeof target === "string") continue;
    const wanted = [target, target.import, target.require].flatMap((one) => one?.types?.slice(1) ?? []);
    const { resolutions } = analysis.entrypoints[entry];
    const names = Object.keys(resolutions).sort().join();
    if (names !== "bundler,node10,node16-cjs,node16-esm") complaints.push(`${entry}: resolved by ${names}`);
    for (const [name, { resolution }] of Object.entries(resolutions)) {
      const file = resolution?.fileName ?? "nothing";
      if (!wanted.some((path) => file.endsWith(`/express-expectations${path}`))) {
        complaints.push(`${entry}, ${name}: ${file}`);
      }
    }
  }
  return told("attw", complaints.join("\n"));
}
