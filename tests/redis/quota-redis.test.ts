import * as fs from "node:fs";
import * as path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { Redis } from "ioredis";
import { deadline } from "../helpers/deadline.js";
import { WireClient } from "../helpers/wire.js";
import { ServerProcess, transpiled } from "./processes.js";
import { RedisServer, reasonToSkipRedis } from "./redis-server.js";

jest.setTimeout(120_000);

const reason = reasonToSkipRedis();
const RUNS = Number(process.env.QUOTA_RUNS ?? 3);
const UPLOADS = 200;
const FITTING = 50;
const SIZE = 1_000;
const STORE_TIMEOUT_MS = deadline(1_000);
/** How long a budget lasts: longer than a test. */
const WINDOW_S = Math.ceil(deadline(60_000) / 1_000);
const BUDGET = FITTING * SIZE;

/** As the README recommends, and as ioredis comes: commands wait for a connection, and are sent once more. */
const CLIENTS = {
  "a client that fails at once": {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  },
  "a client that queues": {},
};

(reason === undefined ? describe : describe.skip).each(Object.entries(CLIENTS))(
  `two processes and one Redis, through %s${reason === undefined ? "" : ` (skipped: ${reason})`}`,
  (_name, redisOptions) => {
    let folder: string;
    let redis: RedisServer;
    let store: Redis;
    let servers: ServerProcess[];
    let ports: number[];
    let clients: WireClient[] = [];
    let key = "/start";
    let runs = 0;

    beforeAll(async () => {
      folder = transpiled(path.join(__dirname, "quota-server.mjs"));
      redis = await RedisServer.start();
      store = new Redis(redis.port, "127.0.0.1", { retryStrategy: () => 50, maxRetriesPerRequest: null });
      store.on("error", () => {});
      const options = {
        redisPort: redis.port,
        points: BUDGET,
        duration: WINDOW_S,
        storeTimeoutMs: STORE_TIMEOUT_MS,
        policyTimeoutMs: 10 * STORE_TIMEOUT_MS,
        redisOptions,
      };
      servers = [1, 2].map(() => new ServerProcess(path.join(folder, "quota-server.mjs"), options));
      ports = await Promise.all(servers.map((server) => server.port()));
    });
    afterEach(() => {
      for (const client of clients) client.destroy();
      clients = [];
    });
    afterAll(async () => {
      store?.disconnect();
      await Promise.all((servers ?? []).map((server) => server.stop()));
      await redis?.remove();
      if (folder) fs.rmSync(folder, { recursive: true, force: true });
    });

    const anotherKey = () => {
      key = `/key-${runs++}`;
    };

    async function ask(i: number, size = SIZE): Promise<WireClient> {
      const wire = await WireClient.connect(ports[i % ports.length] as number);
      clients.push(wire);
      wire.send(`PUT ${key} HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: ${size}\r\n\r\n`);
      await wire.until("an answer", () => wire.statuses.length > 0);
      return wire;
    }

    const askMany = (count: number, from = 0) => Promise.all(Array.from({ length: count }, (_, i) => ask(from + i)));
    const withStatus = (wires: WireClient[], status: number) => wires.filter((wire) => wire.statuses[0] === status);

    async function send(wire: WireClient): Promise<void> {
      wire.send("x".repeat(SIZE));
      expect((await wire.final()).body).toBe(`stored ${SIZE}`);
    }

    const used = async () => Number((await store.get(`rlflx:${key}`)) ?? 0);

    async function until(what: string, isTrue: () => Promise<boolean> | boolean): Promise<void> {
      const end = performance.now() + deadline(10_000);
      while (!(await isTrue())) {
        if (performance.now() > end) throw new Error(`not in time: ${what}; used ${await used()}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }

    const untilUsed = (points: number) => until(`${points} used`, async () => (await used()) === points);

    /** The service answers with 100 again, in both processes, without anybody's help. */
    async function resumed(): Promise<void> {
      for (let i = 0; i < ports.length; i++) {
        anotherKey();
        await until("the service resumes", async () => (await ask(i)).statuses[0] === 100);
      }
    }

    const recordsWith = (status: number) =>
      servers.flatMap(({ records }) => records.filter((r) => r.status === status));

    beforeAll(resumed);

    test.each(Array.from({ length: RUNS }, (_, i) => i + 1))(
      `${UPLOADS} uploads at the same time against a budget for ${FITTING}: exactly ${FITTING} are accepted (run %d)`,
      async () => {
        anotherKey();
        const wires = await askMany(UPLOADS);
        const accepted = withStatus(wires, 100);
        expect(accepted).toHaveLength(FITTING);
        const refused = withStatus(wires, 429);
        expect(refused).toHaveLength(UPLOADS - FITTING);
        const headers = (await refused[0]?.final())?.headers;
        expect(headers?.["ratelimit-policy"]).toBe(`"default";q=${BUDGET};qu="content-bytes";w=${WINDOW_S}`);
        // Refused within two seconds of the beginning of the window.
        expect(Number(headers?.["retry-after"])).toBeGreaterThanOrEqual(WINDOW_S - deadline(2_000) / 1_000);
        expect(Number(headers?.["retry-after"])).toBeLessThanOrEqual(WINDOW_S);
        // What was refused is given back, what was accepted stays.
        await untilUsed(BUDGET);
        await Promise.all(accepted.slice(10).map(send));
        for (const wire of accepted.slice(0, 10)) wire.destroy();
        await untilUsed(BUDGET - 10 * SIZE);
        const more = await askMany(20);
        expect(withStatus(more, 100)).toHaveLength(10);
        expect(withStatus(more, 429)).toHaveLength(10);
        await Promise.all(withStatus(more, 100).map(send));
        await untilUsed(BUDGET);
      },
    );

    test("Redis stopped in the middle: nothing beyond the budget, no hang, 503s logged; started again: it resumes", async () => {
      anotherKey();
      const before = key;
      const startedAt = performance.now();
      const first = await askMany(30);
      expect(withStatus(first, 100)).toHaveLength(30);
      const logged = recordsWith(503).length;

      const asked = askMany(UPLOADS - 30, 30);
      await redis.stop();
      const wires = [...first, ...(await asked), ...(await askMany(20))];
      const held = withStatus(wires, 100);
      const failed = withStatus(wires, 503);
      expect(held.length).toBeLessThanOrEqual(FITTING);
      expect(failed.length).toBeGreaterThanOrEqual(20);
      expect(held.length + failed.length + withStatus(wires, 429).length).toBe(UPLOADS + 20);
      expect((await failed[0]?.final())?.headers).toMatchObject({ "retry-after": "10", connection: "close" });
      await until("the 503s are logged", () => recordsWith(503).length >= logged + failed.length);
      const errors = servers.flatMap(({ records }) => records.filter(({ level }) => level === "error"));
      expect(errors).toContainEqual(expect.objectContaining({ message: "quota: the store failed" }));

      // What was accepted before goes on, and some of it comes to nothing while there is no store.
      await Promise.all(held.slice(0, 5).map(send));
      for (const wire of held.slice(5, 15)) wire.destroy();

      // The windows of the two Redis begin at times that can be told apart.
      await until("some time has gone by", () => performance.now() - startedAt > 500);
      await redis.start();
      await resumed();
      // This Redis has forgotten everything: what is given back to it now would be credit.
      key = before;
      for (const wire of held.slice(15, 20)) wire.destroy();
      const after = askMany(UPLOADS);
      for (const wire of held.slice(20, 25)) wire.destroy();
      expect(withStatus(await after, 100)).toHaveLength(FITTING);
      for (const wire of held.slice(25)) wire.destroy();
      await untilUsed(BUDGET);
      expect((await ask(0)).statuses).toEqual([429]);
      expect(servers.map(({ isRunning }) => isRunning)).toEqual([true, true]);
    });

    test("a Redis that does not answer: 503 in time, and what it counts afterwards is given back", async () => {
      anotherKey();
      const first = await askMany(10);
      expect(withStatus(first, 100)).toHaveLength(10);
      redis.freeze();
      const startedAt = performance.now();
      const wires = await askMany(20);
      expect(withStatus(wires, 503)).toHaveLength(20);
      expect(performance.now() - startedAt).toBeGreaterThan(0.9 * STORE_TIMEOUT_MS);
      expect(performance.now() - startedAt).toBeLessThan(4 * STORE_TIMEOUT_MS);
      redis.thaw();
      await untilUsed(10 * SIZE);
      expect(withStatus(await askMany(60), 100)).toHaveLength(FITTING - 10);
      await untilUsed(BUDGET);
    });
  },
);
