// npm run test:tracers -- [--short] [--only TEXT]... [--check] [--list]
//
// Runs an application under tracers, without this package and with it, and compares the spans. A run of everything
// writes the table of docs/metrics-and-tracing.md. Exit code 1 where a handler does not run once, or a span differs.
//
//   --short   OpenTelemetry's HTTP instrumentation alone, from the packages of this repository
//   --only    tracers with this in their name
//   --check   writes nothing; exit code 1 where the page says something else than this run found
//   --list    prints the names, and runs nothing
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { LOADINGS, tracersOf } from "./suite/catalogue.mjs";
import { differences, withTable } from "./suite/page.mjs";
import { prepare } from "./suite/place.mjs";
import { play } from "./suite/play.mjs";

const PAGE = new URL("../../docs/metrics-and-tracing.md", import.meta.url);

const { values } = parseArgs({
  options: {
    short: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    check: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
  },
});

const isChosen = ({ name }) =>
  values.only.length === 0 || values.only.some((part) => name.toLowerCase().includes(part.toLowerCase()));
const chosen = tracersOf(values.short).filter(isChosen);
if (chosen.length === 0) throw new Error(`no tracer has ${values.only.join(" or ")} in its name`);
if (values.list) for (const { name } of chosen) console.log(name);
else await runChosen();

async function runChosen() {
  const places = new Map([...new Set(chosen.map(({ place }) => place))].map((place) => [place, prepare(place)]));
  const rows = [];
  for (const tracer of chosen) {
    for (const loading of LOADINGS) {
      const row = await play(tracer, loading, places.get(tracer.place));
      tell(row);
      rows.push(row);
    }
  }
  const failed = rows.filter(({ faults }) => faults.length > 0);
  const skipped = rows.filter((row) => row.skipped);
  const page = await readFile(PAGE, "utf8");
  const isWhole = !values.short && values.only.length === 0 && skipped.every(({ isMeant }) => isMeant);
  if (isWhole && !values.check && failed.length === 0) await writeFile(PAGE, withTable(page, rows));
  const stale = values.check ? differences(page, rows) : [];
  for (const text of stale) console.log(`docs/metrics-and-tracing.md: ${text}`);
  const wrong = failed.length + stale.length;
  console.log(
    `Tracers: ${rows.length - skipped.length - failed.length} passed, ${wrong} failed, ${skipped.length} skipped`,
  );
  process.exitCode = wrong === 0 ? 0 : 1;
}

function tell({ name, title, cells, faults, skipped }) {
  const state = faults.length > 0 ? "FAILED: " : skipped ? "skipped: " : "";
  console.log(`${state}${name}, ${title}: ${skipped ?? Object.values(cells).join(", ")}`);
  for (const fault of faults) console.log(`  ${fault}`);
}
