// npm run test:upload -- [--runs N] [--only TEXT]
//
// Uploads by `express-expectations/client` to servers, through proxies, and to servers that misbehave: the status that
// the server meant, no hang, not a byte behind a refusal. Exit code 1 if one upload goes otherwise.
import { spawn, spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import * as http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { upload } from "express-expectations/client";
import { BEHAVIOUR_NAMES, misbehave } from "express-expectations/testing";
import { ACCEPTED_TYPE, Origin, REFUSED_STATUS, REFUSED_TYPE } from "./suite/origin.mjs";
import { certificate, startSetup } from "./suite/play.mjs";
import { whyNot } from "./suite/programs.mjs";
import { SETUPS, SHORT } from "./suite/setups.mjs";

// Where Debian has most of the programs, and not every user's PATH.
process.env.PATH += ":/usr/sbin";

const { values } = parseArgs({
  options: { runs: { type: "string", default: "20" }, only: { type: "string", default: "" } },
});
const runs = Number(values.runs);
if (!(runs >= 1)) throw new Error("--runs takes a number, 1 or more");

const ACCEPTED = randomBytes(300_000);
const REFUSED = Buffer.alloc(16 * 2 ** 20, 1);
const DIGEST = createHash("sha256").update(ACCEPTED).digest("hex");
// No exchange here takes so long, except those with a server that says nothing.
const IDLE_MS = 5_000;
const HANG_MS = 8_000;

/** One upload. Returns what went wrong, if something did. */
async function exchange(url, options, isRight) {
  const startedAt = performance.now();
  const result = await upload(url, { idleTimeoutMs: IDLE_MS, ...options }).catch((error) => error);
  const tookMs = Math.round(performance.now() - startedAt);
  if (tookMs > HANG_MS) return `hung for ${tookMs} ms`;
  if (isRight(result)) return undefined;
  return `${result.status ?? result.code}, ${result.sentBytes} bytes sent, ${result.attempts} requests`;
}

const isStored = ({ status, body }) => status === 201 && body.toString() === DIGEST;

/** Uploads one that is accepted and one that is refused. `mayBegin`: something else may send the 100 before the verdict. */
async function acceptedAndRefused(url, { mayBegin = false } = {}) {
  const accepted = { headers: { "Content-Type": ACCEPTED_TYPE }, body: ACCEPTED };
  const refused = { headers: { "Content-Type": REFUSED_TYPE }, body: REFUSED };
  const isRefused = ({ status, sentBytes }) => status === REFUSED_STATUS && (mayBegin || sentBytes === 0);
  return [await exchange(`${url}/accepted`, accepted, isStored), await exchange(`${url}/refused`, refused, isRefused)];
}

async function attached() {
  const origin = await Origin.start();
  return { play: () => acceptedAndRefused(`http://127.0.0.1:${origin.port}`), stop: () => origin.stop() };
}

// Node sends the 100 itself, before the application refuses.
async function bareNode() {
  const server = http.createServer((req, res) => {
    if (req.headers["content-type"] !== ACCEPTED_TYPE) return void res.writeHead(REFUSED_STATUS).end();
    const hash = createHash("sha256");
    req.on("data", (chunk) => hash.update(chunk)).on("end", () => res.writeHead(201).end(hash.digest("hex")));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { play: () => acceptedAndRefused(`http://127.0.0.1:${server.address().port}`, { mayBegin: true }), stop };
}

async function go() {
  const folder = mkdtempSync(join(tmpdir(), "expectations-upload-"));
  const program = join(folder, "server");
  const source = fileURLToPath(new URL("../probe/server.go", import.meta.url));
  const { error, status, stderr } = spawnSync("go", ["build", "-o", program, source], { encoding: "utf8" });
  if (error) return { skipped: "golang-go is not installed" };
  if (status !== 0) throw new Error(stderr);
  const child = spawn(program, { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(child.stdout, "data");
  const url = `http://${line.toString().trim()}`;
  return {
    play: async () => [
      await exchange(
        `${url}/upload`,
        { body: ACCEPTED },
        ({ status: seen, wasContinued }) => seen === 201 && wasContinued,
      ),
      await exchange(
        `${url}/refuse`,
        { body: REFUSED },
        ({ status: seen, sentBytes }) => seen === 413 && sentBytes === 0,
      ),
    ],
    async stop() {
      child.kill();
      await once(child, "exit");
      rmSync(folder, { recursive: true });
    },
  };
}

/** What sends its own 100 at once, and what asks for content before the verdict. */
const BEGINS = new Set(["nginx, `proxy_pass`", "Caddy, `reverse_proxy`"]);

async function proxy(setup) {
  const skipped = whyNot(setup);
  if (skipped) return { skipped };
  const { via, stop } = await startSetup(setup, await certificate());
  const url = `${via.isTls ? "https" : "http"}://127.0.0.1:${via.port}`;
  return { play: () => acceptedAndRefused(url, { mayBegin: BEGINS.has(setup.name) }), stop };
}

/** What an upload of 16 MiB comes to: a status or the code of an error, and whether a byte of it may go. */
const MISBEHAVIOURS = {
  "no-continue": [201, true],
  "late-continue": [201, true],
  "blind-continue": [413, true],
  "double-continue": [201, true],
  "continue-after-final": [413, false],
  "other-interims": [201, true],
  "refuse-and-keep": [403, false],
  "refuse-and-reset": [413, false],
  "refuse-in-body": [413, true],
  "refuse-in-body-and-reset": [413, true],
  "refuse-after-content": [415, true],
  "expectation-failed": [201, true, 2],
  "expectation-failed-and-keep": [201, true, 2],
  "bad-gateway": [502, false],
  "early-success": [200, false],
  "no-answer": ["ERR_UPLOAD_CONNECTION", false],
  reset: ["ERR_UPLOAD_CONNECTION", false],
  silence: ["ERR_UPLOAD_TIMEOUT", true],
  "no-final": ["ERR_UPLOAD_TIMEOUT", true],
  "no-reading": ["ERR_UPLOAD_TIMEOUT", true],
  "cut-off": [403, false],
  malformed: ["ERR_UPLOAD_RESPONSE", false],
  "not-found": [404, false],
  "method-not-allowed": [405, false],
  unauthorized: [401, false],
  forbidden: [403, false],
  redirect: [301, false],
  "bad-request": [400, false],
  "server-error": [500, false],
  "unknown-status": [999, false],
  "success-to-all": [201, false],
  "conflicting-lengths": ["ERR_UPLOAD_RESPONSE", false],
  "endless-interims": ["ERR_UPLOAD_RESPONSE", true],
  "endless-responses": [403, false],
  "endless-head": ["ERR_UPLOAD_RESPONSE", false],
  "endless-content": [403, false],
  "switching-protocols": ["ERR_UPLOAD_CONNECTION", false],
  "continue-to-http10": [201, true],
  "continue-to-all": [201, true],
  "ignores-unknown": [201, true],
};

async function misbehaving(name) {
  const server = await misbehave(name);
  const [expected, maySend, requests = 1] = MISBEHAVIOURS[name];
  const isRight = ({ status, code, sentBytes, attempts }) =>
    (status ?? code) === expected && (maySend || sentBytes === 0) && attempts === requests;
  // Long enough for a server that is late, and not longer than 20 runs can wait.
  return {
    play: async () => [await exchange(server.url, { body: REFUSED, idleTimeoutMs: 2_000 }, isRight)],
    stop: () => server.close(),
  };
}

const PROXIES = SETUPS.filter(({ kind, hops }) => kind !== "chain" && kind !== "other" && SHORT.has(hops[0].program));
const SERVERS = {
  "an attached server": attached,
  "Node by itself": bareNode,
  "Go's net/http": go,
  ...Object.fromEntries(PROXIES.map((setup) => [setup.name, () => proxy(setup)])),
  ...Object.fromEntries(BEHAVIOUR_NAMES.map((name) => [`a server that misbehaves: ${name}`, () => misbehaving(name)])),
};

let [passed, failed, left] = [0, 0, 0];
for (const [name, start] of Object.entries(SERVERS)) {
  if (!name.toLowerCase().includes(values.only.toLowerCase())) continue;
  const { play, stop, skipped } = await start();
  if (skipped) {
    left++;
    console.log(`skipped: ${name}: ${skipped}`);
    continue;
  }
  const faults = {};
  for (let i = 0; i < runs; i++) {
    for (const fault of await play()) if (fault) faults[fault] = (faults[fault] ?? 0) + 1;
  }
  await stop();
  const isGood = Object.keys(faults).length === 0;
  if (isGood) passed++;
  else failed++;
  console.log(`${isGood ? "" : "FAILED: "}${name}: ${isGood ? "as it should" : JSON.stringify(faults)}`);
}
console.log(`Tests: ${passed} passed, ${failed} failed, ${left} skipped, ${runs} runs each`);
process.exitCode = failed === 0 ? 0 : 1;
