// How slow this machine is at present. A deadline that is right on an idle machine must not fail a test on a busy one.
const { availableParallelism, loadavg } = require("node:os");

/** Where global-setup.cjs leaves what it has measured; set it by hand to choose a factor: `TEST_SLOWNESS=4 npm test`. */
const VARIABLE = "TEST_SLOWNESS";

/** Rounds of `work` in a millisecond on an ordinary processor that has nothing else to do. */
const USUAL_ROUNDS_PER_MS = 40;
// Long enough that pauses of a throttled process fall into it, too.
const MEASURED_MS = 250;

function work() {
  let bits = 1;
  for (let i = 0; i < 10_000; i++) {
    bits ^= bits << 13;
    bits ^= bits >>> 17;
    bits ^= bits << 5;
  }
  return bits;
}

/** How many times longer than usual a fixed piece of work takes: 1 or more. */
function measure() {
  const since = performance.now();
  let rounds = 0;
  while (performance.now() - since < MEASURED_MS) {
    work();
    rounds++;
  }
  const elapsedMs = performance.now() - since;
  return Math.max(1, (elapsedMs * USUAL_ROUNDS_PER_MS) / rounds);
}

/** By what deadlines are multiplied now: the measured factor, or the processes that wait for each processor. */
function slowness() {
  const [load = 0] = loadavg();
  return Math.max(1, Number(process.env[VARIABLE]) || 1, load / availableParallelism());
}

module.exports = { VARIABLE, measure, slowness };
