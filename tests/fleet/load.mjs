// Uploads to a fleet, and what must hold when all of them have ended.
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { upload } from "express-expectations/client";

const USERS = 10;
/** For each restart: so many uploads wait for their verdict when a server begins to leave, and so many send. */
const PENDING = 8;
const SENDING = 8;
const ASTRIDE = PENDING + SENDING;
/** Places of the fleet: all of those that send have one at the same time. */
export const PLACES = SENDING;

/** A number of uploads, spread over a number of restarts. Some of them are under way at each restart. */
export class Load {
  /** What went wrong. */
  faults = [];
  /** The bytes that each user may upload, and uploads. */
  budget;
  uploads;
  #results = new Map();
  #all = [];
  #astride;

  /**
   * @param count - how many uploads, about.
   * @param restarts - how many restarts.
   * @param longMs - how long uploads take that are under way at a restart.
   */
  constructor(count, restarts, longMs) {
    // Each user uploads the same sizes, so that one budget fits all.
    this.uploads = Array.from({ length: Math.ceil(count / USERS) * USERS }, (_, i) => {
      const kind = i < restarts * ASTRIDE ? i % ASTRIDE : undefined;
      return {
        id: `upload-${i}`,
        user: `user-${i % USERS}`,
        body: Buffer.alloc(1_000 + ((Math.floor(i / USERS) * 7_919) % 60_000), `${i} `),
        thinkMs: kind < PENDING ? longMs : 20 + (i % 7) * 20,
        pauseMs: kind >= PENDING ? longMs : (i % 3) * 10,
      };
    });
    const ofOne = this.uploads.filter(({ user }) => user === "user-0");
    this.budget = ofOne.reduce((sum, { body }) => sum + body.length, 0);
    this.#astride = this.uploads.slice(0, restarts * ASTRIDE);
  }

  check(isRight, fault) {
    if (!isRight) this.faults.push(fault);
  }

  /** Begins all uploads that no restart waits for, one after the other within a time. */
  async beginOthers(url, spreadMs) {
    const others = this.uploads.slice(this.#astride.length);
    for (const next of others) {
      this.#begin(url, next);
      await sleep(spreadMs / others.length);
    }
  }

  #begin(url, next, onSending) {
    this.#all.push(send(url, next, onSending).then((result) => this.#results.set(next.id, result)));
  }

  /** Begins the uploads that are under way at the next restart. Some of them send when it is done. */
  async beginAstride(url) {
    const mine = this.#astride.splice(0, ASTRIDE);
    const sending = mine.slice(PENDING).map((next) => new Promise((resolve) => this.#begin(url, next, resolve)));
    await Promise.all(sending);
    for (const next of mine.slice(0, PENDING)) this.#begin(url, next);
    // These must have come before the server is told.
    await sleep(100);
  }

  /** Waits for all uploads, and checks what they have left behind. */
  async end(url, redis) {
    await Promise.all(this.#all);
    const lost = this.uploads.filter(({ id }) => this.#results.get(id) !== 201);
    for (const { id } of lost) this.faults.push(`${id}: ${this.#results.get(id)}`);
    await this.#checkStored(redis);
    await this.#checkQuota(url, redis);
    await this.#checkPlaces(redis);
    console.log(`${this.uploads.length} uploads, ${lost.length} lost`);
  }

  async #checkStored(redis) {
    const [stored, digests] = [await redis.hgetall("stored"), await redis.hgetall("digests")];
    for (const { id, body } of this.uploads) {
      this.check(stored[id] === "1", `${id} was stored ${stored[id] ?? 0} times`);
      const digest = createHash("sha256").update(body).digest("hex");
      this.check(digests[id] === digest, `${id} was stored with other bytes`);
    }
  }

  // The budget of each user is what its uploads need together. One byte more is too much.
  async #checkQuota(url, redis) {
    for (let i = 0; i < USERS; i++) {
      const used = Number(await redis.get(`quota:user-${i}`));
      this.check(used === this.budget, `user-${i} has used ${used} of ${this.budget} bytes`);
      const more = { id: `more-${i}`, user: `user-${i}`, body: Buffer.from("xx"), thinkMs: 0, pauseMs: 0 };
      const status = await send(url, more);
      this.check(status === 429, `user-${i} got ${status} for one upload too many`);
    }
    console.log(`quota: each of ${USERS} users has used its ${this.budget} bytes, and gets 429 for more`);
  }

  async #checkPlaces(redis) {
    const highest = Number(await redis.get("highest"));
    const now = Number(await redis.get("now"));
    const taken = await redis.zcard("semaphore:places");
    this.check(highest === PLACES, `at most ${highest} uploads had one of ${PLACES} places at once`);
    this.check(now === 0, `${now} uploads are in progress`);
    this.check(taken === 0, `${taken} places are still taken`);
    console.log(`places: at most ${highest} of ${PLACES} taken at once, ${taken} at the end`);
  }
}

/** One upload. Returns its status, or what went wrong. Nothing is tried again. */
async function send(url, { id, user, body, thinkMs, pauseMs }, onSending) {
  async function* slowly() {
    onSending?.();
    const middle = Math.floor(body.length / 2);
    yield body.subarray(0, middle);
    await sleep(pauseMs);
    yield body.subarray(middle);
  }
  const headers = { "X-User": user, "X-Think-Ms": String(thinkMs), "Content-Length": String(body.length) };
  try {
    const options = { headers, body: () => slowly(), expectTimeoutMs: 60_000 };
    const result = await upload(`${url}/files/${id}`, options);
    if (result.status === 201 && !result.wasContinued) return "201 without a 100";
    return result.status;
  } catch (error) {
    return error.code ?? error.message;
  } finally {
    // An upload that was refused sends nothing.
    onSending?.();
  }
}
