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
const LEASE_MS = deadline(1_500);
const STORE_TIMEOUT_MS = deadline(500);
const SIZE = 1_000;

/** As docs/waiting-room.md recommends, and as ioredis comes: commands wait for a connection, and are sent once more. */
const FAILS_AT_ONCE = { enableOfflineQueue: false, autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0 };

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
    const clusters: Cluster[] = [];

    beforeAll(async () => {
      folder = transpiled(path.join(__dirname, "concurrency-server.mjs"));
      redis = await RedisServer.start();
      store = new Redis(redis.port, "127.0.0.1", { retryStrategy: () => 50, maxRetriesPerRequest: null });
      store.on("error", () => {});
    });
    afterEach(async () => {
      redis.thaw();
      await Promise.all(clusters.splice(0).map((cluster) => cluster.stop()));
    });
    afterAll(async () => {
      store?.disconnect();
      await redis?.remove();
      if (folder) fs.rmSync(folder, { recursive: true, force: true });
    });

    async function start(options: object = {}): Promise<Cluster> {
      const all = {
        workers: WORKERS,
        limit: LIMIT,
        leaseMs: LEASE_MS,
        storeTimeoutMs: STORE_TIMEOUT_MS,
        policyTimeoutMs: deadline(30_000),
        redisPort: redis.port,
        redisOptions: FAILS_AT_ONCE,
        ...options,
      };
      const cluster = new Cluster(new ServerProcess(path.join(folder, "concurrency-server.mjs"), all));
      clusters.push(cluster);
      await cluster.ready();
      return cluster;
    }

    const placesOf = (key: string) => store.zcard(`semaphore:${key}`);

    test(`exactly ${LIMIT} of ${CLIENTS} are accepted at any time, all others refused (${RUNS} runs)`, async () => {
      const cluster = await start();
      for (let run = 0; run < RUNS; run++) {
        const key = cluster.anotherKey();
        const wires = await cluster.askMany(CLIENTS);
        let held = wires.filter(isAccepted);
        expect(held).toHaveLength(LIMIT);
        expect(wires.filter((wire) => wire.statuses[0] === 503)).toHaveLength(CLIENTS - LIMIT);
        // One ends, by its response or by its client: one other is accepted.
        for (let i = 0; i < 3; i++) {
          const [ending, ...others] = held as [WireClient, ...WireClient[]];
          if (i % 2 === 0) await finish(ending);
          else ending.destroy();
          await until("its place is free", async () => (await placesOf(key)) === LIMIT - 1);
          const more = (await cluster.askMany(4)).filter(isAccepted);
          expect(more).toHaveLength(1);
          held = [...others, ...more];
        }
        await Promise.all(held.map(finish));
        await until("all places are free", async () => (await placesOf(key)) === 0);
      }
      expect(cluster.lines.filter(({ exit, level }) => exit !== undefined || level === "error")).toEqual([]);
    });

    test(`${CLIENTS} that wait are all served, never more than ${LIMIT} at a time (${RUNS} runs)`, async () => {
      const cluster = await start({ maxWaiting: CLIENTS, maxWaitMs: deadline(25_000) });
      for (let run = 0; run < RUNS; run++) {
        const key = cluster.anotherKey();
        const wires = await Promise.all(Array.from({ length: CLIENTS }, () => cluster.connect()));
        for (const wire of wires) cluster.send(wire, key);
        let served = 0;
        while (served < CLIENTS) {
          const present = Math.min(LIMIT, CLIENTS - served);
          await until(`${present} are accepted`, () => wires.filter(isHolding).length >= present);
          const held = wires.filter(isHolding);
          expect([held.length, await placesOf(key)]).toEqual([present, present]);
          await finish(held[0] as WireClient);
          served++;
        }
        expect(wires.every(({ statuses }) => statuses.join() === "100,201")).toBe(true);
      }
    });

    test("SIGKILL of a worker: its places are free when their leases end, and not before", async () => {
      const cluster = await start();
      const key = cluster.anotherKey();
      const wires = await cluster.askMany(LIMIT);
      expect(wires.filter(isAccepted)).toHaveLength(LIMIT);
      await until("all are told", () => cluster.pidsOf(key).length === LIMIT);
      const dead = cluster.pidsOf(key)[0] as number;
      const count = cluster.pidsOf(key).filter((pid) => pid === dead).length;
      const killedAt = performance.now();
      process.kill(dead, "SIGKILL");
      await until("it has ended", () => cluster.lines.some(({ exit }) => exit === dead));
      const tooEarly = (await cluster.askMany(CLIENTS)).filter(isAccepted);
      if (performance.now() - killedAt < LEASE_MS / 2) expect(tooEarly).toEqual([]);
      let more: WireClient[] = tooEarly;
      await until("its places are free", async () => {
        more = [...more, ...(await cluster.askMany(1)).filter(isAccepted)];
        return more.length === count;
      });
      expect(performance.now() - killedAt).toBeGreaterThan(LEASE_MS / 2);
      expect((await cluster.askMany(CLIENTS)).filter(isAccepted)).toEqual([]);
    });

    test("a lost lease cuts the upload off with 503", async () => {
      const cluster = await start();
      const key = cluster.anotherKey();
      const [wire] = (await cluster.askMany(1)) as [WireClient];
      wire.send("x");
      await until("it has a place", async () => (await placesOf(key)) === 1);
      await store.del(`semaphore:${key}`);
      expect(await wire.final()).toMatchObject({ status: 503, headers: { connection: "close" } });
      expect(wire.statuses).toEqual([100, 503]);
      await until("it is logged", () => cluster.lines.some(({ status, level }) => status === 503 && level === "warn"));
    });

    test.each([
      ["fails at once", FAILS_AT_ONCE],
      ["queues", {}],
    ])(
      "Redis stopped in mid-upload, with a client that %s: cut off when the leases end, 503 for others; started again: it resumes",
      async (_name, redisOptions) => {
        const cluster = await start({ redisOptions });
        cluster.anotherKey();
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
        await cluster.resumed();
        cluster.anotherKey();
        const after = (await cluster.askMany(CLIENTS)).filter(isAccepted);
        expect(after).toHaveLength(LIMIT);
        await Promise.all(after.map((wire) => finish(wire)));
        expect(cluster.lines.filter(({ exit }) => exit !== undefined)).toEqual([]);
      },
    );

    test("Redis stopped in mid-upload, with onStoreError: accept: each process counts by itself, and nobody is cut off", async () => {
      const cluster = await start({ onStoreError: "accept" });
      cluster.anotherKey();
      const uploads = (await cluster.askMany(LIMIT)).filter(isAccepted);
      expect(uploads).toHaveLength(LIMIT);
      await redis.stop();
      const more = (await cluster.askMany(CLIENTS)).filter(isAccepted);
      expect(more.length).toBeGreaterThan(0);
      expect(more.length + LIMIT).toBeLessThanOrEqual(WORKERS * LIMIT);
      await redis.start();
      await new Promise((resolve) => setTimeout(resolve, 1.5 * LEASE_MS));
      for (const wire of [...uploads, ...more]) expect((await finish(wire)).status).toBe(201);
    });

    test("a Redis that does not answer: 503 in time, and the places that it grants afterwards are given back", async () => {
      const cluster = await start({ leaseMs: deadline(10_000) });
      const key = cluster.anotherKey();
      redis.freeze();
      const startedAt = performance.now();
      const wires = await cluster.askMany(10);
      expect(wires.filter((wire) => wire.statuses[0] === 503)).toHaveLength(10);
      expect(performance.now() - startedAt).toBeGreaterThan(0.9 * STORE_TIMEOUT_MS);
      redis.thaw();
      await until("all places are free", async () => (await placesOf(key)) === 0);
      expect((await cluster.askMany(CLIENTS)).filter(isAccepted)).toHaveLength(LIMIT);
    });
  },
);

const isAccepted = ({ statuses }: WireClient) => statuses[0] === 100;
const isHolding = ({ statuses }: WireClient) => statuses.join() === "100";

async function finish(wire: WireClient, left = SIZE): Promise<{ readonly status: number }> {
  wire.send("x".repeat(left));
  const response = await wire.final();
  expect(response).toMatchObject({ status: 201, body: `stored ${SIZE}` });
  wire.destroy();
  return response;
}

/** The processes of concurrency-server.mjs, and their clients. */
class Cluster {
  #port = 0;
  #key = "/start";
  #keys = 0;
  readonly #clients: WireClient[] = [];

  constructor(readonly server: ServerProcess) {}

  get lines(): readonly Line[] {
    return this.server.records as readonly Line[];
  }

  async ready(): Promise<void> {
    this.#port = await this.server.port();
    await this.resumed();
  }

  /** All processes accept again. The cluster hands connections out in turn. */
  async resumed(): Promise<void> {
    await until("every process accepts", async () => {
      this.anotherKey();
      const pids = new Set<number | undefined>();
      for (let i = 0; i < WORKERS; i++) {
        const [wire] = (await this.askMany(1)) as [WireClient];
        if (!isAccepted(wire)) return false;
        await finish(wire);
      }
      for (const pid of this.pidsOf(this.#key)) pids.add(pid);
      return pids.size === WORKERS;
    });
  }

  anotherKey(): string {
    this.#key = `/key-${this.#keys++}`;
    return this.#key;
  }

  async connect(): Promise<WireClient> {
    const wire = await WireClient.connect(this.#port);
    this.#clients.push(wire);
    return wire;
  }

  send(wire: WireClient, key = this.#key): void {
    const head = [
      `PUT ${key} HTTP/1.1`,
      "Host: test",
      `X-Name: ${key}`,
      "Expect: 100-continue",
      `Content-Length: ${SIZE}`,
    ];
    wire.send(`${head.join("\r\n")}\r\n\r\n`);
  }

  /** Asks at the same time, and waits for the answers. */
  async askMany(count: number): Promise<WireClient[]> {
    const wires = await Promise.all(Array.from({ length: count }, () => this.connect()));
    for (const wire of wires) this.send(wire);
    await Promise.all(wires.map((wire) => wire.until("an answer", () => wire.statuses.length > 0)));
    return wires;
  }

  accepted(key: string): readonly Line[] {
    return this.lines.filter(({ accepted }) => accepted === key);
  }

  pidsOf(key: string): number[] {
    return this.accepted(key).map(({ pid }) => pid as number);
  }

  async stop(): Promise<void> {
    for (const wire of this.#clients) wire.destroy();
    await this.server.stop();
  }
}
