// Requests that are none of the package's business: GETs through Express applications that differ in one middleware.
import { fork } from "node:child_process";
import { ask, messageOf } from "./children.mjs";
import { median, medianWithin } from "./statistics.mjs";
import { pin } from "./subjects.mjs";

const CONNECTIONS = 32;
const SLOT_MS = 50;
const WARM_UP_ROUNDS = 10;

/** In the order of their slots: those that are compared stand side by side. */
const VARIANTS = [
  "with",
  "without",
  "without, again",
  "no-op",
  "attach({ guard })",
  "helmet",
  "cors",
  "express-rate-limit",
];

// Each round gives every application one slot, forwards or backwards, so that what drifts in a run falls on all alike
// and none finds its code and connections warmer than the others do; the slots of one round give one ratio. One process
// serves them all, so that they share one compiler and one heap.
export async function measureIdle(load, rounds, execPath) {
  const server = fork(new URL("server.mjs", import.meta.url), { execPath });
  try {
    const { ports } = await messageOf(server);
    pin(server.pid, 0);
    const cpuMs = async () => (await ask(server, "cpu")).cpuMs;
    const slot = async (name) => {
      const before = await cpuMs();
      const { requests, ms } = await load.run({ job: "get", port: ports[name], ms: SLOT_MS, connections: CONNECTIONS });
      return { perSecond: (requests * 1000) / ms, cpuUs: (((await cpuMs()) - before) * 1000) / requests };
    };
    const slots = Object.fromEntries(VARIANTS.map((name) => [name, []]));
    for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
      for (const name of round % 2 === 0 ? VARIANTS : [...VARIANTS].reverse()) {
        const measured = await slot(name);
        if (round >= 0) slots[name].push(measured);
      }
    }
    return Object.fromEntries(VARIANTS.map((name) => [name, summed(slots[name], slots.without)]));
  } finally {
    await load.run({ job: "close" });
    server.disconnect();
  }
}

function summed(slots, base) {
  return {
    perSecond: median(slots.map(({ perSecond }) => perSecond)),
    cpuUs: median(slots.map(({ cpuUs }) => cpuUs)),
    rateRatio: medianWithin(slots.map(({ perSecond }, i) => perSecond / base[i].perSecond)),
    cpuRatio: medianWithin(slots.map(({ cpuUs }, i) => base[i].cpuUs / cpuUs)),
  };
}
