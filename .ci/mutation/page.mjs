// docs/mutation.md, from the results of the last `--write` and the reasons.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const RESULTS = join(import.meta.dirname, "results.json");
const REASONS = join(import.meta.dirname, "reasons.json");
const PAGE = resolve(import.meta.dirname, "../../docs/mutation.md");

/** Reasons by the key of a change. reasons.json has the keys by their reason. */
const reasons = new Map(
  Object.entries(JSON.parse(readFileSync(REASONS, "utf8"))).flatMap(([why, keys]) => keys.map((key) => [key, why])),
);

/** Names a change in words that stay true when lines move. */
export function keyOf({ file, within, change }) {
  return `${file} ${within}: ${change}`;
}

/** Begins what is missing, in place of a reason. */
const OPEN = "Open: ";

/** Whether there is a reason why a change that no test notices does not matter. */
export function isExplained(mutant) {
  return reasons.get(keyOf(mutant))?.startsWith(OPEN) === false;
}

/** The results of the last `--write`, by room. */
export function readResults() {
  return existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, "utf8")) : {};
}

/** Keeps results. */
export function writeResults(results) {
  writeFileSync(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
}

/** A part of a whole, for people. */
export function percent(part, whole) {
  return `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`;
}

/** Writes the page. */
export function writePage(results) {
  const rooms = Object.entries(results);
  const sections = rooms.filter(([, { unnoticed }]) => unnoticed.length > 0).map(sectionOf);
  writeFileSync(PAGE, `${HEAD}\n${tableOf(rooms)}\n${FOOT}\n${sections.join("\n")}`);
}

const HEAD = `# What the tests do not notice

\`npm run mutation\` changes one place of a room in \`src/\`, such as a comparison, a condition or a text, and runs tests that reach this place. A change that fails no test shows code without a test, code that has no effect, or a change that makes no difference. This page lists all of these changes. The last \`npm run mutation -- --write\` wrote it.

| room | changes | tried | seconds of tests | noticed | of these by time | explained below | noticed or explained |
| --- | --: | --: | --: | --: | --: | --: | --: |`;

const FOOT = `
- **Changes** are all that [Stryker](https://stryker-mutator.io) makes in a room. Texts of messages are among them.
- **Tried** is a sample if a room has too many changes. The order is drawn with a seed, and the first ones are tried.
- **Noticed** is a change with which a test fails twice, the second time alone, and without which this test passes right behind.
- **By time** means that the test did not end within 3 seconds and four times its usual time.
- **Seconds of tests** is what the tests of one change may take together, without the change (\`--seconds\`). Those that take least come first.
- \`http/\` and \`policies/\` are judged by \`tests/unit\`, the other rooms by \`tests/wire\` as well. Properties have 25 cases. Other tests may notice a change of this list: more cases, other lines of Node, real clients.

| command | what it does |
| --- | --- |
| \`npm run mutation\` | all changes of all rooms; hours. \`.ci/full\` runs \`http\` and \`policies\` whole, and \`--sample 35\` of the others |
| \`npm run mutation -- http policies\` | all changes of two rooms; a quarter of an hour |
| \`npm run mutation -- server --sample 100 --seed 2\` | 100 others |
| \`npm run mutation -- --minutes 15\` | what can be tried in 15 minutes for each room |
| \`npm run mutation -- --again --seconds 200\` | those of this page without a reason, with more tests |
| \`npm run mutation -- ROOM --write\` | writes the room's part of this page |

The reasons are in \`.ci/mutation/reasons.json\`. A reason that begins with "Open" says what is missing, and does not count. The command fails if less than 85 % of a room's changes are noticed or explained.
`;

function tableOf(rooms) {
  const rows = rooms.map(([room, { total, tried, seconds, noticed, late, unnoticed }]) => {
    const explained = unnoticed.filter(isExplained).length;
    const cells = [total, tried, seconds, `${noticed} (${percent(noticed, tried)})`, late, explained];
    return `| [\`${room}/\`](#${room}) | ${cells.join(" | ")} | ${percent(noticed + explained, tried)} |`;
  });
  return rows.join("\n");
}

function sectionOf([room, { unnoticed }]) {
  const files = grouped(unnoticed, ({ file }) => file);
  return `## ${room}\n\n${[...files].map(fileOf).join("\n")}`;
}

function fileOf([file, unnoticed]) {
  const byReason = grouped(unnoticed, (one) => reasons.get(keyOf(one)) ?? `${OPEN}nobody has looked at it yet.`);
  const parts = [...byReason].map(([why, changes]) => `${why}\n\n${changes.map(lineOf).join("\n")}\n`);
  return `### ${file}\n\n${parts.join("\n")}`;
}

function lineOf({ line, within, change, isReached }) {
  return `- line ${line}, \`${within}\`: ${code(change)}${isReached ? "" : " (no test runs it)"}`;
}

// A code span may hold backticks if its own are more.
function code(text) {
  return text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``;
}

function grouped(list, keyOf) {
  const groups = new Map();
  for (const one of list) {
    const key = keyOf(one);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return groups;
}
