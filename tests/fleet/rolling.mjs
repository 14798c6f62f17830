// node tests/fleet/rolling.mjs [--uploads N]
//
// A rolling restart: two instances of two workers each behind HAProxy, with a quota and places in Redis. Each instance
// is restarted while uploads are under way. No upload may be lost, and the quota and the places must be exact at the
// end. Exit code 1 otherwise. Needs `npm run build`, Debian's haproxy and redis-server.
import { Redis } from "ioredis";
import { countOption, end, Fleet, reasonToSkip } from "./fleet.mjs";
import { Load, PLACES } from "./load.mjs";

const count = countOption();
reasonToSkip("haproxy", "redis-server");

const WORKERS = 2;
const ANNOUNCE_MS = 1_000;
/** One restart of both instances for so many uploads. */
const UPLOADS_PER_ROUND = 250;
/** About how long one restart takes, in milliseconds. The uploads are spread over all of them. */
const RESTART_MS = 4_000;

const rounds = Math.max(1, Math.floor(count / UPLOADS_PER_ROUND));
const restarts = Array.from({ length: rounds }, () => ["first", "second"]).flat();
const load = new Load(count, restarts.length, ANNOUNCE_MS + 2_000);

const fleet = await Fleet.start({ workers: WORKERS, budget: load.budget, places: PLACES, announceMs: ANNOUNCE_MS });
const redis = new Redis({ host: "127.0.0.1", port: fleet.redisPort });
try {
  const others = load.beginOthers(fleet.url, restarts.length * RESTART_MS);
  for (const [i, name] of restarts.entries()) {
    await load.beginAstride(fleet.url);
    const restart = await fleet.restart(name);
    console.log(
      `restart ${i + 1}, ${name}, ${restart.tookMs} ms: ${restart.judged} handshakes pending and ${restart.read} uploads in progress when it began to refuse, ${restart.refusedUploads} refused, ${restart.cutConnections} cut`,
    );
    load.check(restart.judged > 0, `${name} was restarted without a pending handshake`);
    load.check(restart.read > 0, `${name} was restarted without an upload in progress`);
    load.check(restart.cutConnections === 0, `${name} cut ${restart.cutConnections} connections`);
  }
  await others;
  await load.end(fleet.url, redis);
} finally {
  await redis.quit();
  await fleet.stop();
}
end([...load.faults, ...fleet.faults]);
