// jest's environment for Node, in which the time limits of tests and hooks follow the load of the machine. What a test
// file changes on the classes of node:http, as restify does when it is loaded, ends with that file: Node's own modules
// are the same for all files of a worker.
const http = require("node:http");
const { TestEnvironment } = require("jest-environment-node");
const { slowness } = require("./slowness.cjs");

const SHARED = [http.IncomingMessage.prototype, http.ServerResponse.prototype, http.OutgoingMessage.prototype];

class Environment extends TestEnvironment {
  #before = SHARED.map((prototype) => Object.getOwnPropertyDescriptors(prototype));

  async teardown() {
    for (const [i, prototype] of SHARED.entries()) {
      for (const name of Reflect.ownKeys(prototype)) if (!(name in this.#before[i])) delete prototype[name];
      Object.defineProperties(prototype, this.#before[i]);
    }
    await super.teardown();
  }

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
