// npm run test:frameworks -- [--short] [--only TEXT]... [--check] [--list]
//
// Runs the recipes of docs/frameworks.md, each with its real packages, and plays the checks over raw sockets. A run of
// everything writes the page. Exit code 1 where a recipe does not pass a check that it should.
//
//   --short   without NestJS, Next.js, Apollo Server, Bun, Deno and the larger upload stacks
//   --only    what has this in its name
//   --check   writes nothing; exit code 1 where the page says something else than this run found
//   --list    prints the names and the recipes, and runs nothing
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { differences, pageOf, withFiles } from "./suite/page.mjs";
import { chosenOf, SECTIONS } from "./suite/sections.mjs";

const PAGE = new URL("../../docs/frameworks.md", import.meta.url);
/** Written by hand, but for the files that it shows. */
const TESTING = new URL("../../docs/testing-your-app.md", import.meta.url);

const { values } = parseArgs({
  options: {
    short: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    check: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
  },
});

const chosen = chosenOf(values);
if (chosen.length === 0) throw new Error(`nothing has ${values.only.join(" or ")} in its name`);
if (values.list) for (const { name, recipe } of chosen) console.log(`${name}\t${recipe}`);
else await runChosen();

async function runChosen() {
  const { prepare } = await import("./suite/place.mjs");
  const { play } = await import("./suite/play.mjs");
  prepare(chosen.some(({ isShort }) => !isShort));
  const rows = await inParallel(chosen, 2, async (setup) => {
    const since = performance.now();
    const row = await play(setup);
    tell(row, (performance.now() - since) / 1000);
    return row;
  });
  const isWhole = chosen.length === SECTIONS.flatMap(({ setups }) => setups).length;
  const skipped = rows.filter((row) => row.skipped);
  const failed = rows.filter(({ faults }) => faults.length > 0);
  const isWritten = isWhole && !values.check && failed.length === 0;
  const stale = isWritten ? [] : differences(await readFile(PAGE, "utf8").catch(() => ""), rows);
  if (isWritten) {
    await writeFile(PAGE, await pageOf(rows));
    await writeFile(TESTING, await withFiles(await readFile(TESTING, "utf8"), "doubles"));
  }
  if (values.check) for (const text of stale) console.log(`docs/frameworks.md: ${text}`);
  const wrong = failed.length + (values.check ? stale.length : 0);
  for (const { name, skipped: reason } of skipped) console.log(`skipped: ${name}: ${reason}`);
  console.log(
    `Frameworks: ${rows.length - skipped.length - failed.length} passed, ${wrong} failed, ${skipped.length} skipped`,
  );
  process.exitCode = wrong === 0 ? 0 : 1;
}

function tell({ name, version, faults, skipped }, seconds) {
  if (skipped) return;
  console.log(`${faults.length === 0 ? "" : "FAILED: "}${name}, ${version} (${seconds.toFixed(1)} s)`);
  for (const fault of faults) console.log(`  ${fault}`);
}

/** Calls `job` for each item, `width` at the same time; returns the results in the items' order. */
async function inParallel(items, width, job) {
  const results = [];
  const rest = items.entries();
  const work = async () => {
    for (const [i, item] of rest) results[i] = await job(item);
  };
  await Promise.all(Array.from({ length: width }, work));
  return results;
}
