// What `overload` and `diskSpace` add to the verdict about an upload, in nanoseconds of CPU a call, beyond a policy that always
// returns the same refusal. Their measurements and questions to the file system are in it. Exit code 1 above 1 µs.
//
//   npm run build && node bench/policies.mjs
import { tmpdir } from "node:os";
import { diskSpace, overload, refuse } from "../dist/esm/index.js";
import { median } from "./statistics.mjs";

const CALLS = 2_000_000;
const BATCH = 10_000;
const ROUNDS = 5;
const MOST_NS = 1_000;

const REQ = { headers: {}, complete: true, destroyed: false };
const callbacks = [];
const upload = {
  length: 1_000,
  received: 0,
  isPreflight: false,
  onClose: (callback) => void callbacks.push(callback),
  limitBytes() {},
  report(message, error) {
    throw new Error(message, { cause: error });
  },
};
const END = { status: 201, isRefused: false, isWhole: true };
const REFUSAL = refuse(413);

const policies = {
  "always the same refusal": () => REFUSAL,
  "overload, within its limits": overload({ maxEventLoopDelayMs: 60_000, maxRss: "100tb", maxHeap: "100tb" }),
  "overload, over them": overload({ maxRss: 1 }),
  "diskSpace, full": diskSpace({ path: tmpdir(), keepFree: "8000tb" }),
  "diskSpace, accepted and ended": diskSpace({ path: tmpdir(), keepFree: 0 }),
};

async function nanosecondsOf(policy) {
  let spentUs = 0;
  for (let done = 0; done < CALLS; done += BATCH) {
    const before = process.cpuUsage();
    // Waits for the file system in between, as uploads of the same moment would.
    const first = policy(REQ, upload);
    if (typeof first === "object" && "then" in first) await first;
    for (let i = 1; i < BATCH; i++) policy(REQ, upload);
    for (const callback of callbacks) callback(END);
    callbacks.length = 0;
    const { user, system } = process.cpuUsage(before);
    spentUs += user + system;
    await new Promise(setImmediate);
  }
  return (1_000 * spentUs) / CALLS;
}

const times = new Map(Object.keys(policies).map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, policy] of Object.entries(policies)) times.get(name).push(await nanosecondsOf(policy));
}
const [base, ...others] = [...times].map(([name, all]) => [name, median(all)]);
console.log(`${base[0]}: ${base[1].toFixed(0)} ns`);
for (const [name, ns] of others) {
  const added = ns - base[1];
  console.log(`${name}: ${added.toFixed(0)} ns more`);
  if (added > MOST_NS) process.exitCode = 1;
}
