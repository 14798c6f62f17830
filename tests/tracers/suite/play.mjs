// One tracer, loaded in one way: runs the application without this package and with it, and compares.
import { isDeepStrictEqual } from "node:util";
import { Exchange } from "../../frameworks/suite/exchange.mjs";
import { Program } from "../../frameworks/suite/program.mjs";
import { patiently } from "../../helpers/patience.mjs";
import { Collector } from "./collector.mjs";
import { versionOf } from "./place.mjs";

/** Some tracers connect first, and send once in a while. */
const SPANS_MS = 20_000;

/** @returns a row of the table: `{ name, title, version, cells, faults }`, or one with `skipped`, the reason. */
export async function play(tracer, loading, programs) {
  const version = versionOf(tracer.package, programs);
  const row = { name: tracer.name, title: loading.title, version, cells: {}, faults: [] };
  const isMeant = tracer.unsupported?.[loading.id] !== undefined;
  const skipped = tracer.unsupported?.[loading.id] ?? whyNot(tracer, version);
  if (skipped) return { ...row, skipped, isMeant };
  try {
    const runs = {};
    for (const mode of ["without", "route", "bare", "guard"]) {
      runs[mode] = await run(tracer, loading, programs, mode);
    }
    return { ...row, ...judged(runs) };
  } catch (error) {
    return { ...row, faults: [error.stack] };
  }
}

function whyNot({ package: name, needs }, version) {
  if (version === undefined) return `${name} is not installed`;
  const [major] = process.versions.node.split(".");
  return Number(major) < needs ? `needs Node ${needs}` : undefined;
}

async function run(tracer, { id, program: file }, programs, mode) {
  const collector = await Collector.start();
  const isOurs = mode === "route" || mode === "guard";
  const env = {
    ...tracer.env(collector),
    MODE: mode,
    ...(id === "late" ? { LATE: tracer.late } : {}),
    ...(isOurs ? { RECORD: "yes" } : {}),
  };
  const flags = id === "late" ? [] : tracer[id];
  let program;
  try {
    program = await Program.start([process.execPath, ...flags, file], { cwd: programs, env });
    const played = await exchanges(program.port, mode !== "bare");
    await allSpans(collector, program.port);
    const fault = program.faultOf();
    if (fault) throw new Error(fault);
    const spans = collector.spans.filter(({ path }) => path !== "/end");
    return { ...played, spans };
  } finally {
    await program?.stop();
    await collector.close();
  }
}

const put = (name, length, ...fields) =>
  [`PUT /files/${name} HTTP/1.1`, "Host: test", `Content-Length: ${length}`, ...fields, "", ""].join("\r\n");
const EXPECT = "Expect: 100-continue";

/** @returns how often the handler ran for each upload, and which statuses came. */
async function exchanges(port, hasRefusal) {
  const eager = await played(port, async (wire) => wire.send(put("eager", 5), "hello"));
  const waits = await played(port, async (wire) => {
    wire.send(put("waits", 5, EXPECT));
    await wire.until(() => wire.statuses.includes(100));
    wire.send("hello");
    await wire.final();
    // The connection goes on.
    wire.send("GET /next HTTP/1.1\r\nHost: test\r\n\r\n");
    await wire.final(2);
  });
  const large = hasRefusal ? [await played(port, async (wire) => wire.send(put("large", 2000, EXPECT)))] : [];
  const all = [eager, waits, ...large];
  const stored = [eager, waits].map(({ responses }) => responses.find(({ status }) => status === 201));
  const isOnce = stored.every((response) => String(response?.headers.get("x-runs")) === "1");
  return { statuses: all.map(({ statuses }) => statuses), isOnce };
}

async function played(port, exchange) {
  const wire = await Exchange.open({ port });
  try {
    await exchange(wire);
    await wire.final();
    return { statuses: wire.statuses, responses: wire.responses };
  } finally {
    wire.close();
  }
}

// Tracers send spans in the order of their ends: behind two marks there is none to come.
async function allSpans(collector, port) {
  const marks = () => collector.spans.filter(({ isServer, path }) => isServer && path === "/end").length;
  for (const count of [1, 2]) {
    await played(port, async (wire) => wire.send("GET /end HTTP/1.1\r\nHost: test\r\n\r\n"));
    const isSeen = await patiently(() => marks() >= count, SPANS_MS);
    if (!isSeen) throw new Error("the tracer has not sent the last span");
  }
}

const isOf = (path) => (span) => span.isServer && span.path === path;
const namesOf = ({ spans }) => spans.map(({ name, status }) => `${name} ${status || ""}`).sort();

function judged({ without, route, bare, guard }) {
  const large = isOf("/files/large");
  const handed = { ...guard, spans: guard.spans.filter((span) => !large(span)) };
  const pairs = [
    [without, route],
    [bare, handed],
  ];
  const faults = [];
  for (const { statuses } of [route, guard]) {
    if (!isDeepStrictEqual(statuses, [[201], [100, 201, 200], [413]]))
      faults.push(`statuses ${JSON.stringify(statuses)}`);
  }
  const isSame = pairs.every(([before, after]) => isDeepStrictEqual(namesOf(before), namesOf(after)));
  const cells = {
    once: [route, guard].every(({ isOnce }) => isOnce) ? "yes" : "no",
    same: isSame ? "yes" : "no",
    refused: seen(route.spans.filter(large)),
    refusedByAttach: seen(guard.spans.filter(large)),
  };
  if (cells.once === "no") faults.push("the handler did not run exactly once");
  if (!isSame) faults.push(...pairs.map(([before, after]) => `without: ${namesOf(before)}; with: ${namesOf(after)}`));
  return { cells, faults };
}

function seen(spans) {
  if (spans.length > 1) return `${spans.length} spans`;
  const [span] = spans;
  if (!span) return "no";
  return span.status === 413 ? "yes" : `status ${span.status}`;
}
