// Which tests run for a change, in which order.

/** Quick tests run before those that wait for something. */
const QUICK_MS = 150;
/** What the first look at a file may take. Most files repeat each test on several kinds of server. */
const FIRST_LOOK_MS = 300;
/** Loading a file. */
const FILE_MS = 50;

/** Plans the tests of changes, and learns which files notice changes of which source. */
export class Plan {
  #covers;
  #mostMs;
  #fileOf;
  #kills = new Map();

  /**
   * @param covers - as coverageOf() returns.
   * @param mostMs - the time that the tests of one change may take together, by what they take without a change.
   */
  constructor(mutants, covers, mostMs) {
    this.#covers = covers;
    this.#mostMs = mostMs;
    this.#fileOf = new Map(mutants.map(({ id, file }) => [id, file]));
  }

  /** Returns lists of `{ file, tests }` to run together, the best first; none if no test runs the changed code. */
  for({ id, file: source }) {
    const isOnLoad = this.#covers.some(({ onLoad }) => onLoad.includes(id));
    const covers = this.#reaching(id, source, isOnLoad);
    const ranked = (from, isIn, choose = (tests) => tests) => {
      const steps = from.map(({ file, tests }) => ({ file, tests: choose(tests.filter((test) => isIn(file, test))) }));
      return this.#ranked(source, steps);
    };
    const isQuick = (_, { ms }) => ms < QUICK_MS;
    const isQuickUnit = (file, test) => isQuick(file, test) && file.startsWith("tests/unit/");
    const isAny = () => true;
    const some = ranked(covers, isQuick, someOf);
    return this.#affordable([
      ranked(covers, isQuickUnit),
      // What a module makes when it is loaded may be used by any test.
      ranked(isOnLoad ? this.#covers : [], isQuickUnit),
      some.slice(0, 3),
      some,
      ranked(covers, isAny, someOf),
      ranked(covers, isAny),
    ]);
  }

  /** Notes that a test file has noticed a change of a source file. */
  note(source, file) {
    const key = `${source} ${file}`;
    this.#kills.set(key, (this.#kills.get(key) ?? 0) + 1);
  }

  // Those that run the changed code; if that runs when its module is loaded, those that run code of the module.
  #reaching(id, source, isOnLoad) {
    const isReached = ({ covered }) =>
      covered.includes(id) || (isOnLoad && covered.some((other) => this.#fileOf.get(other) === source));
    return this.#covers.map(({ file, tests }) => ({ file, tests: tests.filter(isReached) }));
  }

  #ranked(source, steps) {
    const killsOf = ({ file }) => this.#kills.get(`${source} ${file}`) ?? 0;
    const worth = new Map(steps.map((step) => [step, (1 + killsOf(step)) / timeOf(step.tests)]));
    return steps.toSorted((a, b) => worth.get(b) - worth.get(a));
  }

  // Each test once, as long as there is time.
  #affordable(stages) {
    const planned = new Set();
    let leftMs = this.#mostMs;
    const affordable = stages.map((steps) =>
      steps
        .map(({ file, tests }) => {
          const chosen = tests.toSorted(byTime).filter((test) => {
            if (planned.has(test) || leftMs <= 0) return false;
            planned.add(test);
            leftMs -= test.ms;
            return true;
          });
          if (chosen.length > 0) leftMs -= FILE_MS;
          return { file, tests: chosen };
        })
        .filter(({ tests }) => tests.length > 0),
    );
    return affordable.filter((steps) => steps.length > 0);
  }
}

function byTime(a, b) {
  return a.ms - b.ms;
}

function timeOf(tests) {
  return tests.reduce((sum, { ms }) => sum + ms, FILE_MS);
}

/** Tests from all over a file. */
function someOf(tests) {
  const each = Math.ceil(timeOf(tests) / FIRST_LOOK_MS);
  return tests.filter((_, i) => i % each === 0);
}
