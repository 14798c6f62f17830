// Results as markdown.
import { WORKLOADS } from "./exchanges.mjs";
import { GOALS, OWN_US, ownTwiceUs, ownUs, PENDING, ratioOf, resolutionOf } from "./goals.mjs";

const row = (cells) => `| ${cells.join(" | ")} |`;
export const table = (head, rows) => [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n");
export const spread = ({ median, from, to }) => `${median.toFixed(2)} (${from.toFixed(2)} to ${to.toFixed(2)})`;
const inUs = (found) =>
  found ? `${found.median.toFixed(1)} µs (${found.from.toFixed(1)} to ${found.to.toFixed(1)})` : "";
const bytes = (number) =>
  number === 0 ? "0" : number < 2 ** 20 ? `${(number / 1024).toFixed(1)} KiB` : `${(number / 2 ** 20).toFixed(1)} MiB`;
const percent = (share) => `${(share * 100).toFixed(share === 1 || share === 0 ? 0 : 1)} %`;

function workloadTable(found) {
  const base = Object.keys(found)[0];
  const head = ["", "CPU each", `÷ ${base}`, "a second", "p50", "p99", "body sent", "as expected"];
  return table(
    head,
    Object.entries(found).map(([name, one]) =>
      one.missing
        ? [name, `skipped: ${one.missing}`, "", "", "", "", "", ""]
        : [
            name,
            `${one.cpuUs < 10_000 ? one.cpuUs.toFixed(0) : Math.round(one.cpuUs)} µs`,
            spread(one.cpuRatio),
            one.perSecond.toFixed(one.perSecond < 10 ? 1 : 0),
            `${one.p50Ms.toFixed(2)} ms`,
            `${one.p99Ms.toFixed(2)} ms`,
            bytes(one.bodyBytes),
            percent(one.seen),
          ],
    ),
  );
}

function idleTable(idle) {
  return table(
    ["GET through Express 5, keep-alive", "a second", "÷ without", "a CPU second ÷ without"],
    Object.entries(idle).map(([name, { perSecond, rateRatio, cpuRatio }]) => [
      name,
      perSecond.toFixed(0),
      name === "without" ? "1" : spread(rateRatio),
      name === "without" ? "1" : spread(cpuRatio),
    ]),
  );
}

function pendingTable(pending) {
  const base = pending["bare node"].rssBytes;
  return table(
    ["a pending handshake", "memory", "÷ bare node", "of it on the heap"],
    Object.entries(pending).map(([name, { rssBytes, heapBytes, missing }]) =>
      missing
        ? [name, `skipped: ${missing}`, "", ""]
        : [name, bytes(rssBytes), (rssBytes / base).toFixed(2), heapBytes === undefined ? "–" : bytes(heapBytes)],
    ),
  );
}

function growthTable(growth) {
  const counts = Object.values(growth)[0].map(({ connections }) => connections);
  return table(
    ["CPU of a refusal while so many handshakes are pending", ...counts.map(String)],
    Object.entries(growth).map(([name, points]) => [name, ...points.map(({ cpuUs }) => `${cpuUs.toFixed(0)} µs`)]),
  );
}

/** The lines of Node that were measured, the newest first. An object would sort its keys by number. */
export function newestFirst(lines) {
  return Object.entries(lines).sort(([a], [b]) => b - a);
}

/** Each goal on each line, with its interval and the same server twice beside it. */
function goalsTable(lines) {
  const cell = (ratio) => (ratio ? spread(ratio) : "");
  const rows = GOALS.map((goal) => [
    goal.what,
    goal.most ? `≤ ${goal.most}` : `≥ ${goal.least}`,
    ...lines.flatMap(([, { workloads }]) => {
      const workload = workloads[goal.workload];
      return [cell(ratioOf(workload, goal.of, goal.over, goal.figure)), cell(resolutionOf(workload, goal))];
    }),
  ]);
  rows.push([
    "accept 1 KiB, of our own",
    `≤ ${OWN_US} µs`,
    ...lines.flatMap(([, { workloads }]) => [ownUs(workloads), ownTwiceUs(workloads)].map(inUs)),
  ]);
  const alone = (what, goal, of) => rows.push([what, goal, ...lines.flatMap(([, one]) => [of(one) ?? "", ""])]);
  alone(
    "connections for 200 small uploads that are answered at once",
    "1",
    ({ small }) => small && String(small["package, middleware"].connections),
  );
  alone(
    "memory of a pending handshake: `attach({ guard })` ÷ bare node",
    `≤ ${PENDING}`,
    ({ pending }) =>
      pending && (pending["package, attach({ guard })"].rssBytes / pending["bare node"].rssBytes).toFixed(2),
  );
  const shown = rows.filter((cells) => cells.slice(2).some((text) => text !== ""));
  return table(["", "goal", ...lines.flatMap(([name]) => [`Node ${name}`, "the same twice"])], shown);
}

const titled = (workloads) =>
  Object.entries(workloads).flatMap(([name, one]) => [`${WORKLOADS[name].title}:`, workloadTable(one)]);

function lineParts({ micro, idle, workloads, pending, growth }) {
  const parts = [];
  if (micro) {
    const { nsPerCall, nsPerCallNoop, bytesPerCall } = micro;
    parts.push(
      `A GET without a body through the middleware alone: ${nsPerCall.toFixed(1)} ns (a no-op: ${nsPerCallNoop.toFixed(1)} ns), ${bytesPerCall.guard.toFixed(3)} bytes (one object: ${bytesPerCall.control.toFixed(1)}).`,
    );
  }
  if (idle) parts.push(idleTable(idle));
  parts.push(...titled(workloads));
  if (pending) parts.push(pendingTable(pending));
  if (growth) parts.push(growthTable(growth));
  return parts;
}

/** `whole`: everything; `short`: what docs/performance.md shows. */
export function tablesOf(found, misses) {
  const lines = newestFirst(found.lines);
  const [[, newest]] = lines;
  const head = `${found.cpu}; medians of ${found.rounds} rounds, with the interval that holds the true one in 95 of 100 runs.`;
  const missed =
    misses.length > 0 ? ["Goals that this run missed:", misses.map(({ text }) => `- ${text}`).join("\n")] : [];
  const goals = goalsTable(lines);
  const parts = lines.flatMap(([, one]) => [`### Node ${one.node}`, ...lineParts(one)]);
  const short = [`Node ${newest.node}, ${head}`, goals, ...missed];
  for (const name of ["refuse", "refuse, today"]) {
    const workload = newest.workloads[name];
    if (workload) short.push(`${WORKLOADS[name].title}:`, workloadTable(workload));
  }
  if (newest.idle) short.push(idleTable(newest.idle));
  return { whole: [head, goals, ...missed, ...parts].join("\n\n"), short: short.join("\n\n") };
}
