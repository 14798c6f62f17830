// npm run differential -- [--seed N] [--count N] [--sockets N] [--failures N] [--only INDEX]
//
// The same bytes to an attached Express app, to node:http alone and to Go's net/http, with the same routes. What none of
// them may do (compare.mjs) fails the run if an attached server does it, and so does each difference between the three
// that no class of classes.mjs covers. Exit code 1 then, with a reduced reproduction; the same seed makes the same cases.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { reductions, reproduction } from "../fuzz/reduce.mjs";
import { makeCase } from "./cases.mjs";
import { ALL_CLASSES, classOf, KNOWN_VIOLATIONS, knownViolation } from "./classes.mjs";
import { differences, violations } from "./compare.mjs";
import { play } from "./player.mjs";
import { SERVERS } from "./routes.mjs";
import { buildGo, Server } from "./server.mjs";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    count: { type: "string", default: "20000" },
    sockets: { type: "string", default: "24" },
    failures: { type: "string", default: "5" },
    only: { type: "string" },
  },
});
const [seed, sockets, mostFailures] = [values.seed, values.sockets, values.failures].map(Number);
const first = Number(values.only ?? 0);
const end = values.only === undefined ? Number(values.count) : first + 1;

const folder = mkdtempSync(join(tmpdir(), "expectations-differential-"));
const servers = {};
const startedAt = performance.now();

/** Plays a case on all three; what is wrong then, as sentences, and which classes it showed. */
async function run(oneCase) {
  const all = await Promise.all(SERVERS.map((name) => play(oneCase, servers[name])));
  const seen = Object.fromEntries(SERVERS.map((name, i) => [name, all[i]]));
  const faults = [];
  const shown = [];
  for (const name of SERVERS) {
    for (const violation of violations(seen[name], oneCase.isUnsettled)) {
      const known = knownViolation(name, violation);
      if (known) shown.push(known);
      else faults.push(`${name}: ${violation.invariant} [${violation.traits.join(", ")}]`);
    }
  }
  for (const difference of oneCase.isUnsettled ? [] : differences(seen)) {
    const covering = classOf(difference);
    if (covering) shown.push(covering);
    else faults.push(sentenceOf(difference));
  }
  return { faults, shown, seen };
}

function sentenceOf({ dimension, position, traits, values }) {
  const each = SERVERS.map((name) => `${name} ${values[name]}`).join("; ");
  return `no class covers the ${dimension} of request ${position} [${traits.join(", ")}]: ${each}`;
}

const signatureOf = (fault) => fault.replace(/ of request \d+| \[.*?\]|\d{8}/g, "");

const failures = new Map();
const counts = new Map();
let next = first;
let done = 0;
let unrepeated = 0;

async function work() {
  while (next < end && failures.size < mostFailures && crashed() === undefined) {
    const index = next++;
    const { faults, shown } = await run(makeCase(seed, index));
    for (const one of new Set(shown)) counts.set(one, (counts.get(one) ?? 0) + 1);
    for (const fault of faults) {
      const known = failures.get(signatureOf(fault));
      if (known) known.times++;
      else failures.set(signatureOf(fault), { index, fault, times: 1 });
    }
    done++;
    if (done % 5_000 === 0) console.log(`${done} cases, ${elapsed().toFixed(0)} s`);
  }
}

function elapsed() {
  return (performance.now() - startedAt) / 1_000;
}

function crashed() {
  const name = SERVERS.find((one) => servers[one].crash);
  return name && `${name}: ${servers[name].crash}`;
}

async function reduced(oneCase, signature) {
  const shows = async (candidate) => (await run(candidate)).faults.some((fault) => signatureOf(fault) === signature);
  const until = performance.now() + 60_000;
  let smallest = oneCase;
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const candidate of reductions({ ...smallest, kind: "all three", flavour: "mutated" })) {
      if (performance.now() > until || crashed()) break;
      if (!(await shows(candidate))) continue;
      smallest = candidate;
      isSmaller = true;
      break;
    }
  }
  const { seen } = await run(smallest);
  const came = SERVERS.map((name) => {
    const { text, log, end, sentinel, error } = seen[name];
    const ran = log.filter(({ event }) => event === "begin").map(({ method, target }) => `${method} ${target}`);
    const state = `${end}${sentinel ? ", in step" : ""}${error ? `, ${error}` : ""}`;
    return `${name}: ${JSON.stringify(text.slice(0, 600))}\n  ran ${JSON.stringify(ran)}; ${state}`;
  });
  return `${reproduction({ ...smallest, kind: "all three" })}\n${came.join("\n")}`;
}

// What ran on a connection after its log was fetched.
async function lateRuns() {
  for (const name of SERVERS) {
    for (const { log, isOpen } of (await servers[name].ask("left")) ?? []) {
      const began = log.find(({ event }) => event === "begin");
      if (name === "ours" && began)
        failures.set(`late ${began.target}`, { fault: `ours: ran ${began.target} on a connection that had ended` });
      if (name === "ours" && isOpen) failures.set("left", { fault: "ours: a connection is left open" });
    }
    for (const fault of servers[name].faults.slice(0, 3)) failures.set(fault, { fault: `${name}: ${fault}` });
  }
}

function table() {
  const rows = [...KNOWN_VIOLATIONS, ...ALL_CLASSES].filter((one) => counts.has(one));
  return rows.map((one) => {
    const who = one.servers
      ? `${one.servers.join(" and ")} ${one.servers.length > 1 ? "do" : "does"} it`
      : `right: ${one.right}`;
    return `${String(counts.get(one)).padStart(6)}  ${one.name} (${one.rfc}; ${who})`;
  });
}

try {
  const program = buildGo(folder);
  for (const name of SERVERS) servers[name] = await Server.start(name, program);
  console.log(`differential: seed ${seed}, ${end - first} cases, ${sockets} at a time, Node ${process.versions.node}`);
  await Promise.all(Array.from({ length: sockets }, work));
  // A difference that depends on how the packets came is seen again by chance alone; what no server may do counts anyway.
  for (const [signature, { index, fault }] of failures) {
    if (!fault.startsWith("no class") || crashed()) continue;
    let isSeenAgain = false;
    for (let i = 0; i < 5 && !isSeenAgain; i++) {
      const { faults } = await run(makeCase(seed, index));
      isSeenAgain = faults.some((other) => signatureOf(other) === signature);
    }
    if (isSeenAgain) continue;
    console.log(`\nnot seen again: ${fault} (--seed ${seed} --only ${index})`);
    unrepeated++;
    failures.delete(signature);
  }
  await lateRuns();
  const crash = crashed();
  if (crash) failures.set("crash", { fault: crash, times: 1 });
  for (const [signature, { index, fault, times }] of failures) {
    console.log(`\nFAILED${times ? ` ${times} times` : ""}: ${fault}`);
    if (index === undefined || crash) continue;
    console.log(`--seed ${seed} --only ${index}`);
    console.log(await reduced(makeCase(seed, index), signature));
  }
  console.log(`\n${table().join("\n")}`);
  console.log(
    `\ndifferential: seed ${seed}, ${done} cases in ${elapsed().toFixed(0)} s, ${counts.size} known classes seen, ${unrepeated} differences not seen again; ${failures.size} failures`,
  );
  process.exitCode = failures.size > 0 || done === 0 ? 1 : 0;
} finally {
  for (const server of Object.values(servers)) server.stop();
  rmSync(folder, { recursive: true, force: true });
}
