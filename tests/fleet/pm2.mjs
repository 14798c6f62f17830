// node tests/fleet/pm2.mjs [--uploads N]
//
// `pm2 reload` of a cluster of two workers with a quota and places in Redis, while uploads are under way. No upload may be
// lost, and the quota and the places must be exact at the end. Exit code 1 otherwise. Needs `npm run build` and Debian's
// redis-server.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { freePort } from "../helpers/ports.cjs";
import { countOption, end, INSTANCE, kill, reasonToSkip, startRedis } from "./fleet.mjs";
import { Load, PLACES } from "./load.mjs";

const count = countOption();
reasonToSkip("redis-server");

const WORKERS = 2;
const ANNOUNCE_MS = 500;
const RELOAD_MS = 5_000;
// The command takes its time before it tells the first worker.
const LONG_MS = 4_000;
const PM2 = fileURLToPath(new URL("../../node_modules/pm2/bin/pm2", import.meta.url));

const folder = mkdtempSync(join(tmpdir(), "expectations-pm2-"));
const out = join(folder, "out.log");
const run = promisify(execFile);
// Its daemon, its sockets and its logs are in this folder.
const env = { ...process.env, PM2_HOME: join(folder, "pm2"), PM2_DISABLE_VERSION_CHECK: "true" };
const pm2 = (...args) => run(process.execPath, [PM2, ...args], { env, timeout: 60_000 });

const load = new Load(count, 1, LONG_MS);
const redisPort = await freePort();
const port = await freePort();
const url = `http://127.0.0.1:${port}`;
const redisServer = await startRedis(redisPort, folder);
const redis = new Redis({ host: "127.0.0.1", port: redisPort });
try {
  const options = { port, redisPort, budget: load.budget, places: PLACES, announceMs: ANNOUNCE_MS };
  const file = join(folder, "ecosystem.config.json");
  writeFileSync(file, JSON.stringify({ apps: [app(options)] }));
  await pm2("start", file);
  const others = load.beginOthers(url, RELOAD_MS);
  await load.beginAstride(url);
  const begunAt = performance.now();
  await pm2("reload", "fleet");
  const lines = readFileSync(out, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const sum = (event, key) => lines.filter((line) => line.event === event).reduce((n, line) => n + line[key], 0);
  const [judged, read] = [sum("draining", "judged"), sum("draining", "read")];
  const drained = lines.filter(({ event }) => event === "drained").length;
  console.log(
    `reload, ${Math.round(performance.now() - begunAt)} ms: ${judged} handshakes pending and ${read} uploads in progress, ${sum("drained", "refusedUploads")} refused, ${sum("drained", "cutConnections")} cut`,
  );
  load.check(drained === WORKERS, `${drained} of ${WORKERS} workers were drained`);
  load.check(judged > 0, "the reload came without a pending handshake");
  load.check(read > 0, "the reload came without an upload in progress");
  await others;
  await load.end(url, redis);
} finally {
  await pm2("kill");
  await redis.quit();
  await kill(redisServer);
  rmSync(folder, { recursive: true, force: true });
}
end(load.faults);

function app(options) {
  return {
    name: "fleet",
    script: INSTANCE,
    exec_mode: "cluster",
    instances: WORKERS,
    // A new worker takes over when it has sent "ready", and an old one has this long to end.
    wait_ready: true,
    kill_timeout: 60_000,
    env: { FLEET: JSON.stringify(options) },
    out_file: out,
    error_file: out,
    merge_logs: true,
  };
}
