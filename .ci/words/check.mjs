// node .ci/words/check.mjs [--figures]
//
// The words of README, docs, examples and the command line: links and anchors, readability, spelling (cspell.json) and
// plain English (plain-words.mjs). A part of `npm run lint`. `--figures` prints the words and the reading ease of each page.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { linkFaults } from "./links.mjs";
import { repository } from "./pages.mjs";
import { proseFaults } from "./prose.mjs";
import { figures, readabilityFaults } from "./readability.mjs";

const { values } = parseArgs({ options: { figures: { type: "boolean", default: false } } });
if (values.figures) {
  for (const { path, ease, words } of figures())
    process.stdout.write(`${ease.toFixed(1).padStart(6)}  ${String(words).padStart(5)} words  ${path}\n`);
}

const spelling = spawn(
  process.execPath,
  [
    join(repository, "node_modules/cspell/bin.mjs"),
    "--config",
    ".ci/words/cspell.json",
    "--no-progress",
    "--no-summary",
  ],
  { cwd: repository, stdio: "inherit" },
);
const spelled = once(spelling, "close");
const faults = [...linkFaults(), ...readabilityFaults(), ...(await proseFaults())];
for (const fault of faults) process.stdout.write(`${fault}\n`);
const [code] = await spelled;
if (faults.length > 0 || code !== 0) process.exitCode = 1;
