// npm run fuzz -- [--seed N] [--count N] [--seconds N] [--sockets N] [--failures N] [--only INDEX [--repeat N]]
//
// Random and mutated requests against attached servers in a child process. Checks that hold for any bytes: the process
// lives, every connection is answered or ended, another client is served meanwhile, what came back is HTTP, no 100 too
// many, and no request runs that lies within another one's content or behind a refusal. Exit code 1 on a failure, with
// a reduced reproduction; the same seed makes the same cases.
import { fork } from "node:child_process";
import { get } from "node:http";
import { parseArgs } from "node:util";
import { makeCase } from "./cases.mjs";
import { faultOf, isSettling } from "./checks.mjs";
import { DEADLINE_MS, play, SHORT_DEADLINE_MS } from "./client.mjs";
import { reductions, reproduction } from "./reduce.mjs";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    count: { type: "string", default: "50000" },
    seconds: { type: "string", default: "900" },
    sockets: { type: "string", default: "48" },
    failures: { type: "string", default: "5" },
    only: { type: "string" },
    repeat: { type: "string", default: "1" },
  },
});
const [seed, count, seconds, sockets, mostFailures] = [
  values.seed,
  values.count,
  values.seconds,
  values.sockets,
  values.failures,
].map(Number);

/** The child with the servers, and what it reports. */
class Servers {
  smuggled = new Set();
  faults = [];
  crash = undefined;
  #asked = new Map();
  #nextId = 0;

  static async start() {
    const servers = new Servers();
    await new Promise((resolve, reject) => {
      servers.child = fork(new URL("server.mjs", import.meta.url), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
      servers.child.on("message", (message) => {
        if (message.ports) {
          servers.ports = message.ports;
          resolve();
        } else servers.#hear(message);
      });
      servers.child.once("exit", (code, signal) => {
        servers.crash ??= `the server's process ended with ${signal ?? code}`;
        for (const answer of servers.#asked.values()) answer({});
        reject(new Error(servers.crash));
      });
    });
    return servers;
  }

  #hear({ id, smuggled, fault, crash, ...rest }) {
    if (smuggled !== undefined) this.smuggled.add(smuggled);
    if (fault !== undefined) this.faults.push(fault);
    if (crash !== undefined) this.crash = crash;
    if (id === undefined) return;
    this.#asked.get(id)?.(rest);
    this.#asked.delete(id);
  }

  // Messages arrive in order: behind an answer, all that the server had to tell before is known.
  ask(what) {
    if (this.crash) return Promise.resolve({});
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#asked.set(id, resolve);
      this.child.send({ ask: what, id });
    });
  }

  stop() {
    this.child.removeAllListeners("exit");
    if (this.child.connected) this.child.disconnect();
  }
}

let servers = await Servers.start();
const kinds = Object.keys(servers.ports);
const indexOfKey = new Map();
const casesOfPort = new Map();
let nextKey = 0;

async function run(oneCase, deadlineMs) {
  const key = String(nextKey++).padStart(8, "0");
  indexOfKey.set(key, oneCase.index);
  const client = await play(oneCase, servers.ports[oneCase.kind], key, isSettling(oneCase), deadlineMs);
  remember(client, oneCase.index);
  return { key, fault: servers.crash ? undefined : faultOf(oneCase, client), text: client.text };
}

// Ports come round again within a run.
function remember({ localPort, connectedAt }, index) {
  const cases = casesOfPort.get(localPort) ?? [];
  casesOfPort.set(localPort, [...cases, { index, connectedAt }]);
}

function caseOf({ port, at }) {
  const cases = [...(casesOfPort.get(port) ?? [])];
  cases.sort((a, b) => Math.abs(a.connectedAt - at) - Math.abs(b.connectedAt - at));
  return cases[0]?.index;
}

// Another client's plain request: what one connection does must not keep the others waiting.
async function serves(kind) {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const request = get({ port: servers.ports[kind], host: "127.0.0.1", path: "/no-read", agent: false }, (res) => {
      res.resume().once("close", () => resolve(performance.now() - startedAt));
    });
    request.setTimeout(DEADLINE_MS, () => request.destroy(new Error("timeout")));
    request.once("error", () => resolve(Number.POSITIVE_INFINITY));
  });
}

const failures = new Map();
const suspects = new Set();

// The same fault in many cases is reported once.
function fail(index, fault, text = "") {
  const oneCase = makeCase(seed, index, kinds);
  const signature = `${oneCase.flavour}, ${oneCase.fault ?? oneCase.why ?? ""}: ${fault.replace(/"[\s\S]*"/, "…")}`;
  const known = failures.get(signature);
  if (known) known.times++;
  else failures.set(signature, { index, fault, text, times: 1 });
}

const isFull = () => failures.size >= mostFailures;
const startedAt = performance.now();
const elapsed = () => (performance.now() - startedAt) / 1000;
const indexOf = values.only === undefined ? (n) => n : () => Number(values.only);
const end = values.only === undefined ? count : Number(values.repeat);
let next = 0;
let done = 0;
let failuresReduced = 0;
let slowest = 0;
let answered = 0;

async function work() {
  while (next < end && elapsed() < seconds && !servers.crash && !isFull()) {
    const index = indexOf(next++);
    suspects.add(index);
    const { fault, text } = await run(makeCase(seed, index, kinds));
    if (servers.crash) return;
    suspects.delete(index);
    if (fault) fail(index, fault, text);
    if (text !== "") answered++;
    done++;
    if (done % 5_000 === 0) console.log(`${done} cases, ${elapsed().toFixed(0)} s`);
  }
}

async function watch() {
  for (let i = 0; next < end && elapsed() < seconds && !servers.crash && !isFull(); i++) {
    const kind = kinds[i % kinds.length];
    const ms = await serves(kind);
    if (servers.crash) return;
    slowest = Math.max(slowest, ms);
    if (ms === Number.POSITIVE_INFINITY) fail([...suspects][0] ?? next, `hang: ${kind} does not answer another client`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

console.log(
  `fuzz: seed ${seed}, up to ${end - next} cases in ${seconds} s, ${sockets} sockets, Node ${process.versions.node}`,
);
await Promise.all([watch(), ...Array.from({ length: sockets }, work)]);

await servers.ask("all");
for (const key of servers.smuggled) {
  if (indexOfKey.has(key)) fail(indexOfKey.get(key), "a request ran that no server may run");
  else failures.set(`key ${key}`, { fault: `a request ran that no server may run: /smuggled-${key}`, times: 1 });
}
for (const fault of servers.faults.slice(0, 3)) failures.set(`logged: ${fault}`, { fault, times: 1 });
for (const index of await connectionsLeft()) {
  failures.set(`left by ${index}`, { index, fault: "the connection is left on the server", times: 1 });
}
const { crash } = servers;
if (crash) {
  console.log(`CRASH ${crash}\nlooking for the case among ${suspects.size}`);
  failures.set("crash", { index: await culprit(crash), fault: crash, times: 1 });
}

for (const [signature, { index, fault, times, text }] of failures) {
  console.log(`\nFAILED ${times} times: ${signature === "crash" ? crash : fault}`);
  if (index === undefined) continue;
  const oneCase = makeCase(seed, index, kinds);
  console.log(
    `case ${index} (--seed ${seed} --only ${index}): ${oneCase.kind}, ${oneCase.flavour} ${oneCase.fault ?? oneCase.why ?? oneCase.delivery ?? ""}`,
  );
  if (text) console.log(`came back then: ${JSON.stringify(text.slice(0, 600))}`);
  console.log(await reduced(oneCase));
}
const rate = (done / elapsed()).toFixed(0);
console.log(
  `\nfuzz: seed ${seed}, ${done} cases in ${elapsed().toFixed(0)} s (${rate}/s), ${answered} with an answer, another client waited ${slowest.toFixed(0)} ms at most; ${failures.size} failures`,
);
servers.stop();
process.exitCode = failures.size > 0 || done === 0 ? 1 : 0;

// The client of each connection is gone: the server's side must follow. Returns the cases of those that do not.
async function connectionsLeft() {
  let left = [];
  for (let tries = 0; tries < 50 && !servers.crash; tries++) {
    ({ left = [] } = await servers.ask("connections"));
    if (left.length === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return left.map(caseOf);
}

async function culprit() {
  for (const index of suspects) if ((await failureOf(makeCase(seed, index, kinds))) === "crash") return index;
  return undefined;
}

// What goes wrong when a case runs alone: the kind of failure, to compare.
async function failureOf(oneCase) {
  if (servers.crash) servers = await Servers.start();
  const { key, fault } = await run(oneCase, SHORT_DEADLINE_MS);
  await servers.ask("all");
  if (servers.crash) return "crash";
  if (servers.smuggled.has(key)) return "smuggled";
  return fault?.replace(/\d+|"[\s\S]*"/g, "…");
}

async function reduced(oneCase) {
  if (failuresReduced++ > 5) return reproduction(oneCase);
  const failure = await failureOf(oneCase);
  if (failure === undefined) return `not seen again when run alone\n${reproduction(oneCase)}`;
  const until = performance.now() + 60_000;
  let smallest = oneCase;
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const candidate of reductions(smallest)) {
      if (performance.now() > until) break;
      if ((await failureOf(candidate)) !== failure) continue;
      smallest = candidate;
      isSmaller = true;
      break;
    }
  }
  const { text } = await run(smallest, SHORT_DEADLINE_MS);
  return `${reproduction(smallest)}\ncame back: ${JSON.stringify(text.slice(0, 600))}`;
}
