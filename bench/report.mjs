// How fast `report` reads, and in how much memory: `npm run build && node bench/report.mjs [MEGABYTES]`. It reads a log
// in which one line of a hundred is a refusal, and a log of refusals alone.
import { fork } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { messageOf } from "./children.mjs";
import { writeLog } from "./report-log.mjs";

const SELF = fileURLToPath(import.meta.url);
const LOGS = [
  { what: "1 % refusals", share: 0.01, least: 150 },
  { what: "refusals alone", share: 1, least: 45 },
];
const MOST_RSS_MB = 150;
const ROUNDS = 3;

// In a process of its own, so that its memory is its own. The program's folder: dist/cli unless told.
if (process.send) {
  const { main } = await import(new URL(`file://${process.argv[2]}/main.js`).href);
  const stdout = new Writable({ write: (_chunk, _encoding, done) => done() });
  const before = process.cpuUsage();
  const begun = performance.now();
  const code = await main(["report", "--json", process.argv[3]], {
    stdin: process.stdin,
    stdout,
    stderr: process.stderr,
    env: {},
  });
  const wall = (performance.now() - begun) / 1_000;
  const { user, system } = process.cpuUsage(before);
  process.send({ code, wall, cpu: (user + system) / 1e6, rss: process.resourceUsage().maxRSS / 1_024 });
  process.disconnect();
} else {
  const megabytes = Number(process.argv[2] ?? 1_000);
  const program = process.argv[3] ?? fileURLToPath(new URL("../dist/cli", import.meta.url));
  const folder = await mkdtemp(join(tmpdir(), "expectations-report-"));
  try {
    for (const log of LOGS) await run(log, megabytes, program, folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function run({ what, share, least }, megabytes, program, folder) {
  const log = join(folder, "app.log");
  const { bytes, lines } = await writeLog(log, megabytes * 1e6, share);
  console.log(`${what}: ${(bytes / 1e6).toFixed(0)} MB, ${lines} lines of ${(bytes / lines).toFixed(0)} bytes`);
  const rounds = [];
  for (let i = 0; i < ROUNDS; i++) rounds.push(await measure(program, log));
  for (const { wall, cpu, rss } of rounds) {
    console.log(`${rate(bytes, cpu)} MB a CPU second, ${rate(bytes, wall)} MB a second, peak ${rss.toFixed(0)} MB`);
  }
  const best = rate(bytes, Math.min(...rounds.map(({ cpu }) => cpu)));
  const rss = Math.max(...rounds.map((round) => round.rss));
  const misses = [
    ...(best < least ? [`fewer than ${least} MB a CPU second`] : []),
    ...(rss > MOST_RSS_MB ? [`more than ${MOST_RSS_MB} MB of memory`] : []),
  ];
  console.log(misses.length === 0 ? "fine" : misses.join(", "));
  if (misses.length > 0) process.exitCode = 1;
}

function rate(bytes, seconds) {
  return Math.round(bytes / 1e6 / seconds);
}

async function measure(program, log) {
  const result = await messageOf(fork(SELF, [program, log]));
  if (result.code !== 0) throw new Error(`report ended with ${result.code}`);
  return result;
}
