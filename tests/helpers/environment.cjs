// jest's environment for Node, in which the time limits of tests and hooks follow the load of the machine.
const { TestEnvironment } = require("jest-environment-node");
const { slowness } = require("./slowness.cjs");

class Environment extends TestEnvironment {
  handleTestEvent({ name }, state) {
    // All tests of the file are known, and none has begun.
    if (name !== "run_start") return;
    const factor = slowness();
    state.testTimeout *= factor;
    const blocks = [state.rootDescribeBlock];
    for (const block of blocks) {
      for (const timed of [...block.hooks, ...block.children]) {
        if (timed.timeout !== undefined) timed.timeout *= factor;
        if (timed.type === "describeBlock") blocks.push(timed);
      }
    }
  }
}

module.exports = Environment;
