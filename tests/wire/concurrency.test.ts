import { afterEach, describe, expect, test } from "@jest/globals";
import { concurrency, expectations, refuse, silent } from "../../src/index.js";
import { deadline } from "../helpers/deadline.js";
import { closeSessions, exchange, openSession } from "../helpers/http2.js";
import {
  closeServers,
  type Handler,
  HTTP1_KINDS,
  HTTP2_KINDS,
  isTlsKind,
  next,
  startAttached,
  store,
} from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";

afterEach(async () => {
  closeSessions();
  await closeServers();
});

const HEAD = "PUT /files HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";

function guardOf(limit: number): Handler {
  return expectations({ logger: silent, policies: [concurrency({ limit })] }) as Handler;
}

describe.each(HTTP1_KINDS)("%s", (kind) => {
  async function serve(files: Handler | Handler[] = store, limit = 1) {
    const parts = { use: [guardOf(limit)], routes: { "/files": files, "/next": next } };
    const { port } = await startAttached(kind, parts, { logger: silent });
    return () => WireClient.connect(port, { tls: isTlsKind(kind) });
  }

  async function answer(connect: () => Promise<WireClient>): Promise<{ wire: WireClient; status: number }> {
    const wire = await connect();
    wire.send(HEAD);
    await wire.until("an answer", () => wire.statuses.length > 0);
    return { wire, status: wire.statuses[0] as number };
  }

  /** The place is free again a moment after the answer has arrived. */
  async function untilFree(connect: () => Promise<WireClient>): Promise<WireClient> {
    const end = performance.now() + deadline(5_000);
    for (;;) {
      const { wire, status } = await answer(connect);
      if (status === 100) return wire;
      wire.destroy();
      if (performance.now() > end) throw new Error("the place did not get free");
    }
  }

  test("refuses with 503 while the place is taken, before a byte is sent, and accepts when it is free", async () => {
    const connect = await serve();
    const first = await answer(connect);
    expect(first.status).toBe(100);
    const second = await answer(connect);
    expect(await second.wire.final()).toMatchObject({
      status: 503,
      headers: { "retry-after": "5", connection: "close" },
    });
    expect(second.wire.statuses).toEqual([503]);
    first.wire.send("hello");
    expect((await first.wire.final()).body).toBe("stored 5");
    await untilFree(connect);
    expect((await answer(connect)).status).toBe(503);
  });

  test("frees the place of a client that leaves, once", async () => {
    const connect = await serve();
    const first = await answer(connect);
    first.wire.send("he");
    first.wire.destroy();
    await untilFree(connect);
    expect((await answer(connect)).status).toBe(503);
  });

  test.each<[what: string, files: Handler | Handler[], status: number]>([
    ["a handler that does not read", (_req, res) => void res.end(), 200],
    ["a handler that throws", (_req, _res, done) => done(new Error("broken")), 500],
    [
      "a guard on the route that refuses",
      [expectations({ logger: silent, policies: [() => refuse(403)] }) as Handler],
      403,
    ],
  ])("frees the place behind %s, once", async (_what, files, status) => {
    const connect = await serve(files);
    const end = performance.now() + deadline(5_000);
    for (let answered = 0; answered < 5; ) {
      const wire = await connect();
      wire.send(HEAD);
      const { status: received } = await wire.final();
      wire.destroy();
      if (received === status) answered++;
      else if (performance.now() > end) throw new Error(`received ${received}`);
    }
  });
});

test.each(HTTP2_KINDS)("%s: streams of one session take places, and free them", async (kind) => {
  const parts = { use: [guardOf(1)], routes: { "/files": store } };
  const session = await openSession(await startAttached(kind, parts, { logger: silent }));
  const put = { ":method": "PUT", ":path": "/files", expect: "100-continue", "content-length": 5 };
  const held = session.request(put, { endStream: false });
  held.on("error", () => {});
  await new Promise((resolve) => held.once("headers", resolve));
  expect(await exchange(session, put, { content: "hello" })).toMatchObject({ status: 503, bodySent: 0 });
  held.close(8);
  const end = performance.now() + deadline(5_000);
  let status = 503;
  while (status === 503 && performance.now() < end) {
    ({ status } = await exchange(session, put, { content: "hello" }));
  }
  expect(status).toBe(201);
});

test("1,000 clients of which many die: never more than 10 at a time, and all 10 places are free at the end", async () => {
  const LIMIT = 10;
  let inFlight = 0;
  let most = 0;
  let accepted = 0;
  // Counts by the request itself, beside the policy's own book-keeping.
  const counted: Handler = (req, res, done) => {
    accepted++;
    inFlight++;
    most = Math.max(most, inFlight);
    res.once("close", () => inFlight--);
    store(req, res, done);
  };
  const parts = { use: [guardOf(LIMIT)], routes: { "/files": counted } };
  const { port } = await startAttached("Express 5", parts, { logger: silent });

  let seed = 20_261_122;
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed / 2 ** 31;
  };
  const outcomes = { stored: 0, died: 0 };
  let refusals = 0;

  /** Comes back after each refusal, until it has stored its upload or is dead. */
  async function client(): Promise<void> {
    const fate = random();
    for (;;) {
      const wire = await WireClient.connect(port);
      wire.send(HEAD);
      if (fate < 0.2) {
        await new Promise((resolve) => setTimeout(resolve, random() * 5));
        wire.destroy();
        outcomes.died++;
        return;
      }
      await wire.until("an answer", () => wire.statuses.length > 0);
      if (wire.statuses[0] === 503) {
        refusals++;
        // The first of the crowd has been turned away: the others may have the places.
        for (const holder of holders.splice(0)) holder.send("hello");
        wire.destroy();
        await new Promise((resolve) => setTimeout(resolve, random() * 50));
        continue;
      }
      wire.send("he");
      await new Promise((resolve) => setTimeout(resolve, random() * 10));
      if (fate < 0.5) outcomes.died++;
      else {
        wire.send("llo");
        expect((await wire.final()).body).toBe("stored 5");
        outcomes.stored++;
      }
      wire.destroy();
      return;
    }
  }

  // All places are taken before the crowd comes, however slow the machine is.
  const holders = await Promise.all(Array.from({ length: LIMIT }, () => WireClient.connect(port)));
  const taken = [...holders];
  for (const holder of holders) holder.send(HEAD);
  await Promise.all(holders.map((holder) => holder.status(100)));

  let started = 0;
  const worker = async () => {
    while (started++ < 1_000) await client();
  };
  await Promise.all(Array.from({ length: 100 }, worker));
  for (const holder of taken) holder.destroy();

  expect(outcomes.stored + outcomes.died).toBe(1_000);
  expect(outcomes.stored).toBeGreaterThan(400);
  expect(outcomes.died).toBeGreaterThan(400);
  expect(refusals).toBeGreaterThan(0);
  expect(accepted).toBeGreaterThan(outcomes.stored);
  expect(most).toBe(LIMIT);

  const end = performance.now() + deadline(5_000);
  while (inFlight > 0) {
    if (performance.now() > end) throw new Error(`${inFlight} still in flight`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const held = await Promise.all(
    Array.from({ length: LIMIT + 1 }, async () => {
      const wire = await WireClient.connect(port);
      wire.send(HEAD);
      await wire.until("an answer", () => wire.statuses.length > 0);
      return wire;
    }),
  );
  expect(held.map((wire) => wire.statuses[0]).sort()).toEqual([...Array<number>(LIMIT).fill(100), 503]);
  for (const wire of held) wire.destroy();
}, 60_000);
