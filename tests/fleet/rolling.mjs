// node tests/fleet/rolling.mjs [--uploads N]
//
// A rolling restart: two instances of two workers each behind HAProxy, with a quota and places in Redis. Each instance
// is restarted while uploads are under way. No upload may be lost, and the quota and the places must be exact at the
// end. Exit code 1 otherwise. Needs `npm run build`, Debian's haproxy and redis-server.
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { upload } from "express-expectations/client";
import { Redis } from "ioredis";
import { Fleet, reasonToSkip } from "./fleet.mjs";

const { values } = parseArgs({ options: { uploads: { type: "string", default: "110" } } });
const count = Number(values.uploads);
if (!Number.isInteger(count) || count < 50) throw new Error("--uploads takes a number, 50 or more");

const skipped = reasonToSkip();
if (skipped) {
  console.log(`skipped: ${skipped}`);
  process.exit(0);
}

const WORKERS = 2;
const USERS = 10;
// All of those that send have a place at the same time.
const PLACES = 8;
const ANNOUNCE_MS = 1_000;
/** One restart of both instances for so many uploads. */
const UPLOADS_PER_ROUND = 250;
/** About how long one restart takes, in milliseconds. The uploads are spread over all of them. */
const RESTART_MS = 3_000;
/** For each restart: so many uploads wait for their verdict when an instance begins to refuse, and so many send. */
const PENDING = 8;
const SENDING = 8;
const LONG_MS = ANNOUNCE_MS + 1_000;

const rounds = Math.max(1, Math.floor(count / UPLOADS_PER_ROUND));
const restarts = Array.from({ length: rounds }, () => ["first", "second"]).flat();
const astride = PENDING + SENDING;

// Each user uploads the same sizes, so that one budget fits all.
const uploads = Array.from({ length: Math.ceil(count / USERS) * USERS }, (_, i) => {
  const kind = i < restarts.length * astride ? i % astride : undefined;
  return {
    id: `upload-${i}`,
    user: `user-${i % USERS}`,
    body: Buffer.alloc(1_000 + ((Math.floor(i / USERS) * 7_919) % 60_000), `${i} `),
    thinkMs: kind < PENDING ? LONG_MS : 20 + (i % 7) * 20,
    pauseMs: kind >= PENDING ? LONG_MS : (i % 3) * 10,
  };
});
const budget = uploads.filter(({ user }) => user === "user-0").reduce((sum, { body }) => sum + body.length, 0);

const faults = [];
const check = (isRight, fault) => {
  if (!isRight) faults.push(fault);
};

const fleet = await Fleet.start({ workers: WORKERS, budget, places: PLACES, announceMs: ANNOUNCE_MS });
const redis = new Redis({ host: "127.0.0.1", port: fleet.redisPort });
try {
  await run();
} finally {
  await redis.quit();
  await fleet.stop();
}
for (const fault of faults) console.error(`fault: ${fault}`);
process.exitCode = faults.length === 0 ? 0 : 1;

async function run() {
  const begunAt = performance.now();
  const results = new Map();
  const waiting = [...uploads];
  const begin = (next, onSending) => send(next, onSending).then((result) => results.set(next.id, result));
  const all = [];
  const others = waiting.splice(restarts.length * astride);
  const spreadMs = (restarts.length * RESTART_MS) / others.length;
  const steady = (async () => {
    for (const next of others) {
      all.push(begin(next));
      await sleep(spreadMs);
    }
  })();
  for (const [i, name] of restarts.entries()) {
    const mine = waiting.splice(0, astride);
    const sending = mine.slice(PENDING).map((next) => new Promise((resolve) => all.push(begin(next, resolve))));
    await Promise.all(sending);
    for (const next of mine.slice(0, PENDING)) all.push(begin(next));
    // The others must have come before the instance is announced as leaving.
    await sleep(100);
    const restart = await fleet.restart(name);
    console.log(
      `restart ${i + 1}, ${name}, ${restart.tookMs} ms: ${restart.judged} handshakes pending and ${restart.read} uploads in progress when it began to refuse, ${restart.refusedUploads} refused, ${restart.cutConnections} cut`,
    );
    check(restart.judged > 0, `${name} was restarted without a pending handshake`);
    check(restart.read > 0, `${name} was restarted without an upload in progress`);
    check(restart.cutConnections === 0, `${name} cut ${restart.cutConnections} connections`);
  }
  await steady;
  await Promise.all(all);

  const lost = uploads.filter(({ id }) => results.get(id) !== 201);
  for (const { id } of lost) faults.push(`${id}: ${results.get(id)}`);
  await checkStored();
  await checkQuota();
  await checkPlaces();
  for (const text of fleet.faults) faults.push(text);
  const tookMs = Math.round(performance.now() - begunAt);
  console.log(`${uploads.length} uploads, ${lost.length} lost, in ${(tookMs / 1_000).toFixed(1)} s`);
}

/** One upload. Returns its status, or what went wrong. */
async function send({ id, user, body, thinkMs, pauseMs }, onSending) {
  async function* slowly() {
    onSending?.();
    const middle = Math.floor(body.length / 2);
    yield body.subarray(0, middle);
    await sleep(pauseMs);
    yield body.subarray(middle);
  }
  const headers = { "X-User": user, "X-Think-Ms": String(thinkMs), "Content-Length": String(body.length) };
  try {
    const result = await upload(`${fleet.url}/files/${id}`, {
      headers,
      body: () => slowly(),
      // A verdict may wait for a place.
      expectTimeoutMs: 60_000,
    });
    if (result.status === 201 && !result.wasContinued) return "201 without a 100";
    return result.status;
  } catch (error) {
    return error.code ?? error.message;
  } finally {
    // An upload that was refused sends nothing.
    onSending?.();
  }
}

async function checkStored() {
  const [stored, digests] = [await redis.hgetall("stored"), await redis.hgetall("digests")];
  for (const { id, body } of uploads) {
    check(stored[id] === "1", `${id} was stored ${stored[id] ?? 0} times`);
    const digest = createHash("sha256").update(body).digest("hex");
    check(digests[id] === digest, `${id} was stored with other bytes`);
  }
}

// The budget of each user is what its uploads need together. One byte more is too much.
async function checkQuota() {
  for (let i = 0; i < USERS; i++) {
    const used = Number(await redis.get(`quota:user-${i}`));
    check(used === budget, `user-${i} has used ${used} of ${budget} bytes`);
    const more = { id: `more-${i}`, user: `user-${i}`, body: Buffer.from("xx"), thinkMs: 0, pauseMs: 0 };
    const status = await send(more);
    check(status === 429, `user-${i} got ${status} for one upload too many`);
  }
  console.log(`quota: each of ${USERS} users has used its ${budget} bytes, and gets 429 for more`);
}

async function checkPlaces() {
  const [highest, now, taken] = [
    await redis.get("highest"),
    await redis.get("now"),
    await redis.zcard("semaphore:places"),
  ];
  check(Number(highest) <= PLACES, `${highest} uploads at once had one of ${PLACES} places`);
  check(
    Number(highest) === PLACES,
    `at most ${highest} of ${PLACES} places were taken: too few uploads to show anything`,
  );
  check(Number(now) === 0, `${now} uploads are in progress`);
  check(taken === 0, `${taken} places are still taken`);
  console.log(`places: at most ${highest} of ${PLACES} taken at once, ${taken} at the end`);
}
