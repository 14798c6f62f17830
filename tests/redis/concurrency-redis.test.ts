import * as fs from "node:fs";
import * as path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { Redis } from "ioredis";
import { deadline } from "../helpers/deadline.js";
import { until } from "../helpers/until.js";
import { WireClient } from "../helpers/wire.js";
import { ServerProcess, transpiled } from "./processes.js";
import { RedisServer, reasonToSkipRedis } from "./redis-server.js";

jest.setTimeout(120_000);

const reason = reasonToSkipRedis();
const RUNS = Number(process.env.PLACES_RUNS ?? 3);
const CLIENTS = 20;
const LIMIT = 3;
const WORKERS = 4;
const LEASE_MS = 1_500;
const STORE_TIMEOUT_MS = 700;
const SIZE = 1_000;

/** As docs/waiting-room.md recommends, and as ioredis comes: commands wait for a connection, and are sent once more. */
const FAILS_AT_ONCE = { enableOfflineQueue: false, autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0 };

const SHARED = { limit: LIMIT, leaseMs: LEASE_MS, storeTimeoutMs: STORE_TIMEOUT_MS, redisOptions: FAILS_AT_ONCE };
/** What stands in the URL chooses among them. */
const POLICIES = {
  plain: SHARED,
  queueing: { ...SHARED, redisOptions: {} },
  waiting: { ...SHARED, maxWaiting: CLIENTS, maxWaitMs: deadline(25_000) },
  accepting: { ...SHARED, onStoreError: "accept" },
  // So long that no lease ends in the test.
  patient: { ...SHARED, leaseMs: deadline(20_000) },
} as const;

interface Line {
  readonly accepted?: string;
  readonly pid?: number;
  readonly exit?: number;
  readonly status?: number;
  readonly level?: string;
  readonly message?: string;
}

(reason === undefined ? describe : describe.skip)(
  `${WORKERS} processes, ${LIMIT} places and one Redis${reason === undefined ? "" : ` (skipped: ${reason})`}`,
  () => {
    let folder: string;
    let redis: RedisServer;
    let store: Redis;
    let cluster: Cluster;

    beforeAll(async () => {
      folder = transpiled(path.join(__dirname, "concurrency-server.mjs"));
      redis = await RedisServer.start();
      store = new Redis(redis.port, "127.0.0.1", { retryStrategy: () => 50, maxRetriesPerRequest: null });
      store.on("error", () => {});
      const options = {
        workers: WORKERS,
        policyTimeoutMs: deadline(30_000),
        redisPort: redis.port,
        policies: POLICIES,
      };
      cluster = new Cluster(new ServerProcess(path.join(folder, "concurrency-server.mjs"), options));
      await cluster.ready();
    });
    afterEach(() => {
      redis.thaw();
      cluster.leave();
    });
    afterAll(async () => {
      await cluster?.stop();
      store?.disconnect();
      await redis?.remove();
      if (folder) fs.rmSync(folder, { recursive: true, force: true });
    });

    const stored = (key: string) => `semaphore:concurrency:${key}`;
    const placesOf = (key: string) => store.zcard(stored(key));
    const untilPlaces = (key: string, count: number) =>
      until(`${count} places are taken`, async () => (await placesOf(key)) === count);

    test(`exactly ${LIMIT} of ${CLIENTS} are accepted at any time, all others refused (${RUNS} runs)`, async () => {
      for (let run = 0; run < RUNS; run++) {
        const key = cluster.anotherKey("plain");
        const wires = await cluster.askMany(CLIENTS);
        let held = wires.filter(isAccepted);
        expect(held).toHaveLength(LIMIT);
        expect(wires.filter(isRefused)).toHaveLength(CLIENTS - LIMIT);
        // One ends, by its response or by its client: one other is accepted.
        for (let i = 0; i < 3; i++) {
          const [ending, ...others] = held as [WireClient, ...WireClient[]];
          if (i % 2 === 0) await finish(ending);
          else ending.destroy();
          await untilPlaces(key, LIMIT - 1);
          const more = (await cluster.askMany(4)).filter(isAccepted);
          expect(more).toHaveLength(1);
          held = [...others, ...more];
        }
        await Promise.all(held.map((wire) => finish(wire)));
        await untilPlaces(key, 0);
      }
      expect(cluster.lines.filter(({ exit, level }) => exit !== undefined || level === "error")).toEqual([]);
    });

    test(`${CLIENTS} that wait are all served, never more than ${LIMIT} at a time (${RUNS} runs)`, async () => {
      for (let run = 0; run < RUNS; run++) {
        const key = cluster.anotherKey("waiting");
        const wires = await Promise.all(Array.from({ length: CLIENTS }, () => cluster.connect()));
        for (const wire of wires) cluster.ask(wire);
        for (let served = 0; served < CLIENTS; served++) {
          const present = Math.min(LIMIT, CLIENTS - served);
          await until(`${present} are accepted`, () => wires.filter(isHolding).length >= present);
          await untilPlaces(key, present);
          const held = wires.filter(isHolding);
          expect(held).toHaveLength(present);
          await finish(held[0] as WireClient);
        }
        expect(wires.every(({ statuses }) => statuses.join() === "100,201")).toBe(true);
      }
    });

    test("a lost lease cuts the upload off with 503", async () => {
      const key = cluster.anotherKey("plain");
      const [wire] = (await cluster.askMany(1)) as [WireClient];
      wire.send("x");
      await untilPlaces(key, 1);
      await store.del(stored(key));
      expect(await wire.final()).toMatchObject({ status: 503, headers: { connection: "close" } });
      expect(wire.statuses).toEqual([100, 503]);
    });

    test.each([
      ["fails at once", "plain"],
      ["queues", "queueing"],
    ] as const)(
      "Redis stopped in mid-upload, with a client that %s: cut off when the leases end, 503 for others; started again: it resumes",
      async (_client, policy) => {
        cluster.anotherKey(policy);
        const uploads = (await cluster.askMany(LIMIT)).filter(isAccepted);
        expect(uploads).toHaveLength(LIMIT);
        for (const wire of uploads) wire.send("x");
        await finish(uploads[0] as WireClient, SIZE - 1);
        await redis.stop();
        // Whoever comes in time is not harmed.
        await finish(uploads[1] as WireClient, SIZE - 1);
        const refused = await cluster.askMany(5);
        expect(refused.map(({ statuses }) => statuses)).toEqual(refused.map(() => [503]));
        expect((await refused[0]?.final())?.headers).toMatchObject({ "retry-after": "10", connection: "close" });
        expect(await (uploads[2] as WireClient).final()).toMatchObject({ status: 503 });
        await redis.start();
        await cluster.resumed(policy);
        cluster.anotherKey(policy);
        const after = (await cluster.askMany(CLIENTS)).filter(isAccepted);
        expect(after).toHaveLength(LIMIT);
        await Promise.all(after.map((wire) => finish(wire)));
        expect(cluster.lines.filter(({ exit }) => exit !== undefined)).toEqual([]);
      },
    );

    test("Redis stopped in mid-upload, with onStoreError: accept: each process counts by itself, and nobody is cut off", async () => {
      cluster.anotherKey("accepting");
      const uploads = (await cluster.askMany(LIMIT)).filter(isAccepted);
      expect(uploads).toHaveLength(LIMIT);
      await redis.stop();
      const more = (await cluster.askMany(CLIENTS)).filter(isAccepted);
      expect(more.length).toBeGreaterThan(0);
      expect(more.length + LIMIT).toBeLessThanOrEqual(WORKERS * LIMIT);
      // Each renewal of this time finds no store, or one that has forgotten all places.
      await new Promise((resolve) => setTimeout(resolve, LEASE_MS / 2));
      await redis.start();
      await new Promise((resolve) => setTimeout(resolve, LEASE_MS / 2));
      for (const wire of [...uploads, ...more]) await finish(wire);
    });

    test("a Redis that does not answer: 503 in time, and the places that it grants afterwards are given back", async () => {
      await cluster.resumed("patient");
      const key = cluster.anotherKey("patient");
      redis.freeze();
      const startedAt = performance.now();
      expect((await cluster.askMany(10)).filter(isRefused)).toHaveLength(10);
      expect(performance.now() - startedAt).toBeGreaterThan(0.9 * STORE_TIMEOUT_MS);
      redis.thaw();
      await untilPlaces(key, 0);
      expect((await cluster.askMany(CLIENTS)).filter(isAccepted)).toHaveLength(LIMIT);
    });

    // The last one: a process is missing afterwards.
    test("SIGKILL of a worker: its places are free when their leases end, and not before", async () => {
      await cluster.resumed("plain");
      const key = cluster.anotherKey("plain");
      expect((await cluster.askMany(LIMIT)).filter(isAccepted)).toHaveLength(LIMIT);
      await until("all are told", () => cluster.pidsOf(key).length === LIMIT);
      const [dead] = cluster.pidsOf(key) as [number];
      const count = cluster.pidsOf(key).filter((pid) => pid === dead).length;
      const killedAt = performance.now();
      process.kill(dead, "SIGKILL");
      await until("it has ended", () => cluster.lines.some(({ exit }) => exit === dead));
      expect(await placesOf(key)).toBe(LIMIT);
      const more: WireClient[] = [];
      await until("its places are free", async () => {
        more.push(...(await cluster.askMany(1)).filter(isAccepted));
        return more.length === count;
      });
      // It had renewed its leases a third of their time ago at most.
      expect(performance.now() - killedAt).toBeGreaterThan(LEASE_MS / 2);
      expect((await cluster.askMany(CLIENTS)).filter(isAccepted)).toEqual([]);
    });
  },
);

const isAccepted = ({ statuses }: WireClient) => statuses[0] === 100;
const isRefused = ({ statuses }: WireClient) => statuses[0] === 503;
const isHolding = ({ statuses }: WireClient) => statuses.join() === "100";

async function finish(wire: WireClient, left = SIZE): Promise<void> {
  wire.send("x".repeat(left));
  expect(await wire.final()).toMatchObject({ status: 201, body: `stored ${SIZE}` });
  wire.destroy();
}

/** The processes of concurrency-server.mjs, and their clients. */
class Cluster {
  #port = 0;
  #key = "";
  #keys = 0;
  #clients: WireClient[] = [];

  constructor(readonly server: ServerProcess) {}

  get lines(): readonly Line[] {
    return this.server.records as readonly Line[];
  }

  async ready(): Promise<void> {
    this.#port = await this.server.port();
    for (const policy of Object.keys(POLICIES)) await this.resumed(policy as keyof typeof POLICIES);
  }

  /** All processes accept again, without anybody's help. The cluster hands connections out in turn. */
  async resumed(policy: keyof typeof POLICIES): Promise<void> {
    await until("every process accepts", async () => {
      const key = this.anotherKey(policy);
      for (let i = 0; i < WORKERS; i++) {
        const [wire] = (await this.askMany(1)) as [WireClient];
        if (!isAccepted(wire)) return false;
        await finish(wire);
      }
      return new Set(this.pidsOf(key)).size === WORKERS;
    });
  }

  /** Begins with places that nobody has taken yet. */
  anotherKey(policy: keyof typeof POLICIES): string {
    this.#key = `/${policy}-${this.#keys++}`;
    return this.#key;
  }

  async connect(): Promise<WireClient> {
    const wire = await WireClient.connect(this.#port);
    this.#clients.push(wire);
    return wire;
  }

  ask(wire: WireClient): void {
    const head = [`PUT ${this.#key} HTTP/1.1`, "Host: test", "Expect: 100-continue", `Content-Length: ${SIZE}`];
    wire.send(`${head.join("\r\n")}\r\n\r\n`);
  }

  /** Asks at the same time, and waits for the answers. */
  async askMany(count: number): Promise<WireClient[]> {
    const wires = await Promise.all(Array.from({ length: count }, () => this.connect()));
    for (const wire of wires) this.ask(wire);
    await Promise.all(wires.map((wire) => wire.until("an answer", () => wire.statuses.length > 0)));
    return wires;
  }

  /** The processes that have accepted uploads of a key, one for each upload. */
  pidsOf(key: string): number[] {
    return this.lines.flatMap(({ accepted, pid }) => (accepted === key ? [pid as number] : []));
  }

  leave(): void {
    for (const wire of this.#clients) wire.destroy();
    this.#clients = [];
  }

  async stop(): Promise<void> {
    this.leave();
    await this.server.stop();
  }
}
