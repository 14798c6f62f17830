import * as http from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { Redis } from "ioredis";
import { RateLimiterRedis } from "rate-limiter-flexible";
import { attach, expectations, preflight, quota, silent } from "../../src/index.js";
import { deadline } from "../helpers/deadline.js";
import { closeServers, type Handler, listen, plainApp, store as stores } from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { WireClient } from "../helpers/wire.js";
import { RedisServer, reasonToSkipRedis } from "./redis-server.js";

jest.setTimeout(60_000);

const reason = reasonToSkipRedis();
const BUDGET = 1_000;

(reason === undefined ? describe : describe.skip)("questions about a budget in Redis", () => {
  let redis: RedisServer;
  let client: Redis;
  const commands: string[] = [];

  beforeAll(async () => {
    redis = await RedisServer.start();
    client = new Redis(redis.port, "127.0.0.1", { enableOfflineQueue: false, lazyConnect: true });
    await client.connect();
  });
  afterEach(closeServers);
  afterAll(async () => {
    client.disconnect();
    await redis.remove();
  });

  test("1,000 questions move no point, not even for a moment", async () => {
    const limiter = new RateLimiterRedis({ storeClient: client, points: BUDGET, duration: 600 });
    const guard = expectations({
      logger: silent,
      policyTimeoutMs: deadline(10_000),
      policies: [quota({ limiter, key: () => "all", storeTimeoutMs: deadline(5_000) })],
    });
    const use = [preflight(guard) as Handler];
    const app = plainApp({
      use: [(req, res, next) => (req.method === "OPTIONS" ? use[0]?.(req, res, next) : next())],
      routes: { "/files": [guard as Handler, stores] },
    });
    const { port } = await listen(attach(http.createServer(app), { logger: silent }));

    const spent = () => limiter.get("all").then((found) => found?.consumedPoints ?? 0);
    const upload = await WireClient.connect(port);
    upload.send(`PUT /files HTTP/1.1\r\nHost: test\r\nContent-Length: 400\r\n\r\n${"x".repeat(400)}`);
    expect((await upload.final()).status).toBe(201);
    expect(await spent()).toBe(400);

    // Each command that reaches the store while the questions are asked.
    const monitor = await client.duplicate().monitor();
    monitor.on("monitor", (_time: string, [name]: string[]) => commands.push(String(name).toLowerCase()));
    const wires = await Promise.all(Array.from({ length: 10 }, () => WireClient.connect(port)));
    for (const [i, wire] of wires.entries()) {
      wire.send(
        `OPTIONS /files HTTP/1.1\r\nHost: test\r\nUpload-Length: ${i % 2 === 0 ? 600 : 601}\r\n\r\n`.repeat(100),
      );
    }
    await Promise.all(wires.map((wire) => wire.final(100)));
    expect(wires.map(({ statuses }) => [...new Set(statuses)])).toEqual(
      wires.map((_, i) => (i % 2 === 0 ? [204] : [429])),
    );
    // Everything before it has been told by then.
    await client.echo("over");
    await until("the monitor is told", () => commands.includes("echo"));
    monitor.disconnect();
    expect(commands).toContain("get");
    expect(commands.filter((name) => /incr|set|expire|del|eval/.test(name))).toEqual([]);
    expect(await spent()).toBe(400);
  });
});
