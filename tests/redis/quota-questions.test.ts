import { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { Redis } from "ioredis";
import { RateLimiterRedis } from "rate-limiter-flexible";
import type { Refusal } from "../../src/http/refusal.js";
import { type Policy, quota, type Upload, type UploadEnd, type Verdict } from "../../src/index.js";
import { RedisServer, reasonToSkipRedis } from "./redis-server.js";

jest.setTimeout(60_000);

const reason = reasonToSkipRedis();
const QUESTIONS = 1_000;
const WINDOW_S = 600;

(reason === undefined ? describe : describe.skip)(
  `questions about a quota in Redis${reason === undefined ? "" : ` (skipped: ${reason})`}`,
  () => {
    let redis: RedisServer;
    let store: Redis;
    let limiter: RateLimiterRedis;
    let policy: Policy;

    beforeAll(async () => {
      redis = await RedisServer.start();
      store = new Redis(redis.port, "127.0.0.1");
      store.on("error", () => {});
      limiter = new RateLimiterRedis({ storeClient: store, points: 100, duration: WINDOW_S });
      policy = quota({ limiter, key: (req) => String(req.url) });
    });
    afterAll(async () => {
      store?.disconnect();
      await redis?.remove();
    });

    function judge(key: string, length: number, isPreflight: boolean) {
      const closing: ((end: UploadEnd) => void)[] = [];
      const upload = {
        length,
        isPreflight,
        received: length,
        onClose: (callback: (end: UploadEnd) => void) => void closing.push(callback),
        report: (message: string, error: unknown) => {
          throw new Error(message, { cause: error });
        },
      } as unknown as Upload;
      const req = Object.assign(new EventEmitter(), { url: key, complete: true }) as unknown as IncomingMessage;
      return { closing, verdict: Promise.resolve(policy(req, upload)) as Promise<Verdict> };
    }

    const ask = async (key: string, length: number) => judge(key, length, true).verdict;
    const askMany = (key: string, length: number) =>
      Promise.all(Array.from({ length: QUESTIONS }, () => ask(key, length)));

    /** Commands that change something, by Redis's own count. */
    async function writes(): Promise<string[]> {
      const stats = (await store.info("commandstats")).match(/^cmdstat_[^:]+:calls=\d+/gm) ?? [];
      return stats.filter((line) => !/^cmdstat_(?:get|pttl|info|multi|exec|client\|\w+|hello)\b/.test(line)).sort();
    }

    test(`${QUESTIONS} of them move no point, and get the answer that the upload gets`, async () => {
      const key = "/used";
      expect(await judge(key, 60, false).verdict).toBe(true);
      const before = { used: await store.get(`rlflx:${key}`), writes: await writes() };
      expect(before.used).toBe("60");

      for (const verdict of await askMany(key, 40)) expect(verdict).toBe(true);
      const refusals = (await askMany(key, 41)) as Refusal[];
      for (const refusal of refusals) expect(refusal).toMatchObject({ status: 429, problem: refusals[0]?.problem });
      for (const verdict of await askMany(key, 101)) expect(verdict).toMatchObject({ status: 429 });
      expect({ used: await store.get(`rlflx:${key}`), writes: await writes() }).toEqual(before);

      const refused = (await judge(key, 41, false).verdict) as Refusal;
      const { "Retry-After": later, ...fields } = refused.headers;
      const { "Retry-After": asked, ...askedFields } = refusals[0]?.headers ?? {};
      expect(Math.abs(Number(later) - Number(asked))).toBeLessThanOrEqual(10);
      const left = (all: object) => JSON.stringify(all).replace(/;t=\d+/, "");
      expect(left(fields)).toBe(left(askedFields));
      expect(refused.reason).toBe("over budget: 41 asked for, 40 of 100 left");
      expect(refusals[0]).toMatchObject({ reason: refused.reason, problem: refused.problem });
      expect(await judge(key, 40, false).verdict).toBe(true);
      expect(await ask(key, 1)).toMatchObject({ status: 429 });
    });

    test(`${QUESTIONS} of them about a key that nobody has used begin no window`, async () => {
      for (const verdict of await askMany("/unused", 100)) expect(verdict).toBe(true);
      expect(await store.exists("rlflx:/unused")).toBe(0);
      expect(await ask("/unused", 101)).toMatchObject({
        status: 429,
        headers: { "Retry-After": String(WINDOW_S), RateLimit: `"default";r=100;t=${WINDOW_S}` },
      });
      expect(await store.exists("rlflx:/unused")).toBe(0);
    });

    test("leave nothing to be given back when they end", async () => {
      const { closing, verdict } = judge("/ended", 50, true);
      expect(await verdict).toBe(true);
      expect(closing).toEqual([]);
    });

    test("get 503 where the store fails, as the upload would", async () => {
      const broken = new Redis(redis.port, "127.0.0.1", { enableOfflineQueue: false, lazyConnect: true });
      const failing = quota({
        limiter: new RateLimiterRedis({ storeClient: broken, points: 100, duration: 60, rejectIfRedisNotReady: true }),
        key: () => "/",
      });
      const reports: string[] = [];
      const upload = { length: 1, isPreflight: true, report: (message: string) => void reports.push(message) };
      expect(await failing({} as IncomingMessage, upload as unknown as Upload)).toMatchObject({ status: 503 });
      expect(reports).toEqual(["quota: the store failed"]);
      broken.disconnect();
    });
  },
);
