// Runs one set-up: starts its recipe, plays the checks, and says what differs from what should be.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CHECKS, UPLOAD } from "./checks.mjs";
import { Exchange } from "./exchange.mjs";
import { FolderStore } from "./folder-store.mjs";
import { runHttp2Checks } from "./http2-checks.mjs";
import { runLateContinue } from "./late-continue.mjs";
import { buildNext, PLACE, versionOf } from "./place.mjs";
import { runPolicyChecks } from "./policy-checks.mjs";
import { Program } from "./program.mjs";
import { runtime } from "./runtimes.mjs";
import { S3Store } from "./s3-store.mjs";
import { runTest } from "./test-file.mjs";
import { measureUploads, uploadFaults } from "./uploads.mjs";

const AWS = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret", AWS_REGION: "us-east-1" };

/** @returns a row of the page: `{ setup, name, version, cells, faults }`, or one with `skipped`, the reason. */
export async function play(setup) {
  const on = runtime(setup.runtime ?? "Node");
  const row = { setup, name: setup.name, version: versionsOf(setup, on), faults: [], cells: {} };
  const skipped = on.skipped ?? whyNot(setup);
  if (skipped) return { ...row, skipped };
  const folder = mkdtempSync(join(tmpdir(), "expectations-frameworks-"));
  try {
    return { ...row, ...(await playIn(folder, setup, on)) };
  } catch (error) {
    return { ...row, faults: [error.stack] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function versionsOf({ packages }, on) {
  return packages.length === 0 ? `${on.name} ${on.version}` : packages.map(versionOf).join(", ");
}

function whyNot({ packages, needs = 20 }) {
  const missing = packages.find((name) => versionOf(name) === undefined);
  if (missing) return `${missing} is not installed`;
  const [major] = process.versions.node.split(".");
  return Number(major) < needs ? `needs Node ${needs}` : undefined;
}

async function playIn(folder, setup, on) {
  if (setup.recipe.startsWith("next/")) buildNext();
  const env = setup.isTls ? certificate(folder) : {};
  if (setup.section === "tests" && !setup.checks) return runTest(setup, on, env);
  if (setup.section === "uploads") return playUploads(folder, setup, on);
  return withProgram(setup.origin && { recipe: setup.origin }, on, {}, (origin) =>
    withProgram(setup, on, { ...env, ORIGIN: `http://127.0.0.1:${origin?.port}` }, async (program) => {
      const { isTls, upload, warmUp } = setup;
      const { port } = program;
      const peer = { port, isTls, upload: { ...UPLOAD, ...upload }, faultOf: () => program.faultOf() };
      if (warmUp) await attachByRequest(peer);
      return judged(setup, await runChecks(setup, peer));
    }),
  );
}

/** Starts a recipe for as long as `use` takes. */
async function withProgram(setup, on, env, use) {
  if (!setup) return use();
  const options = setup.aliases ? ["--import", join(PLACE, "alias.mjs")] : [];
  const file = join(PLACE, "recipes", setup.recipe.replace(/\.ts$/, ".js"));
  const all = { ...env, ALIASES: JSON.stringify(setup.aliases ?? {}) };
  const program = await Program.start([...on.command, ...options, file], { cwd: PLACE, env: all });
  try {
    return await use(program);
  } finally {
    await program.stop();
  }
}

async function runChecks({ checks }, peer) {
  if (checks === "http2") return runHttp2Checks(peer);
  if (checks === "policies") return runPolicyChecks(peer);
  if (checks === "late 100") return runLateContinue(peer);
  const found = {};
  for (const { id, run } of CHECKS) found[id] = await run(peer).catch((error) => error.message);
  return found;
}

async function attachByRequest(peer) {
  const exchange = await Exchange.open(peer);
  exchange.send("PUT /files/warm HTTP/1.1\r\nHost: uploads.test\r\nContent-Length: 1\r\n\r\nx");
  await exchange.final();
  exchange.close();
}

function judged({ deviations = {} }, cells) {
  const faults = Object.entries(cells).flatMap(([id, what]) => {
    if ((what === undefined) === (deviations[id] === undefined)) return [];
    return what === undefined ? [`${id}: passes, though it has a deviation`] : [`${id}: ${what}`];
  });
  return { cells, faults };
}

async function playUploads(folder, setup, on) {
  const s3 = setup.isS3 ? await S3Store.start() : undefined;
  const env = { FOLDER: folder, TMPDIR: folder, ...(s3 && { S3: s3.url, ...AWS }) };
  try {
    return await withProgram(setup, on, env, async (program) => {
      const store = s3 ?? new FolderStore(folder, program.pid, setup);
      const cells = await measureUploads({
        port: program.port,
        upload: setup.upload,
        store,
        handlerErrors: () => [...program.output.matchAll(/^handler: (.*)$/gm)].map(([, text]) => text),
        forgetErrors: () => {
          program.output = "";
        },
      });
      return { cells, faults: [...uploadFaults(setup, cells), program.faultOf()].filter(Boolean) };
    });
  } finally {
    s3?.stop();
  }
}

// The certificate of the other tests: it is text within a TypeScript file.
function certificate(folder) {
  const text = readFileSync(new URL("../../helpers/certificate.ts", import.meta.url), "utf8");
  const [key, cert] = text.match(/-----BEGIN [^`]*-----END [A-Z ]*-----/g);
  const files = { KEY: join(folder, "key.pem"), CERT: join(folder, "cert.pem") };
  writeFileSync(files.KEY, `${key}\n`);
  writeFileSync(files.CERT, `${cert}\n`);
  return files;
}
