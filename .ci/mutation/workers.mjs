// Processes that run tests (worker.cjs). One works, and the next one starts meanwhile.
import { fork } from "node:child_process";
import { join } from "node:path";
import { TREE } from "./tree.mjs";

/** Beyond a test's own limit, for its hooks and for loading its file. */
const GRACE_MS = 5_000;
/** For a test without a limit, and for loading files. */
const LOAD_MS = 60_000;
/** For the hooks of a test that has failed. */
const HOOKS_MS = 2_000;
/** Messages of tests that did not end in time. */
const LATE = /^Exceeded timeout|^not within/;
/** A process is replaced after so many orders, for what tests leave in it. */
const MOST_ORDERS = 150;

// Few cases of each property, and no search for the smallest case that fails. NODE_ENV is what jest sets.
const ENV = { CI: "1", NODE_ENV: "test", PROPERTY_RUNS: "25", STATE_MACHINE_RUNS: "10" };

function start() {
  return fork(join(import.meta.dirname, "worker.cjs"), [TREE], {
    cwd: TREE,
    env: { ...process.env, ...ENV },
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    execArgv: ["--no-warnings"],
  });
}

/** Gives orders to one process at a time. */
export class Workers {
  #spare = start();
  #worker;
  #orders = 0;

  /**
   * Runs tests.
   *
   * @param order - see worker.cjs.
   * @param options - `isFresh`: in a process that has run nothing yet.
   * @returns `{ passed, failed, covered }`, lists of messages of worker.cjs; a failure has `isLate` besides.
   */
  async run(order, { isFresh = false } = {}) {
    if (isFresh || this.#orders >= MOST_ORDERS) this.#drop();
    if (!this.#worker?.connected) this.#take();
    this.#orders++;
    const result = await ordered(this.#worker, order);
    if (result.isDirty) this.#drop();
    return result;
  }

  #take() {
    this.#worker = this.#spare;
    this.#spare = start();
    this.#orders = 0;
  }

  #drop() {
    this.#worker?.kill("SIGKILL");
    this.#worker = undefined;
  }

  close() {
    this.#drop();
    this.#spare.kill("SIGKILL");
  }
}

function ordered(worker, order) {
  return new Promise((resolve) => {
    const lists = { started: [], passed: [], failed: [], covered: [] };
    let timer;
    const finish = (isDirty) => {
      clearTimeout(timer);
      worker.off("message", onMessage).off("exit", onExit);
      resolve({ ...lists, isDirty });
    };
    const die = (message) => {
      // After a failure the test's hooks may wait for what the change has prevented.
      const current = lists.started.at(-1) ?? { file: order.files[0].file };
      if (lists.failed.length === 0) lists.failed.push({ ...current, message, isLate: true });
      finish(true);
    };
    const wait = (ms) => {
      clearTimeout(timer);
      timer = setTimeout(die, ms, "the process does not respond");
    };
    const onExit = () => die("the process ended");
    const onMessage = (message) => {
      const isLate = message.kind === "failed" && LATE.test(message.message);
      lists[message.kind]?.push({ ...message, isLate });
      const isBad = !order.goesOn && lists.failed.length > 0;
      if (message.kind === "ended" || (isBad && (isLate || message.isWild))) finish(isLate || message.isWild);
      else wait(isBad ? HOOKS_MS : (message.limitMs ?? LOAD_MS) + GRACE_MS);
    };
    worker.on("message", onMessage).on("exit", onExit);
    wait(LOAD_MS);
    worker.send(order);
  });
}
