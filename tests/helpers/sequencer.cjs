// The order of test files: the longest first, so that no worker is left with one of them at the end.
const { default: Sequencer } = require("@jest/test-sequencer");

// In which jest itself would guess by the size of a file, where it has not run it before: these wait for programs.
const LONG = ["package/", "browser/", "clients/", "examples/", "probe/", "redis/", "wire/time", "wire/logging"];

class LongestFirst extends Sequencer {
  sort(tests) {
    const rankOf = ({ path }) => {
      const rank = LONG.findIndex((part) => path.includes(`/tests/${part}`));
      return rank < 0 ? LONG.length : rank;
    };
    return super.sort(tests).sort((a, b) => (a.duration && b.duration ? 0 : rankOf(a) - rankOf(b)));
  }
}

module.exports = LongestFirst;
