import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { deadline } from "../helpers/deadline.js";
import { WireClient } from "../helpers/wire.js";
import { RedisServer, reasonToSkipRedis } from "../redis/redis-server.js";
import { Checkout } from "./checkout.js";

// Builds the package first.
jest.setTimeout(60_000);

const reason = reasonToSkipRedis();
const MEBIBYTE = 2 ** 20;

(reason === undefined ? describe : describe.skip)(
  `shared-quota${reason === undefined ? "" : ` (skipped: ${reason})`}`,
  () => {
    let checkout: Checkout;
    let redis: RedisServer;
    let ports: number[];
    let clients: WireClient[] = [];

    beforeAll(async () => {
      checkout = await Checkout.make();
      await checkout.build();
      redis = await RedisServer.start();
      const server = () => checkout.start(["examples/shared-quota/server.mjs", "0", redis.url]).port();
      ports = await Promise.all([server(), server()]);
      for (const i of [0, 1]) await untilShared(i);
    });
    afterEach(() => {
      for (const client of clients) client.destroy();
      clients = [];
    });
    afterAll(async () => {
      await checkout?.remove();
      await redis?.remove();
    });

    async function put(server: number, user: string, length: number): Promise<WireClient> {
      const wire = await WireClient.connect(ports[server] as number);
      clients.push(wire);
      const head = ["PUT /files/photo HTTP/1.1", "Host: test", `X-User: ${user}`, "Expect: 100-continue"];
      wire.send([...head, `Content-Length: ${length}`, "", ""].join("\r\n"));
      await wire.until("an answer", () => wire.statuses.length > 0);
      if (wire.statuses[0] === 100) wire.send(Buffer.alloc(length));
      await wire.final();
      return wire;
    }

    /** The process has its connection to Redis: more is granted than it would grant by itself. */
    async function untilShared(server: number): Promise<void> {
      const end = performance.now() + deadline(10_000);
      for (let i = 0; (await put(server, `probe ${server} ${i}`, 2 * MEBIBYTE)).statuses[0] !== 100; i++) {
        if (performance.now() > end) throw new Error("no connection to Redis");
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }

    test("two processes share one user's budget", async () => {
      expect((await put(0, "ann", 5 * MEBIBYTE)).statuses).toEqual([100, 201]);
      expect((await put(1, "ann", 4 * MEBIBYTE)).statuses).toEqual([100, 201]);
      const refused = await put(0, "ann", 2 * MEBIBYTE);
      expect(refused.statuses).toEqual([429]);
      expect(refused.finals[0]?.headers).toMatchObject({
        "retry-after": expect.stringMatching(/^3[56]\d\d$/),
        "ratelimit-policy": `"user";q=${10 * MEBIBYTE};qu="content-bytes";w=3600`,
        ratelimit: expect.stringMatching(new RegExp(`^"user";r=${MEBIBYTE};t=3[56]\\d\\d$`)),
      });
      expect((await put(1, "ann", MEBIBYTE)).statuses).toEqual([100, 201]);
      expect((await put(0, "ann", 1)).statuses).toEqual([429]);
      expect((await put(0, "bob", 1)).statuses).toEqual([100, 201]);
    });

    test("without Redis each process grants a tenth, and with it again the whole", async () => {
      await redis.stop();
      expect((await put(0, "eve", MEBIBYTE)).statuses).toEqual([100, 201]);
      expect((await put(0, "eve", 1)).statuses).toEqual([429]);
      expect((await put(1, "eve", 2 * MEBIBYTE)).statuses).toEqual([429]);
      expect((await put(1, "eve", MEBIBYTE)).statuses).toEqual([100, 201]);
      await redis.start();
      for (const i of [0, 1]) await untilShared(i);
      expect((await put(0, "eve", 5 * MEBIBYTE)).statuses).toEqual([100, 201]);
    });
  },
);
