// The goals, one table. A miss is one beyond the resolution of the run, which a server that stands there twice tells.
import { medianWithin } from "./statistics.mjs";

const GUARD = "package, attach({ guard })";
const BEHIND = "package, middleware";
const HAND = "Express by hand";
const BARE = "bare node";

/** The newest lines of Node, for which the goals are. What others measure stands in the table. */
const HELD = ["26", "24", "22"];

/**
 * `of` over `over` in one figure of a workload: CPU (`most`) or rate (`least`); the pair `again` is the same server twice.
 * @type {{ what: string, workload: string, of: string, over: string, figure?: "rateRatio", most?: number, least?: number }[]}
 */
export const GOALS = [
  { what: "refuse: `attach({ guard })` ÷ bare node, CPU", workload: "refuse", of: GUARD, over: BARE, most: 1.1 },
  { what: "refuse: middleware ÷ Express by hand, CPU", workload: "refuse", of: BEHIND, over: HAND, most: 1.1 },
  {
    what: "accept 1 KiB: middleware ÷ Express by hand, CPU",
    workload: "accept 1 KiB",
    of: BEHIND,
    over: HAND,
    most: 1.1,
  },
  {
    what: "accept 1 MiB: middleware ÷ Express by hand, rate",
    workload: "accept 1 MiB",
    of: BEHIND,
    over: HAND,
    figure: "perSecond",
    least: 0.97,
  },
  {
    what: "refuse 16 MiB pushed: `attach({ guard })` ÷ nginx, rate",
    workload: "push",
    of: GUARD,
    over: "nginx",
    figure: "perSecond",
    least: 1,
  },
  {
    what: "HTTP/2 refusals on one session ÷ bare node that answers and resets, rate",
    workload: "refuse, HTTP/2",
    of: "package, h2c",
    over: "bare node, h2c",
    figure: "perSecond",
    least: 0.8,
  },
  {
    what: "refuse: `express.raw({ limit })` ÷ `attach({ guard })`, CPU",
    workload: "refuse, today",
    of: "express.raw({ limit })",
    over: GUARD,
    least: 500,
  },
];

/** Of our own in an accepted upload of 1 KiB, in µs. */
export const OWN_US = 7;
/** Memory of a pending handshake ÷ bare node's. */
export const PENDING = 1.25;

/** The ratio of two subjects in each round: `{ median, from, to }`; `undefined` where one of them was not measured. */
export function ratioOf(workload, of, over, figure = "cpuUs") {
  const [a, b] = [workload?.[of], workload?.[over]];
  if (!a?.slots || !b?.slots) return undefined;
  return medianWithin(a.slots.map((one, i) => one[figure] / b.slots[i][figure]));
}

/** The same server twice, in the workload of a goal: the resolution. */
export function resolutionOf(workload, { over, figure }) {
  return (
    ratioOf(workload, `${over}, again`, over, figure) ?? ratioOf(workload, "bare node, again", "bare node", figure)
  );
}

/** How much further the bounds of a short run are: it has few rounds, on machines that do other things beside it. */
const SHORT = 1.5;

/** What was missed: one sentence each. */
export function missesOf({ lines }, isShort) {
  return HELD.flatMap((line) => (lines[line] ? missesOfLine(line, lines[line], isShort ? SHORT : 1) : []));
}

function missesOfLine(line, { workloads, micro, idle, small, pending }, slack) {
  const misses = [];
  const miss = (text) => misses.push(`Node ${line}: ${text}`);
  for (const goal of GOALS) {
    const found = ratioOf(workloads[goal.workload], goal.of, goal.over, goal.figure);
    if (!found) continue;
    const spread = spreadOf(resolutionOf(workloads[goal.workload], goal));
    const isMissed = goal.most
      ? found.median > goal.most * slack + spread
      : found.median < (goal.least / slack) * (1 - spread);
    if (isMissed) miss(`${goal.what}: ${found.median.toFixed(2)}, goal ${goal.most ?? goal.least}`);
  }
  const own = ownUs(workloads);
  if (
    own !== undefined &&
    own > OWN_US * slack + (spreadOf(handPair(workloads)) ?? 0) * workloads["accept 1 KiB"][HAND].cpuUs
  ) {
    miss(`accept 1 KiB, of our own: ${own.toFixed(1)} µs, goal ${OWN_US}`);
  }
  for (const name of [GUARD, BEHIND]) {
    const refused = workloads.refuse?.[name];
    if (refused && refused.bodyBytes !== 0) miss(`refuse: ${name}: ${refused.bodyBytes} bytes of content were sent`);
    for (const workload of ["refuse", "push"]) {
      const seen = workloads[workload]?.[name]?.seen ?? 1;
      if (seen !== 1) miss(`${workload}: ${name}: ${(seen * 100).toFixed(2)} % of the refusals were seen`);
    }
  }
  if (micro) {
    if (!(micro.bytesPerCall.guard < 0.5)) miss(`a call without content allocates ${micro.bytesPerCall.guard} bytes`);
    if (micro.bytesPerCall.control < 16) miss("the count of bytes does not see an allocation");
  }
  if (idle) {
    for (const other of ["helmet", "cors", "express-rate-limit"]) {
      const ratio = idle.with.cpuRatio.median / idle[other].cpuRatio.median;
      if (ratio < 1 / slack - spreadOf(idle["without, again"].cpuRatio))
        miss(`idle GET ÷ ${other}: ${ratio.toFixed(3)}`);
    }
  }
  for (const [name, { connections }] of Object.entries(small ?? {})) {
    if (connections !== 1) miss(`200 small uploads, answered at once: ${name}: ${connections} connections`);
  }
  const memory = pending && pending[GUARD].rssBytes / pending[BARE].rssBytes;
  if (memory > PENDING * slack)
    miss(`pending: attach({ guard }) ÷ bare node, memory: ${memory.toFixed(2)}, goal ${PENDING}`);
  return misses;
}

/** CPU of an accepted upload of 1 KiB that is neither Node's nor Express's, in µs; `undefined` where it was not measured. */
export function ownUs(workloads) {
  const workload = workloads["accept 1 KiB"];
  if (!workload?.[BEHIND] || !workload[HAND]) return undefined;
  return workload[BEHIND].cpuUs - workload[HAND].cpuUs;
}

const handPair = (workloads) => ratioOf(workloads["accept 1 KiB"], `${HAND}, again`, HAND);

// How far the same server twice is from one.
function spreadOf(pair) {
  return pair ? Math.max(Math.abs(pair.from - 1), Math.abs(pair.to - 1)) : 0;
}
