// npm run test:clients -- [--short] [--only TEXT] [--runs N] [--parallel N] [--check] [--doc FILE]
//
// Takes an Express app on the package through every client that is here, and writes what came out to docs/clients.md.
// --short: fewer clients, 2 runs. --only: the modes whose name contains TEXT. With either of them, or with --check,
// nothing is written: what the page claims has to be what this run sees. Exit code 1 where a client does not see what
// it should and it is no named exception, or where the page claims something else.
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { release, tmpdir, type } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CLIENTS } from "./suite/catalogue.mjs";
import { MissingError } from "./suite/driver.mjs";
import { measure } from "./suite/measure.mjs";
import { startServer } from "./suite/server.mjs";
import { differences, faultsOf, page } from "./suite/table.mjs";

const { values } = parseArgs({
  options: {
    short: { type: "boolean", default: false },
    only: { type: "string" },
    runs: { type: "string" },
    parallel: { type: "string", default: "6" },
    check: { type: "boolean", default: false },
    doc: { type: "string", default: fileURLToPath(new URL("../../docs/clients.md", import.meta.url)) },
  },
});
const runs = Number(values.runs ?? (values.short ? 2 : 20));
const checks = values.check || values.short || values.only !== undefined;
const MIB = 2 ** 20;
/** More than the socket buffers hold, and less. */
const SIZES = [16 * MIB, 3 * MIB];
const NEXT_SIZE = 64 * 1024;

function makeContent(folder, bytes) {
  const content = randomBytes(bytes);
  const file = join(folder, `content-${bytes}`);
  writeFileSync(file, content);
  return { file, bytes, sha256: createHash("sha256").update(content).digest("hex") };
}

function platform() {
  try {
    return /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync("/etc/os-release", "utf8"))[1];
  } catch {
    return `${type()} ${release()}`;
  }
}

/** Calls `job` for each of `items`, at most `width` at the same time; answers in their order. */
async function pool(items, width, job) {
  const results = [];
  const rest = items.entries();
  const work = async () => {
    for (const [i, item] of rest) results[i] = await job(item);
  };
  await Promise.all(Array.from({ length: width }, work));
  return results;
}

const chosen = CLIENTS.flatMap(({ debian, modes }) => modes.map((mode) => ({ debian, mode })))
  .filter(({ mode }) => !values.short || mode.isShort)
  .filter(({ mode }) => values.only === undefined || mode.name.includes(values.only));
if (chosen.length === 0) throw new Error(`no client's name contains ${JSON.stringify(values.only)}`);
if (!(runs >= 1)) throw new Error("--runs takes a number, 1 or more");

const folder = mkdtempSync(join(tmpdir(), "expectations-clients-"));
const contents = SIZES.map((bytes) => makeContent(folder, bytes));
const next = makeContent(folder, NEXT_SIZE);
const server = await startServer();

async function take({ debian, mode }) {
  const since = performance.now();
  try {
    const row = await measure(mode, { server, contents, next, folder, runs, isTimed: !checks });
    const faults = faultsOf(row);
    const seconds = ((performance.now() - since) / 1000).toFixed(0);
    console.log(`${mode.name}, ${row.version}: ${faults.length === 0 ? "as it should" : "FAILED"} (${seconds} s)`);
    for (const fault of faults) console.log(`  ${fault}`);
    return { ...row, faults };
  } catch (error) {
    if (!(error instanceof MissingError)) throw error;
    const from = debian ? `; Debian's packages: ${debian}` : "";
    console.log(`${mode.name}: skipped: ${error.message}${from}`);
    return { name: mode.name, skipped: `${error.message}${from}`, faults: [] };
  }
}

const rows = await pool(chosen, Number(values.parallel), take);
server.stop();
rmSync(folder, { recursive: true, force: true });

const stale = checks ? differences(readFileSync(values.doc, "utf8"), rows) : [];
for (const text of stale) console.log(`docs: ${text}`);
if (!checks) {
  const sizes = SIZES.map((bytes) => `${bytes / MIB} MiB`).join(" and ");
  writeFileSync(values.doc, page(rows, { runs, sizes, platform: `${platform()}, Node ${process.versions.node}` }));
  console.log(`written: ${values.doc}`);
}

const skipped = rows.filter((row) => row.skipped);
const failed = rows.filter(({ faults }) => faults.length > 0);
for (const { name, skipped: reason } of skipped) console.log(`skipped: ${name}: ${reason}`);
const passed = rows.length - skipped.length - failed.length;
console.log(`Tests: ${passed} passed, ${failed.length} failed, ${skipped.length} skipped, ${runs} runs each`);
process.exit(failed.length > 0 || stale.length > 0 ? 1 : 0);
