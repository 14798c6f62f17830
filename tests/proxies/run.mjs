// npm run test:proxies -- [--short] [--only NAME]... [--runs N] [--check] [--list]
//
// Puts real reverse proxies in front of an attached app and plays uploads through them. A run of everything writes
// docs/proxies.md. Exit code 1 where a proxy does not start or its best configuration loses or damages something.
//
//   --short   nginx, HAProxy, Apache, ModSecurity and Caddy alone
//   --only    set-ups with this in their name
//   --runs    how often each exchange is played: 20
//   --check   writes nothing; exit code 1 where docs/proxies.md says something else than this run found
//   --list    prints the names of the set-ups and their files, and plays nothing
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { pageOf } from "./suite/page.mjs";
import { isBest, SETUPS, SHORT } from "./suite/setups.mjs";
import { differences } from "./suite/table.mjs";

const PAGE = new URL("../../docs/proxies.md", import.meta.url);

// Where Debian has most of the programs, and not every user's PATH.
process.env.PATH += ":/usr/sbin";

const { values } = parseArgs({
  options: {
    short: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    runs: { type: "string", default: "20" },
    check: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
  },
});
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs is a count, not ${values.runs}`);

const setups = SETUPS.filter(isChosen);
if (setups.length === 0) throw new Error(`no set-up has ${values.only.join(" or ")} in its name`);

if (values.list) listChosen();
else await playChosen();

function listChosen() {
  for (const { name, hops } of setups) console.log([name, ...hops.flatMap(({ files }) => files)].join("\t"));
}

function isChosen({ name, hops }) {
  if (values.short && !hops.every(({ program }) => SHORT.has(program))) return false;
  return values.only.length === 0 || values.only.some((part) => name.toLowerCase().includes(part.toLowerCase()));
}

async function playChosen() {
  // The package must be built for this, and for nothing else here.
  const { playAll } = await import("./suite/play.mjs");
  const results = [];
  let since = performance.now();
  for await (const result of playAll(setups, runs)) {
    results.push(result);
    report(result, (performance.now() - since) / 1000);
    since = performance.now();
  }
  const isWhole = setups.length === SETUPS.length;
  const failures = results.filter(isFailure);
  const page = isWhole && !values.check ? undefined : await readFile(PAGE, "utf8").catch(() => "");
  const found = values.check ? differences(page, results) : [];
  for (const difference of found) console.log(`docs/proxies.md: ${difference}`);
  // A run that failed is nothing to tell about.
  if (page === undefined && failures.length === 0) await writeFile(PAGE, pageOf(results, runs));
  const skipped = results.filter((result) => result.skipped).length;
  const failed = failures.length + found.length;
  console.log(`Proxies: ${results.length - failures.length - skipped} passed, ${failed} failed, ${skipped} skipped`);
  process.exitCode = failed === 0 ? 0 : 1;
}

function isFailure({ setup, claims, skipped }) {
  if (skipped) return false;
  return claims === undefined || ((isBest(setup) || setup.kind === "chain") && claims.verdict === "avoid");
}

function report(result, seconds) {
  const { setup, claims, skipped, error } = result;
  if (skipped) {
    console.log(`skipped: ${setup.name}: ${skipped}`);
    return;
  }
  console.log(
    `${isFailure(result) ? "FAILED: " : ""}${setup.name}: ${claims?.verdict ?? error} (${seconds.toFixed(1)} s)`,
  );
  if (claims?.verdict === "avoid") console.log(`  ${JSON.stringify(claims)}`);
}
