// node bench/diagnostics.mjs
//
// What the channels of node:diagnostics_channel cost where nobody listens: nanoseconds and bytes of telling alone, and
// of a whole decision with it. Exit code 1 where telling nobody allocates. Build first: npm run build.
import { fork } from "node:child_process";
import { cpus } from "node:os";
import { messageOf } from "./children.mjs";

/** The line to hold. */
const MOST_BYTES = 0.5;
/** A young generation so large that nothing is collected while bytes are counted. */
const NO_COLLECTION = ["--expose-gc", "--min-semi-space-size=256", "--max-semi-space-size=256"];

const { telling, decisions, control, heard } = await messageOf(
  fork(new URL("diagnostics-micro.mjs", import.meta.url), { execArgv: NO_COLLECTION }),
);

const shown = ({ ns, bytes }) => `${ns.toFixed(1)} ns, ${bytes.toFixed(bytes < 100 ? 3 : 0)} bytes`;
const rows = (measured) =>
  Object.entries(measured).map(([name, { without, with: subscribed }]) => [name, shown(without), shown(subscribed)]);
const lines = [
  ["per call", "nobody listens", "one subscriber"],
  ["---", "---", "---"],
  ...rows(telling),
  ["control: keeps one small object", shown(control), ""],
  ...rows(decisions),
];
console.log(`Node ${process.versions.node}, ${cpus().length} × ${cpus()[0].model.trim()}\n`);
console.log(lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n"));

const misses = [];
for (const [name, { without, with: subscribed }] of Object.entries(telling)) {
  if (!(without.bytes < MOST_BYTES)) misses.push(`${name}: ${without.bytes} bytes where nobody listens`);
  if (!(subscribed.bytes > 100))
    misses.push(`${name}: ${subscribed.bytes} bytes with a subscriber, so nothing is measured`);
}
if (!(control.bytes >= 16)) misses.push("the count of bytes does not see an allocation");
if (heard === 0) misses.push("the subscriber heard nothing");
for (const miss of misses) console.log(`\nMISSED: ${miss}`);
process.exitCode = misses.length > 0 ? 1 : 0;
