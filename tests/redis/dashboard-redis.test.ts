import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { type Dashboard, type DecisionSource, dashboard, fromRedis } from "../../src/dashboard/dashboard.js";
import { letterOf } from "../../src/dashboard/letter.js";
import { silent } from "../../src/index.js";
import { refuseChannel } from "../../src/observe/diagnostics.js";
import { until } from "../helpers/until.js";
import { RedisServer, reasonToSkipRedis } from "./redis-server.js";

const reason = reasonToSkipRedis();

let server: RedisServer;
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  if (reason === undefined) server = await RedisServer.start();
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

afterAll(async () => {
  if (reason === undefined) await server.remove();
});

async function ioredis(): Promise<Redis> {
  const client = new Redis(server.url, { retryStrategy: () => 20 });
  client.on("error", () => {});
  ends.push(() => client.disconnect());
  return client;
}

async function nodeRedis() {
  const client = createClient({ url: server.url, socket: { reconnectStrategy: 20 } });
  client.on("error", () => {});
  await client.connect();
  ends.push(() => client.destroy());
  return client;
}

/** A process of its own, as far as Redis knows. */
const CLIENTS = {
  ioredis: async (more = {}) => fromRedis({ publisher: await ioredis(), subscriber: await ioredis(), ...more }),
  "node-redis": async (more = {}) =>
    fromRedis({ publisher: await nodeRedis(), subscriber: await nodeRedis(), ...more }),
};

function board(from: DecisionSource): Dashboard {
  const made = dashboard({ from, logger: silent });
  ends.push(() => made.close());
  return made;
}

function refusedOn(page: Dashboard): number {
  let body = "";
  const res = {
    writeHead: () => res,
    end: (text: string) => {
      body = text;
    },
  };
  page({ method: "GET", url: "/summary.json", headers: {} } as never, res as never, () => {});
  return JSON.parse(body).refused;
}

const RECORD = { event: "expectation.refused", method: "PUT", url: "/files", status: 413, policy: "maxSize" };

/** Publishes as another process until a page shows it. Returns how often it has done so. */
async function publishUntilSeen(other: DecisionSource, page: Dashboard): Promise<void> {
  const before = refusedOn(page);
  await until("the page shows it", async () => {
    await other.publish(letterOf("another", [RECORD]));
    // Numbers are a second old at most.
    await new Promise((resolve) => setTimeout(resolve, 50));
    return refusedOn(page) > before;
  });
}

const describeRedis = reason === undefined ? describe : describe.skip;

describeRedis.each(Object.keys(CLIENTS) as (keyof typeof CLIENTS)[])("%s", (name) => {
  test("brings the decisions of another process, each once", async () => {
    const [own, other] = [await CLIENTS[name](), await CLIENTS[name]()];
    const texts: string[] = [];
    ends.push(
      own.subscribe(
        (text) => texts.push(text),
        () => {},
      ),
    );
    await until("the subscription has begun", async () => {
      await other.publish("begin");
      return texts.length > 0;
    });
    const page = board(own);
    await other.publish(letterOf("another", [RECORD, RECORD]));
    await other.publish("end");
    await until("all texts are there", () => texts.at(-1) === "end");
    await until("the page shows it", () => refusedOn(page) > 0);
    expect(refusedOn(page)).toBe(2);
  });

  test("takes the decisions of this process to another one", async () => {
    const [own, other] = [await CLIENTS[name](), await CLIENTS[name]()];
    board(own);
    const texts: string[] = [];
    ends.push(
      other.subscribe(
        (text) => texts.push(text),
        () => {},
      ),
    );
    await until("it is there", () => {
      refuseChannel.publish({ req: {}, record: RECORD });
      return texts.length > 0;
    });
    expect(JSON.parse(texts[0] as string)).toMatchObject({ version: 1, records: expect.arrayContaining([RECORD]) });
  });

  test("goes on when Redis has been away", async () => {
    const [own, other] = [await CLIENTS[name](), await CLIENTS[name]()];
    const page = board(own);
    await publishUntilSeen(other, page);
    await server.stop();
    refuseChannel.publish({ req: {}, record: RECORD });
    await server.start();
    await publishUntilSeen(other, page);
  });

  test("keeps to its channel", async () => {
    const [own, other] = [await CLIENTS[name](), await CLIENTS[name]({ channel: "elsewhere" })];
    const page = board(own);
    await publishUntilSeen(await CLIENTS[name](), page);
    const before = refusedOn(page);
    await other.publish(letterOf("another", [RECORD]));
    await publishUntilSeen(await CLIENTS[name](), page);
    expect(refusedOn(page)).toBeGreaterThan(before);
  });
});
