// The workloads that exchange uploads, and the numbers that come out of them.
import { fork } from "node:child_process";
import { ask } from "./children.mjs";
import { median, medianWithin } from "./statistics.mjs";
import { missing, pin, startSubject } from "./subjects.mjs";

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

const NODE = ["bare node", "bare node, again", "Express by hand", "package, attach({ guard })", "package, middleware"];
const PEERS = ["Go", "nginx", "aiohttp"];

/** What is exchanged, with whom, and how long one slot is: long enough for some hundred exchanges. */
export const WORKLOADS = {
  refuse: {
    title: "A declared 100 MiB is refused; the client waits for the verdict",
    job: { job: "refuse", connections: 8 },
    subjects: [...NODE, "package, middleware, pino", "package, middleware, sampled pino", ...PEERS],
    slotMs: 400,
    status: 413,
  },
  "refuse, today": {
    title: "The same, with what Express users do today",
    job: { job: "refuse", connections: 2 },
    subjects: ["package, attach({ guard })", "package, middleware", "express.raw({ limit })", "multer limit"],
    slotMs: 1_000,
    status: 413,
  },
  "accept 1 KiB": {
    title: "1 KiB is accepted, on connections that are kept alive",
    job: { job: "accept", bytes: 1024, connections: 8 },
    subjects: [...NODE, "Go", "aiohttp"],
    slotMs: 400,
    status: 201,
  },
  "accept 1 KiB, fresh": {
    title: "1 KiB is accepted, each on a connection of its own",
    job: { job: "acceptFresh", bytes: 1024, connections: 8 },
    subjects: [...NODE, "Go", "aiohttp"],
    slotMs: 400,
    status: 201,
  },
  "accept 1 MiB": {
    title: "1 MiB is accepted, on connections that are kept alive",
    job: { job: "accept", bytes: 2 ** 20, connections: 4 },
    subjects: [...NODE, "Go", "aiohttp"],
    slotMs: 600,
    status: 201,
  },
  push: {
    title: "16 MiB are refused while the client sends them without waiting",
    job: { job: "push", connections: 4 },
    subjects: [...NODE, ...PEERS],
    slotMs: 600,
    status: 413,
  },
  quota: {
    title: "1 KiB is accepted under a quota",
    job: { job: "accept", bytes: 1024, connections: 8 },
    subjects: ["package, middleware", "package, quota in memory", "package, quota in Redis"],
    slotMs: 400,
    status: 201,
  },
};

/**
 * Measures one workload: each round gives every subject one slot, forwards or backwards, so that what drifts in a run
 * falls on all alike; ratios are those of one round's slots.
 */
export async function measureWorkload(load, { job, subjects: names, slotMs, status }, { rounds, warmUpMs, execPath }) {
  const here = names.filter((name) => !missing(name));
  const subjects = [];
  const slots = new Map(here.map((name) => [name, []]));
  try {
    for (const name of here) {
      const subject = await startSubject(name, execPath);
      subjects.push(subject);
      await load.run({ ...job, port: subject.port, ms: warmUpMs });
    }
    for (let round = 0; round < rounds; round++) {
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

/** The refusal of a waiting client on one line of Node: what its own HTTP server and Express cost differs from line to line. */
export async function measureLine(load, execPath, options) {
  return measureWorkload(load, { ...WORKLOADS.refuse, subjects: NODE }, { ...options, execPath });
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

/** Memory of a handshake that is pending, in bytes: what 10,000 of them add to the process. */
export async function measurePending(load, names, connections) {
  const found = {};
  for (const name of names) {
    if (missing(name)) {
      found[name] = { missing: missing(name) };
      continue;
    }
    const subject = await startSubject(name);
    try {
      await load.run({ job: "hold", port: subject.port, connections: 200 });
      await load.run({ job: "release" });
      await subject.memory();
      const before = { rss: subject.rss(), memory: await subject.memory() };
      await load.run({ job: "hold", port: subject.port, connections });
      await arrived(subject, connections);
      const memory = await subject.memory();
      found[name] = {
        rssBytes: (subject.rss() - before.rss) / connections,
        ...(memory && {
          heapBytes:
            (memory.heapUsed + memory.external - before.memory.heapUsed - before.memory.external) / connections,
        }),
      };
    } finally {
      await load.run({ job: "release" });
      await subject.stop();
    }
  }
  return found;
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
export async function measureGrowth(load, names, counts, { slotMs, rounds }) {
  const found = {};
  for (const name of names) {
    const subject = await startSubject(name);
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
