// Starts the proxies of tests/proxies/suite for tests that cannot import it.
//
//   node proxies-start.mjs --list
//     prints the set-ups as they come and as they are best, as JSON: what docs/proxies.md says of each, and why it
//     cannot be started here
//   node proxies-start.mjs NAME ORIGIN ADMISSION-NGINX ADMISSION-VERBATIM
//     starts the one of this name before these ports, prints its own, and stops it at the end of the standard input
//   node proxies-start.mjs --file PROGRAM FILE ORIGIN ADMISSION-NGINX ADMISSION-VERBATIM
//     the same for a configuration file
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PROGRAMS, RunningProxy, versionOf } from "../proxies/suite/programs.mjs";
import { isBest, ROOT, SETUPS } from "../proxies/suite/setups.mjs";
import { readTable } from "../proxies/suite/table.mjs";

// Where Debian has most of the programs, and not every user's PATH.
process.env.PATH += ":/usr/sbin";

const PROXIES = new Set(["nginx", "Apache", "ModSecurity", "HAProxy", "Caddy", "Squid", "Varnish", "lighttpd"]);
const setups = SETUPS.filter(
  ({ kind, hops: [hop] }) => PROXIES.has(hop.program) && kind !== "other" && kind !== "chain",
);

const [name, ...ports] = process.argv.slice(2);
if (name === "--list") process.stdout.write(JSON.stringify(listed()));
else if (name === "--file") await runFile(...ports);
else await run(name, ...ports.map(Number));

function listed() {
  const page = readFileSync(join(ROOT, "docs/proxies.md"), "utf8");
  const [, , ...titles] = page
    .match(/^\| configuration .*$/m)[0]
    .slice(2, -2)
    .split(" | ");
  const rows = readTable(page);
  return setups.map((setup) => {
    const [, ...cells] = rows.get(setup.name);
    return {
      name: setup.name,
      program: setup.hops[0].program,
      isBest: isBest(setup),
      claims: Object.fromEntries(titles.map((title, i) => [title, cells[i]])),
      missing: whyMissing(setup),
    };
  });
}

function whyMissing({ hops: [{ program }], needs }) {
  if (versionOf(program) === undefined) return `${PROGRAMS[program].package} is not installed`;
  return needs && !existsSync(needs.file) ? `${needs.package} is not installed` : undefined;
}

function run(name, origin, nginx, verbatim) {
  const [hop] = setups.find((setup) => setup.name === name).hops;
  const files = hop.files.map((file) => join(ROOT, file));
  const admission = hop.asks === "verbatim" ? verbatim : nginx;
  return serve({ ...hop, files }, { origin, admission });
}

function runFile(program, file, origin, nginx, verbatim) {
  const admission = Number(program === "nginx" ? nginx : verbatim);
  return serve({ program, files: [file] }, { origin: Number(origin), admission });
}

async function serve(hop, ports) {
  const proxy = await RunningProxy.start(hop, ports);
  process.stdout.write(`${proxy.port}\n`);
  process.stdin.resume();
  await once(process.stdin, "end");
  await proxy.stop();
}
