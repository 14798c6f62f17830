// A process that runs tests of the copy with one change switched on. It loads packages once, the copy's own modules anew
// for each order, and takes its orders from workers.mjs:
//
//   { files: [{ file, tests: { [index]: limitMs } }], mutant, isCounting, goesOn }
//
// An index is a test's place in its file; without `tests`, all run. It says what it does in messages with `kind`:
// "started", "passed" and "failed" for tests, "covered" for files, "ended" for the order. After a failure it runs no
// further test, unless the order `goesOn`. A failure with `isWild` is an error that no test caught.
const circus = require("jest-circus");
const { sep } = require("node:path");
const globals = require("./jest-globals.cjs");

const tree = process.argv[2] + sep;
/** For hooks. Tests have limits of their own. */
const HOOK_LIMIT_MS = 20_000;
// What tests leave on the classes of node:http would be there for the next file.
const SHARED = [
  require("node:http").IncomingMessage,
  require("node:http").ServerResponse,
  require("node:http").OutgoingMessage,
];
const before = SHARED.map(({ prototype }) => Object.getOwnPropertyDescriptors(prototype));

const path = require.resolve("@jest/globals");
require.cache[path] = Object.assign(new module.constructor(path), { exports: globals, loaded: true });

const stryker = {};
globalThis.__stryker__ = stryker;

let order = { files: [] };
let file;
let current;
let hasFailed = false;
let indexOf = new Map();

function say(kind, more) {
  process.send({ kind, file, index: current, ...more });
}

function fail(error, isWild) {
  const [message] = String(error?.message ?? error).split("\n", 1);
  say("failed", { message, isWild });
  hasFailed = true;
  if (!order.goesOn) for (const test of indexOf.keys()) test.mode = "skip";
}

const failWildly = (error) => fail(error, true);
process.on("uncaughtException", failWildly);
process.on("unhandledRejection", failWildly);
process.on("disconnect", () => process.exit());
process.on("message", (message) => {
  order = message;
  run()
    .catch(failWildly)
    .finally(() => say("ended"));
});

circus.addEventHandler((event) => {
  const index = indexOf.get(event.test);
  if (index === undefined) return;
  switch (event.name) {
    case "test_started":
      current = index;
      stryker.currentTestId = String(index);
      say("started", { limitMs: event.test.timeout });
      break;
    case "test_fn_failure":
    case "hook_failure":
      fail(event.error);
      break;
    case "test_done":
      if (event.test.errors.length === 0) say("passed", { ms: event.test.duration, covered: coveredBy(index) });
      stryker.currentTestId = "hooks";
  }
});

function coveredBy(id) {
  return order.isCounting ? Object.keys(stryker.mutantCoverage.perTest[id] ?? {}) : undefined;
}

async function run() {
  stryker.activeMutant = order.mutant;
  stryker.isCounting = order.isCounting;
  hasFailed = false;
  forgetModules();
  for (const step of order.files) {
    if (!hasFailed || order.goesOn) await runFile(step);
  }
}

async function runFile(step) {
  file = step.file;
  current = undefined;
  indexOf = new Map();
  stryker.mutantCoverage = { static: {}, perTest: {} };
  stryker.currentTestId = undefined;
  globals.jest.useRealTimers();
  globals.jest.restoreAllMocks();
  circus.resetState();
  const state = circus.getState();
  state.testTimeout = HOOK_LIMIT_MS;
  require(tree + file);
  stryker.currentTestId = "hooks";
  select([...testsOf(state.rootDescribeBlock)], step.tests);
  const { unhandledErrors } = await circus.run();
  for (const error of unhandledErrors) failWildly(error);
  if (order.isCounting) {
    say("covered", { onLoad: Object.keys(stryker.mutantCoverage.static), inHooks: coveredBy("hooks") });
  }
  for (const [i, { prototype }] of SHARED.entries()) restore(prototype, before[i]);
}

function select(tests, selected) {
  for (const [index, test] of tests.entries()) {
    // One after the other, or it would not be seen what each of them covers.
    test.concurrent = false;
    if (test.mode === "skip" || test.mode === "todo") continue;
    if (selected && !(index in selected)) test.mode = "skip";
    else indexOf.set(test, index);
    if (selected) test.timeout = selected[index];
  }
}

function* testsOf(block) {
  for (const child of block.children) {
    if (child.type === "test") yield child;
    else yield* testsOf(child);
  }
}

function forgetModules() {
  for (const name of Object.keys(require.cache)) if (name.startsWith(tree)) delete require.cache[name];
  module.children.length = 0;
}

function restore(prototype, descriptors) {
  for (const name of Reflect.ownKeys(prototype)) if (!(name in descriptors)) delete prototype[name];
  Object.defineProperties(prototype, descriptors);
}
