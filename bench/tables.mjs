// Results as markdown.
import { WORKLOADS } from "./exchanges.mjs";

const row = (cells) => `| ${cells.join(" | ")} |`;
const table = (head, rows) => [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n");
const spread = ({ median, from, to }) => `${median.toFixed(2)} (${from.toFixed(2)} to ${to.toFixed(2)})`;
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

function linesTable(lines) {
  const names = Object.keys(Object.values(lines)[0]);
  const cell = (found, name) =>
    name === names[0] ? `${found[name].cpuUs.toFixed(0)} µs` : spread(found[name].cpuRatio);
  return table(
    ["CPU of the same refusal on", names[0], ...names.slice(1).map((name) => `${name} ÷ ${names[0]}`)],
    Object.entries(lines).map(([line, found]) => [`Node ${line}`, ...names.map((name) => cell(found, name))]),
  );
}

/** `whole`: everything; `short`: what the package's README shows. */
export function tablesOf(found, misses) {
  const head = `Node ${found.node}, ${found.cpu}; medians of ${found.rounds} rounds, with the interval that holds the true one in 95 of 100 runs. A server that stands there twice is the resolution of the table.`;
  const parts = [];
  if (found.micro) {
    const { nsPerCall, nsPerCallNoop, bytesPerCall } = found.micro;
    parts.push(
      `A GET without a body through the middleware alone: ${nsPerCall.toFixed(1)} ns (a no-op: ${nsPerCallNoop.toFixed(1)} ns), ${bytesPerCall.guard.toFixed(3)} bytes (one object: ${bytesPerCall.control.toFixed(1)}).`,
    );
  }
  if (found.idle) parts.push(idleTable(found.idle));
  for (const [name, workload] of Object.entries(found.workloads))
    parts.push(`${WORKLOADS[name].title}:`, workloadTable(workload));
  if (found.lines) parts.push(linesTable(found.lines));
  if (found.pending) parts.push(pendingTable(found.pending));
  if (found.growth) parts.push(growthTable(found.growth));
  const missed = misses.length > 0 ? [`Lines that this run missed:`, misses.map((miss) => `- ${miss}`).join("\n")] : [];
  const short = [head];
  for (const name of ["refuse", "refuse, today"]) {
    if (found.workloads[name]) short.push(`${WORKLOADS[name].title}:`, workloadTable(found.workloads[name]));
  }
  if (found.idle) short.push(idleTable(found.idle));
  return { whole: [head, ...parts, ...missed].join("\n\n"), short: [...short, ...missed].join("\n\n") };
}
