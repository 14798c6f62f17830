// Which tests run the code of which change, and how long each test takes: one run of all tests without a change.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { hashOf, TREE } from "./tree.mjs";

const repository = resolve(import.meta.dirname, "../..");
const CACHE = join(repository, ".stryker-tmp/coverage");

/** Test files that this way of running tests has no use for, or that are no use in it. */
const LEFT_OUT = [
  // The tests are in other processes, where no change is switched on.
  "tests/wire/opentelemetry.test.js",
  // Changes the classes of node:http when the package is loaded, which is once here.
  "tests/wire/restify.test.js",
];

/** The test files of folders, or files that are named. */
export function testFilesOf(folders) {
  const all = folders.flatMap((folder) => {
    if (folder.endsWith(".ts")) return [folder.replace(/\.ts$/, ".js")];
    const names = readdirSync(join(TREE, folder), { recursive: true });
    return names.filter((name) => name.endsWith(".test.js")).map((name) => join(folder, name));
  });
  return [...new Set(all)].filter((file) => !LEFT_OUT.includes(file)).sort();
}

/**
 * Runs all tests once.
 *
 * @returns a list of `{ file, tests, onLoad }`; a test has `index`, `ms` and `covered`, the ids of the changes in code that
 *   it runs. `onLoad` are those in code that runs when a module is loaded. Tests that fail are left out.
 */
export async function coverageOf(files, sources, workers, say) {
  mkdirSync(CACHE, { recursive: true });
  const helpers = readdirSync(join(TREE, "tests/helpers")).sort();
  const common = hashOf([sources, ...helpers.map((name) => read(join("tests/helpers", name)))]);
  const covers = [];
  for (const file of files) {
    const cached = join(CACHE, `${hashOf([common, file, read(file)])}.json`);
    if (!existsSync(cached)) writeFileSync(cached, JSON.stringify(await cover(file, workers, say)));
    covers.push(JSON.parse(readFileSync(cached, "utf8")));
  }
  return covers;
}

async function cover(file, workers, say) {
  const order = { files: [{ file }], isCounting: true, goesOn: true };
  const { passed, failed, covered } = await workers.run(order, { isFresh: true });
  for (const { index, message } of failed) say(`left out, fails without a change: ${file}, test ${index}: ${message}`);
  const bad = new Set(failed.map(({ index }) => index));
  const { onLoad = [], inHooks = [] } = covered[0] ?? {};
  const tests = passed.filter(({ index }) => !bad.has(index));
  return {
    file,
    tests: tests.map((test) => ({
      index: test.index,
      ms: test.ms,
      covered: [...new Set([...test.covered, ...inHooks])],
    })),
    onLoad,
  };
}

// Of the copy: the tests themselves may be changed meanwhile.
function read(path) {
  return readFileSync(join(TREE, path), "utf8");
}
