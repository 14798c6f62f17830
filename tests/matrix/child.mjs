// Runs cells: servers and clients in one process, which matrix.mjs starts, asks and replaces.
import { gauges } from "../../dist/esm/observe/diagnostics.js";
import { patiently, settled } from "../helpers/patience.mjs";
import { faultsOf, whatStays } from "./checks.mjs";
import { DEADLINE_MS, play, warmUp } from "./clients.mjs";
import { startServer } from "./servers.mjs";
import { patchPrototypes } from "./writers.mjs";

const uncaught = [];
for (const event of ["uncaughtException", "unhandledRejection"]) {
  process.on(event, (error) => uncaught.push(`${event}: ${error?.stack ?? error}`));
}
process.on("warning", (warning) => {
  if (warning.name !== "ExperimentalWarning") uncaught.push(`warning: ${warning.stack}`);
});
process.on("disconnect", () => process.exit(0));
patchPrototypes();

async function run(cell, isPlain) {
  const started = await startServer(cell, isPlain);
  const { server, observed } = started;
  if ((cell.mount === "auto-attached" || cell.way === "nested behind guarded") && !isPlain) await warmUp(cell, started);
  started.begin();
  const seen = await play(cell, started);
  const stays = await whatStays(started);
  const isClosed = await settled(new Promise((resolve) => server.close(() => resolve(true))), DEADLINE_MS);
  server.closeAllConnections?.();
  const faults = [
    ...(isPlain ? seen.faults : faultsOf(cell, seen, observed)),
    ...stays,
    ...(isClosed ? [] : ["server.close() does not call back"]),
  ];
  return { faults, transcript: faults.length > 0 ? observed.events : [] };
}

// What the process holds when no cell runs: an idle child's is the measure.
function held() {
  const { pendingHandshakes, lingeringConnections } = gauges();
  const counts = { pendingHandshakes, lingeringConnections };
  for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1;
  for (const name of process.eventNames()) counts[`listeners of ${String(name)}`] = process.listenerCount(name);
  return JSON.stringify(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function idle() {
  const isIdle = await patiently(() => held() === idleState, DEADLINE_MS);
  const faults = isIdle ? [] : [`the process holds ${held()} instead of ${idleState}`];
  return [...faults, ...uncaught.splice(0)];
}

process.on("message", async ({ index, cell, isPlain, ask }) => {
  if (ask === "idle") {
    process.send({ idle: await idle() });
    return;
  }
  try {
    process.send({ index, ...(await run(cell, isPlain)) });
  } catch (error) {
    process.send({ index, faults: [`the test failed: ${error.stack}`], transcript: [] });
  }
});

// Open from now on: libraries look at them once.
void [process.stdout, process.stderr];

let idleState;
// Behind the module's own end, which Node watches.
setTimeout(setImmediate, 1, () => {
  idleState = held();
  process.send({ isReady: true });
});
