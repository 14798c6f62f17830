// Where the CPU time of a refusal and of an accepted upload goes, in microseconds each:
//
//   npm run build && node bench/steps.mjs [--line 26] [--ms 8000] [--before FOLDER]
//
// FOLDER is another tree of this package, built, whose bench/servers/node.mjs is measured beside this one. A sample of
// the profile belongs to the innermost function on its stack that is not Node's, and so to that function's step: what Node
// does for it belongs to it, too. The profile itself costs some 10 %.
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { nodeOf } from "../.ci/node-binaries.mjs";
import { ask } from "./children.mjs";
import { Load, WARM_UP_MS, WORKLOADS } from "./exchanges.mjs";
import { startNode } from "./subjects.mjs";

const { values } = parseArgs({
  options: {
    line: { type: "string", default: "26" },
    ms: { type: "string", default: "8000" },
    before: { type: "string" },
  },
});
const execPath = nodeOf(values.line) ?? process.execPath;
const here = fileURLToPath(new URL("..", import.meta.url));
const TREES = [...(values.before ? [["before", resolve(values.before)]] : []), ["package", here]];

/** Steps by the folder and file of a function, in the order of an exchange; the first that fits is taken. */
const STEPS = [
  ["linger", /^(?:response\/)?(?:linger|crowd|disarm|stream-linger)\.js$|^(?:node\/)?(?:sink|socket)\.js$/],
  ["final status", /^response\/|^(?:final|refusal)\.js$|^node\/response\.js$/],
  [
    "verdict",
    /^(?:guard|policies|observe|http)\/|^(?:expectations|policy|record|logger|diagnostics|expect-header)\.js$/,
  ],
  ["100 and reads", /^handshake\/(?:content|body-clock|interim)\.js$|^node\/(?:content-source|read|readable)/],
  ["handshake", /^handshake\/|^(?:handshake|message)\.js$/],
  ["gate", /^server\/|^(?:gate|attach|connection|shape|options)\.js$/],
  ["other functions of the package", /./],
];
const OTHERS = ["the application's handler", "Express", "garbage collection", "native code", "Node itself"];

function stepOf(stack) {
  for (const { url, functionName } of stack) {
    if (functionName === "(garbage collector)") return "garbage collection";
    if (functionName === "(program)") return "native code";
    const file = /\/dist\/esm\/(.*)$/.exec(url)?.[1];
    if (file) return STEPS.find(([, files]) => files.test(file))[0];
    if (/node_modules\/(?:express|router)\//.test(url)) return "Express";
    if (url.endsWith("bench/servers/node.mjs")) return "the application's handler";
  }
  return "Node itself";
}

/** Time of each step as a part of all time that was not idle. */
function partsOf({ nodes, samples, timeDeltas }) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  for (const node of nodes) for (const child of node.children ?? []) byId.get(child).parent = node;
  const stepById = new Map();
  for (const node of nodes) {
    const stack = [];
    for (let at = node; at; at = at.parent) stack.push(at.callFrame);
    stepById.set(node.id, stack[0].functionName === "(idle)" ? "idle" : stepOf(stack));
  }
  const times = new Map();
  let busy = 0;
  samples.forEach((id, i) => {
    const step = stepById.get(id);
    if (step === "idle") return;
    times.set(step, (times.get(step) ?? 0) + timeDeltas[i]);
    busy += timeDeltas[i];
  });
  return new Map([...times].map(([step, time]) => [step, time / busy]));
}

async function profileOf(load, tree, name, { job }) {
  const preload = fileURLToPath(new URL("servers/profiled.mjs", import.meta.url));
  const subject = await startNode(name, { tree, execPath, execArgv: ["--import", preload] });
  const { child, port } = subject;
  try {
    await load.run({ ...job, port, ms: WARM_UP_MS });
    await ask(child, "profile");
    const before = subject.cpuMs();
    const kernelBefore = subject.kernelMs();
    const { count } = await load.run({ ...job, port, ms: Number(values.ms) });
    const cpuUs = ((subject.cpuMs() - before) * 1000) / count;
    const kernelUs = ((subject.kernelMs() - kernelBefore) * 1000) / count;
    const { profile } = await ask(child, "profiled");
    const parts = partsOf(profile);
    return { cpuUs, kernelUs, us: (step) => (parts.get(step) ?? 0) * cpuUs };
  } finally {
    await subject.stop();
  }
}

function print(title, columns) {
  const rows = [...STEPS.map(([step]) => step), ...OTHERS];
  const table = [
    ["", ...columns.map(([name]) => name)],
    ...rows.map((row) => [row, ...columns.map(([, { us }]) => us(row).toFixed(1))]),
    ["all", ...columns.map(([, { cpuUs }]) => cpuUs.toFixed(1))],
    ["of it in the kernel", ...columns.map(([, { kernelUs }]) => kernelUs.toFixed(1))],
  ];
  const line = (cells) => `| ${cells.join(" | ")} |`;
  console.log(`${title}, µs each:\n`);
  console.log([line(table[0]), line(table[0].map(() => "---")), ...table.slice(1).map(line)].join("\n"), "\n");
}

const load = new Load();
try {
  for (const [title, workload, base, name] of [
    ["A refusal", WORKLOADS.refuse, "bare node", "package, attach({ guard })"],
    ["1 KiB accepted", WORKLOADS["accept 1 KiB"], "Express by hand", "package, middleware"],
    ["An HTTP/2 refusal", WORKLOADS["refuse, HTTP/2"], "bare node, h2c", "package, h2c"],
  ]) {
    const columns = [[base, await profileOf(load, here, base, workload)]];
    for (const [tree, folder] of TREES)
      columns.push([`${name}, ${tree}`, await profileOf(load, folder, name, workload)]);
    print(title, columns);
  }
} finally {
  load.stop();
}
