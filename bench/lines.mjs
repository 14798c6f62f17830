// The lines to hold. A miss is one beyond the resolution of the run: the A/A pair (the same server twice) tells it.
const GUARD = "package, attach({ guard })";
const BEHIND = "package, middleware";
const HAND = "Express by hand";

const ratio = (workload, a, b, figure = "cpuUs") => workload[a][figure] / workload[b][figure];

/** What was missed: one sentence each. `isShort`: with the bounds of the check that runs for every change. */
export function missesOf({ micro, idle, workloads, pending, lines = {} }, isShort) {
  const misses = [];
  const atMost = (what, found, line) => {
    const bound = isShort ? line * 2 : line;
    if (!(found <= bound)) misses.push(`${what}: ${found.toFixed(2)}, line ${line}`);
  };
  const atLeast = (what, found, line) => {
    const bound = isShort ? line * 0.6 : line;
    if (!(found >= bound)) misses.push(`${what}: ${found.toFixed(3)}, line ${line}`);
  };
  if (micro) {
    atMost("ns of a call that is none of its business", micro.nsPerCall, 300);
    if (!(micro.bytesPerCall.guard < 0.5)) misses.push(`such a call allocates ${micro.bytesPerCall.guard} bytes`);
    if (micro.bytesPerCall.control < 16) misses.push("the count of bytes does not see an allocation");
  }
  if (idle) {
    atLeast("idle GET ÷ Express without it, a CPU second", idle.with.cpuRatio.median, 0.98);
    for (const other of ["helmet", "cors", "express-rate-limit"]) {
      atLeast(`idle GET ÷ ${other}, a CPU second`, idle.with.cpuRatio.median / idle[other].cpuRatio.median, 1);
    }
  }
  const { refuse, push } = workloads;
  if (refuse) {
    atMost("refuse: attach({ guard }) ÷ bare node, CPU", ratio(refuse, GUARD, "bare node"), 1.25);
    atMost("refuse: attach({ guard }) ÷ Express by hand, CPU", ratio(refuse, GUARD, HAND), 0.6);
    atMost("refuse: middleware ÷ Express by hand, CPU", ratio(refuse, BEHIND, HAND), 1.15);
    for (const name of [GUARD, BEHIND]) {
      if (refuse[name].bodyBytes !== 0)
        misses.push(`refuse: ${name}: ${refuse[name].bodyBytes} bytes of body were sent`);
      if (refuse[name].seen !== 1) misses.push(`refuse: ${name}: ${refuse[name].seen} of the refusals were seen`);
    }
  }
  for (const [line, found] of Object.entries(lines)) {
    atMost(`refuse on Node ${line}: attach({ guard }) ÷ bare node, CPU`, ratio(found, GUARD, "bare node"), 1.25);
    atMost(`refuse on Node ${line}: attach({ guard }) ÷ Express by hand, CPU`, ratio(found, GUARD, HAND), 1);
    atMost(`refuse on Node ${line}: middleware ÷ Express by hand, CPU`, ratio(found, BEHIND, HAND), 1.15);
  }
  const today = workloads["refuse, today"];
  if (today)
    atLeast(
      "refuse: express.raw({ limit }) ÷ attach({ guard }), CPU",
      ratio(today, "express.raw({ limit })", GUARD),
      500,
    );
  for (const [name, line] of [
    ["accept 1 KiB", 0.95],
    ["accept 1 MiB", 0.98],
  ]) {
    const accept = workloads[name];
    if (accept) atLeast(`${name}: Express by hand ÷ middleware, CPU`, ratio(accept, HAND, BEHIND), line);
  }
  if (push) {
    for (const name of [GUARD, BEHIND]) {
      if (push[name].seen !== 1)
        misses.push(`push: ${name}: ${(push[name].seen * 100).toFixed(1)} % of the refusals were seen`);
      atMost(`push: ${name}: MiB sent`, push[name].bodyBytes / 2 ** 20, 4.2);
      if (!push.nginx.missing) atLeast(`push: ${name} ÷ nginx, a second`, ratio(push, name, "nginx", "perSecond"), 0.9);
    }
  }
  if (pending) {
    const memory = (name) => pending[name].rssBytes;
    atMost("pending: attach({ guard }) ÷ bare node, memory", memory(GUARD) / memory("bare node"), 1.5);
    atMost("pending: attach({ guard }) ÷ Express by hand, memory", memory(GUARD) / memory(HAND), 0.9);
  }
  return misses;
}
