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

/** The subjects that a goal compares in a workload, with those that stand there twice. */
export function comparedIn(workload) {
  const compared = GOALS.filter((goal) => goal.workload === workload).flatMap(({ of, over }) => [of, over]);
  return [BARE, ...compared].flatMap((name) => [name, `${name}, again`]);
}

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

/**
 * What was missed. `isTimed` says that noise may be the reason: what is counted has none.
 *
 * @param table - earlier results, for a short run. A goal that they miss is then no further away than they are, and the
 *   whole interval has to miss it: a short run looks for what has become slower, on a machine that does other things.
 * @returns {{ line: string, text: string, isTimed: boolean }[]}
 */
export function missesOf({ lines }, table) {
  return HELD.flatMap((line) => (lines[line] ? missesOfLine(line, lines[line], table?.lines[line]) : []));
}

function missesOfLine(line, { workloads, micro, idle, small, pending }, before) {
  const misses = [];
  const miss = (text) => misses.push({ line, text: `Node ${line}: ${text}`, isTimed: false });
  const missTimed = (text) => misses.push({ line, text: `Node ${line}: ${text}`, isTimed: true });
  for (const goal of GOALS) {
    const found = ratioOf(workloads[goal.workload], goal.of, goal.over, goal.figure);
    if (!found) continue;
    const earlier = before && ratioOf(before.workloads[goal.workload], goal.of, goal.over, goal.figure);
    const spread = spreadOf(resolutionOf(workloads[goal.workload], goal), 1);
    if (isMissed(found, goal, spread, before !== undefined, earlier))
      missTimed(`${goal.what}: ${found.median.toFixed(2)}, goal ${goal.most ?? goal.least}`);
  }
  const own = ownUs(workloads);
  if (own) {
    const earlier = before && ownUs(before.workloads);
    const spread = spreadOf(ownTwiceUs(workloads), 0);
    if (isMissed(own, { most: OWN_US }, spread, before !== undefined, earlier))
      missTimed(`accept 1 KiB, of our own: ${own.median.toFixed(1)} µs, goal ${OWN_US}`);
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
      const [ours, theirs] = [idle.with.cpuRatio, idle[other].cpuRatio];
      const ratio = before ? ours.to / theirs.from : ours.median / theirs.median;
      if (ratio < 1 - spreadOf(idle["without, again"].cpuRatio, 1))
        missTimed(`idle GET ÷ ${other}: ${ratio.toFixed(3)}`);
    }
  }
  for (const [name, { connections }] of Object.entries(small ?? {})) {
    if (connections !== 1) miss(`200 small uploads, answered at once: ${name}: ${connections} connections`);
  }
  const memory = pending && pending[GUARD].rssBytes / pending[BARE].rssBytes;
  if (memory > PENDING) miss(`pending: attach({ guard }) ÷ bare node, memory: ${memory.toFixed(2)}, goal ${PENDING}`);
  return misses;
}

/**
 * Whether a figure is beyond its goal by more than the same server twice is from itself; see {@link missesOf}.
 *
 * @param earlier - the figure in the table, if a short run is compared with it and it is there.
 */
function isMissed({ median, from, to }, { most, least }, spread, isShort, earlier) {
  if (most !== undefined) return (isShort ? from : median) > Math.max(most, earlier?.median ?? most) + spread;
  return (isShort ? to : median) < Math.min(least, earlier?.median ?? least) * (1 - spread);
}

/**
 * CPU of an accepted upload of 1 KiB that is neither Node's nor Express's, in µs: `{ median, from, to }`; `undefined`
 * where it was not measured.
 */
export function ownUs(workloads) {
  return differenceUs(workloads["accept 1 KiB"], BEHIND, HAND);
}

/** The same of one server twice. */
export function ownTwiceUs(workloads) {
  return differenceUs(workloads["accept 1 KiB"], `${HAND}, again`, HAND);
}

function differenceUs(workload, of, from) {
  const [a, b] = [workload?.[of], workload?.[from]];
  if (!a?.slots || !b?.slots) return undefined;
  return medianWithin(a.slots.map(({ cpuUs }, i) => cpuUs - b.slots[i].cpuUs));
}

// How far the same server twice is from itself.
function spreadOf(pair, itself) {
  return pair ? Math.max(Math.abs(pair.from - itself), Math.abs(pair.to - itself)) : 0;
}
