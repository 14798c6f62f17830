// The workloads that exchange uploads, and the numbers that come out of them.
import { fork } from "node:child_process";
import { ask } from "./children.mjs";
import { median, medianWithin } from "./statistics.mjs";
import { missing, pin, startSubject } from "./subjects.mjs";

/** How long a server runs before it is measured, until all of it is compiled: some 25,000 requests. */
export const WARM_UP_MS = 4_000;

/** The load generator, one job at a time, on the other core. */
export class Load {
  #child = fork(new URL("load.mjs", import.meta.url));

  constructor() {
    pin(this.#child.pid, 1);
  }

  run(job) {
    return ask(this.#child, job);
  }

  stop() {
    this.#child.disconnect();
  }
}

const BARE = ["bare node", "bare node, again"];
const HAND = ["Express by hand", "Express by hand, again"];
const NODE = [...BARE, "package, node:http", ...HAND, "package, attach({ guard })", "package, middleware"];
const TLS = ["bare node, TLS", "bare node, TLS, again", "package, TLS"];
const HTTP2 = ["bare node, h2c", "bare node, h2c, again", "package, h2c"];

/**
 * What is exchanged, with whom, and how long one slot is. Many short slots tell more than few long ones: what else the
 * machine does falls on fewer of them. The first subject is the base of the ratios. `peers` are measured on the first
 * line of Node alone, but for those that a goal compares with.
 */
export const WORKLOADS = {
  refuse: {
    title: "A declared 100 MiB is refused; the client waits for the verdict",
    job: { job: "refuse", connections: 8 },
    subjects: [...NODE, "bare node, lingering"],
    peers: ["package, middleware, pino", "package, middleware, sampled pino", "Go", "nginx", "aiohttp"],
    status: 413,
  },
  "refuse, today": {
    title: "The same, with what Express users do today",
    job: { job: "refuse", connections: 2 },
    subjects: ["package, attach({ guard })", "package, middleware", "express.raw({ limit })"],
    peers: ["multer limit"],
    slotMs: 1_000,
    rounds: 5,
    status: 413,
  },
  "refuse late": {
    title: "Refused by a policy that takes 5 ms",
    job: { job: "refuseLate", connections: 32 },
    subjects: NODE,
    status: 413,
  },
  push: {
    title: "16 MiB are refused while the client sends them without waiting",
    job: { job: "push", connections: 4 },
    subjects: NODE,
    peers: ["Go", "nginx", "aiohttp"],
    slotMs: 150,
    status: 413,
  },
  "accept 1 KiB": {
    title: "1 KiB is accepted, on connections that are kept alive",
    job: { job: "accept", bytes: 1024, connections: 8 },
    subjects: [...NODE, "package, node:http, no guard"],
    peers: ["Go", "aiohttp"],
    status: 201,
  },
  "accept 1 KiB, pushed": {
    title: "The same, without Expect",
    job: { job: "accept", bytes: 1024, connections: 8, pushes: true },
    subjects: [...NODE, "package, node:http, no guard"],
    status: 201,
  },
  "accept 1 KiB, fresh": {
    title: "1 KiB is accepted, each on a connection of its own",
    job: { job: "acceptFresh", bytes: 1024, connections: 8 },
    subjects: NODE,
    peers: ["Go", "aiohttp"],
    status: 201,
  },
  "accept 64 KiB": {
    title: "64 KiB are accepted, on connections that are kept alive",
    job: { job: "accept", bytes: 2 ** 16, connections: 8 },
    subjects: NODE,
    status: 201,
  },
  "accept 1 MiB": {
    title: "1 MiB is accepted, on connections that are kept alive",
    job: { job: "accept", bytes: 2 ** 20, connections: 4 },
    subjects: NODE,
    peers: ["Go", "aiohttp"],
    slotMs: 150,
    status: 201,
  },
  "accept 64 MiB, pushed": {
    title: "64 MiB are accepted without Expect, on connections that are kept alive",
    job: { job: "accept", bytes: 2 ** 26, connections: 2, pushes: true },
    limit: 2 ** 27,
    subjects: NODE,
    slotMs: 1_000,
    rounds: 7,
    status: 201,
  },
  "refuse, TLS": {
    title: "A declared 100 MiB is refused over TLS, each on a connection of its own",
    job: { job: "refuse", connections: 8, isTls: true },
    subjects: TLS,
    slotMs: 150,
    status: 413,
  },
  "accept 1 KiB, TLS": {
    title: "1 KiB is accepted over TLS, on connections that are kept alive",
    job: { job: "accept", bytes: 1024, connections: 8, isTls: true },
    subjects: TLS,
    // Each slot begins with a TLS handshake of each connection.
    slotMs: 400,
    status: 201,
  },
  "refuse, HTTP/2": {
    title: "Streams of one HTTP/2 session with a declared 100 MiB are refused, 32 at a time",
    job: { job: "refuseHttp2", connections: 32 },
    subjects: HTTP2,
    slotMs: 200,
    status: 413,
  },
  "accept 1 KiB, HTTP/2": {
    title: "1 KiB is accepted on streams of one HTTP/2 session, 32 at a time",
    job: { job: "acceptHttp2", bytes: 1024, connections: 32 },
    subjects: HTTP2,
    slotMs: 200,
    status: 201,
  },
  quota: {
    title: "1 KiB is accepted under a quota",
    job: { job: "accept", bytes: 1024, connections: 8 },
    subjects: ["package, middleware"],
    peers: ["package, quota in memory", "package, quota in Redis"],
    status: 201,
  },
};

/** Who is asked for 200 small uploads that are answered at once. */
export const SMALL = ["bare node", "package, node:http, no guard", "package, middleware"];

/**
 * Measures one workload: each round gives every subject one slot, forwards or backwards, so that what drifts in a run
 * falls on all alike; ratios are those of one round's slots.
 */
export async function measureWorkload(load, workload, names, { rounds, execPath }) {
  const { job, slotMs = 100, status, limit } = workload;
  const here = names.filter((name) => !missing(name));
  const subjects = [];
  const slots = new Map(here.map((name) => [name, []]));
  try {
    for (const name of here) {
      const subject = await startSubject(name, execPath, limit && { BENCH_LIMIT: limit });
      subjects.push(subject);
      await load.run({ ...job, port: subject.port, ms: WARM_UP_MS });
    }
    for (let round = 0; round < (workload.rounds ?? rounds); round++) {
      for (const subject of round % 2 === 0 ? subjects : [...subjects].reverse()) {
        slots.get(subject.name).push(await slot(load, subject, { ...job, ms: slotMs }, status));
      }
    }
  } finally {
    for (const subject of subjects) await subject.stop();
  }
  return Object.fromEntries(
    names.map((name) => [
      name,
      slots.has(name) ? summed(slots.get(name), slots.get(here[0])) : { missing: missing(name) },
    ]),
  );
}

/** How many connections 200 small uploads take that are answered before they are read. */
export async function measureSmall(load, execPath) {
  const found = {};
  for (const name of SMALL) {
    const subject = await startSubject(name, execPath);
    try {
      found[name] = await load.run({ job: "small", port: subject.port });
    } finally {
      await subject.stop();
    }
  }
  return found;
}

async function slot(load, subject, job, status) {
  const before = subject.cpuMs();
  const done = await load.run({ ...job, port: subject.port, isForm: subject.name === "multer limit" });
  return {
    cpuUs: ((subject.cpuMs() - before) * 1000) / done.count,
    perSecond: (done.count * 1000) / done.ms,
    p50Ms: done.p50Ms,
    p99Ms: done.p99Ms,
    bodyBytes: done.bodyBytes / done.count,
    seen: (done.statuses[status] ?? 0) / done.count,
  };
}

function summed(slots, first) {
  const of = (figure) => median(slots.map((one) => one[figure]));
  return {
    cpuUs: of("cpuUs"),
    perSecond: of("perSecond"),
    p50Ms: of("p50Ms"),
    p99Ms: of("p99Ms"),
    bodyBytes: of("bodyBytes"),
    seen: slots.reduce((sum, { seen }) => sum + seen, 0) / slots.length,
    cpuRatio: medianWithin(slots.map((one, i) => one.cpuUs / first[i].cpuUs)),
    rateRatio: medianWithin(slots.map((one, i) => one.perSecond / first[i].perSecond)),
    slots: slots.map(({ cpuUs, perSecond }) => ({ cpuUs, perSecond })),
  };
}

/** How often the memory is measured: the pages that a heap takes differ from process to process by some percent. */
const MEASUREMENTS = 3;

/** Memory of a handshake that is pending, in bytes: what 10,000 of them add to the process. */
export async function measurePending(load, names, connections, execPath) {
  const found = {};
  for (const name of names) {
    if (missing(name)) {
      found[name] = { missing: missing(name) };
      continue;
    }
    const taken = [];
    for (let i = 0; i < MEASUREMENTS; i++) taken.push(await memoryEach(load, name, connections, execPath));
    const [{ heapBytes }] = taken;
    found[name] = {
      rssBytes: median(taken.map(({ rssBytes }) => rssBytes)),
      ...(heapBytes !== undefined && { heapBytes: median(taken.map((one) => one.heapBytes)) }),
    };
  }
  return found;
}

async function memoryEach(load, name, connections, execPath) {
  const subject = await startSubject(name, execPath);
  try {
    await load.run({ job: "hold", port: subject.port, connections: 200 });
    await load.run({ job: "release" });
    await subject.memory();
    const before = { rss: subject.rss(), memory: await subject.memory() };
    await load.run({ job: "hold", port: subject.port, connections });
    await arrived(subject, connections);
    const memory = await subject.memory();
    const inUse = ({ heapUsed, external }) => heapUsed + external;
    return {
      rssBytes: (subject.rss() - before.rss) / connections,
      heapBytes: memory && (inUse(memory) - inUse(before.memory)) / connections,
    };
  } finally {
    await load.run({ job: "release" });
    await subject.stop();
  }
}

// A Node subject counts what is pending; of others the memory stops growing.
async function arrived(subject, connections) {
  const deadline = performance.now() + 30_000;
  let last = -1;
  while (performance.now() < deadline) {
    const memory = await subject.memory();
    if (memory?.pending >= connections) return;
    await new Promise((resolve) => setTimeout(resolve, 300));
    if (memory === undefined && subject.rss() === last) return;
    last = subject.rss();
  }
  throw new Error(`${subject.name}: not all of ${connections} handshakes arrived`);
}

/** CPU time of a refusal while so many others are pending, in microseconds: does the cost of one grow with their number? */
export async function measureGrowth(load, names, counts, { slotMs, rounds, execPath }) {
  const found = {};
  for (const name of names) {
    const subject = await startSubject(name, execPath);
    try {
      await load.run({ job: "refuse", port: subject.port, connections: 8, ms: 2_000 });
      found[name] = [];
      let open = 0;
      for (const count of counts) {
        await load.run({ job: "hold", port: subject.port, connections: count - open });
        open = count;
        await arrived(subject, count);
        const slots = [];
        for (let round = 0; round < rounds; round++) {
          slots.push(await slot(load, subject, { job: "refuse", connections: 8, ms: slotMs }, 413));
        }
        found[name].push({ connections: count, cpuUs: median(slots.map(({ cpuUs }) => cpuUs)) });
      }
    } finally {
      await load.run({ job: "release" });
      await subject.stop();
    }
  }
  return found;
}
