import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";
import {
  type AcceptMessage,
  type ContentMessage,
  expectations,
  type FaultMessage,
  type LingerEndMessage,
  maxSize,
  type Policy,
  type RefuseMessage,
  refuse,
  silent,
} from "../../src/index.js";
import { gauges } from "../../src/observe/diagnostics.js";
import { deadline } from "../helpers/deadline.js";
import { closeSessions, exchange, openSession } from "../helpers/http2.js";
import { closeServers, type Handler, HTTP1_KINDS, isTlsKind, next, startAttached, store } from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { WireClient } from "../helpers/wire.js";

interface Heard {
  readonly accept: AcceptMessage[];
  readonly refuse: RefuseMessage[];
  readonly error: FaultMessage[];
  readonly content: ContentMessage[];
  readonly "linger-end": LingerEndMessage[];
}

const LINGER_MS = deadline(400);
const NAMES = ["accept", "refuse", "error", "content", "linger-end"] as const;

let undo: (() => void)[] = [];

// Channels are the process's own, and what the file before this one left may still be ending.
const nothingLingers = () => until("nothing lingers", () => gauges().lingeringConnections === 0);
beforeAll(nothingLingers);

afterEach(async () => {
  closeSessions();
  await closeServers();
  await nothingLingers();
  for (const each of undo) each();
  undo = [];
});

function on(name: (typeof NAMES)[number], subscriber: (message: unknown) => void): void {
  const channel = `express-expectations:${name}`;
  subscribe(channel, subscriber);
  undo.push(() => unsubscribe(channel, subscriber));
}

function listenToAll(): Heard {
  const heard: Heard = { accept: [], refuse: [], error: [], content: [], "linger-end": [] };
  for (const name of NAMES) on(name, (message) => heard[name].push(message as never));
  return heard;
}

const counts = (heard: Heard) => NAMES.map((name) => heard[name].length);

const EXPECT = "PUT /files HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\n";
const five = `${EXPECT}Content-Length: 5\r\n\r\n`;

describe.each(HTTP1_KINDS)("%s", (kind) => {
  async function serve(policies: readonly Policy[], options: object = {}, handler: Handler = store) {
    const heard = listenToAll();
    const guard = expectations({ logger: silent, policies, ...options }) as Handler;
    const { port } = await startAttached(
      kind,
      { routes: { "/files": [guard, guard, handler], "/next": next } },
      { logger: silent, lingerMs: LINGER_MS },
    );
    return { heard, wire: await WireClient.connect(port, { tls: isTlsKind(kind) }) };
  }

  test("tells of one acceptance, however many guards there are, and of the first content", async () => {
    const { heard, wire } = await serve([() => true]);
    wire.send(five);
    await wire.status(100);
    expect(counts(heard)).toEqual([1, 0, 0, 0, 0]);
    expect(heard.accept[0]?.record).toMatchObject({
      event: "expectation.accepted",
      method: "PUT",
      url: "/files",
      status: 100,
      expectation: "100-continue",
      declaredLength: 5,
      httpVersion: "1.1",
      client: expect.stringContaining("127.0.0.1"),
      durationMs: expect.any(Number),
    });
    expect(heard.accept[0]?.req.method).toBe("PUT");
    wire.send("he");
    await until("content is told of", () => heard.content.length > 0);
    expect(heard.content[0]?.waitedMs).toBeGreaterThan(0);
    wire.send("llo");
    expect((await wire.final()).status).toBe(201);
    expect(counts(heard)).toEqual([1, 0, 0, 1, 0]);
  });

  test("tells of an acceptance without a 100 where none is owed", async () => {
    const { heard, wire } = await serve([() => true]);
    wire.send("PUT /files HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello");
    await wire.final();
    wire.send("DELETE /files HTTP/1.1\r\nHost: test\r\n\r\n");
    await wire.final(2);
    expect(counts(heard)).toEqual([2, 0, 0, 0, 0]);
    for (const { record } of heard.accept) expect(record).not.toHaveProperty("status");
  });

  test("tells of an acceptance whose content nobody reads, when its response ends", async () => {
    const { heard, wire } = await serve([() => true], {}, next);
    wire.send(five);
    await wire.final();
    await until("the acceptance is told of", () => heard.accept.length === 1);
    expect(counts(heard)).toEqual([1, 0, 0, 0, 0]);
  });

  test("says nothing of a client that left during the verdict, and nothing of a request that no guard judged", async () => {
    let signal: AbortSignal | undefined;
    const { heard, wire } = await serve([
      (_req, upload) => {
        signal = upload.signal;
        return new Promise(() => {});
      },
    ]);
    expect(await wire.answersNext()).toBe(true);
    wire.send(five);
    await until("the policy is asked", () => signal !== undefined);
    const aborted = once(signal as unknown as EventTarget as never, "abort");
    wire.destroy();
    await aborted;
    await until("nothing is pending", () => gauges().pendingHandshakes === 0);
    expect(counts(heard)).toEqual([0, 0, 0, 0, 0]);
  });

  test("tells of a refusal, and of the end of its connection", async () => {
    const { heard, wire } = await serve([maxSize(4)]);
    wire.send(five);
    await wire.final();
    expect(heard.refuse.map(({ record }) => record)).toMatchObject([
      { event: "expectation.refused", status: 413, policy: "maxSize", declaredLength: 5, bytesSpared: 5 },
    ]);
    expect(gauges()).toEqual({ pendingHandshakes: 0, lingeringConnections: 1 });
    await wire.closed();
    await until("the end is told of", () => heard["linger-end"].length > 0);
    expect(heard["linger-end"]).toMatchObject([{ reason: "client", discardedBytes: 0 }]);
    expect(heard["linger-end"][0]?.durationMs).toBeGreaterThan(0);
    expect(gauges().lingeringConnections).toBe(0);
    expect(counts(heard)).toEqual([0, 1, 0, 0, 1]);
  });

  test("tells why a connection's lingering ended: its time", async () => {
    const { heard, wire } = await serve([() => refuse(403)]);
    wire.send(five, "hello");
    await wire.final();
    await until("the end is told of", () => heard["linger-end"].length > 0);
    expect(heard["linger-end"]).toMatchObject([{ reason: "time" }]);
    expect(heard["linger-end"][0]?.durationMs).toBeGreaterThanOrEqual(LINGER_MS);
  });

  test("tells of a fault, with its error", async () => {
    const { heard, wire } = await serve([
      () => {
        throw new Error("broken");
      },
    ]);
    wire.send(five);
    await wire.final();
    expect(heard.error).toMatchObject([
      { record: { event: "expectation.error", status: 500 }, error: { message: "broken" } },
    ]);
    expect(counts(heard).slice(0, 4)).toEqual([0, 0, 1, 0]);
  });

  test("tells of an acceptance, then of the refusal in the middle of the content", async () => {
    const { heard, wire } = await serve([maxSize(4)]);
    wire.send(`${EXPECT}Transfer-Encoding: chunked\r\n\r\n`);
    await wire.status(100);
    wire.send("5\r\nhello\r\n");
    expect((await wire.final()).status).toBe(413);
    expect(counts(heard).slice(0, 4)).toEqual([1, 1, 0, 1]);
  });

  test("counts the handshakes that are pending", async () => {
    const accept: ((verdict: boolean) => void)[] = [];
    const { wire } = await serve([() => new Promise<boolean>((resolve) => accept.push(resolve))]);
    wire.send(five);
    await until("the first guard asks", () => accept.length === 1);
    expect(gauges().pendingHandshakes).toBe(1);
    accept[0]?.(true);
    await until("the second guard asks", () => accept.length === 2);
    expect(gauges().pendingHandshakes).toBe(1);
    accept[1]?.(true);
    await wire.status(100);
    expect(gauges().pendingHandshakes).toBe(0);
    wire.send("hello");
    await wire.final();
    expect(gauges().pendingHandshakes).toBe(0);
  });

  test("subscribers that throw or reject change no response, and end nothing", async () => {
    const warnings = jest.spyOn(process, "emitWarning").mockImplementation(() => {});
    undo.push(() => warnings.mockRestore());
    for (const name of NAMES) {
      on(name, () => {
        throw new Error("a broken subscriber");
      });
      on(name, () => Promise.reject(new Error("a broken subscriber")) as never);
    }
    const { heard, wire } = await serve([maxSize(4)]);
    wire.send(`${EXPECT}Content-Length: 3\r\n\r\n`);
    await wire.status(100);
    wire.send("abc");
    expect((await wire.final()).status).toBe(201);
    wire.send(five);
    expect((await wire.final(2)).status).toBe(413);
    await wire.closed();
    await until("the end is told of", () => heard["linger-end"].length > 0);
    expect(wire.statuses).toEqual([100, 201, 413]);
    expect(counts(heard)).toEqual([1, 1, 0, 1, 1]);
    await until("eight warnings", () => warnings.mock.calls.length === 8);
    expect(warnings.mock.calls[0]?.[0]).toContain("a subscriber of express-expectations:accept threw: Error");
  });
});

test("HTTP/2: tells of acceptance, content and refusal", async () => {
  const heard = listenToAll();
  const guard = expectations({ logger: silent, policies: [maxSize(4)] }) as Handler;
  const session = await openSession(
    await startAttached("h2c", { routes: { "/files": [guard, store] } }, { logger: silent }),
  );
  const fields = { ":method": "PUT", ":path": "/files", expect: "100-continue" };
  expect((await exchange(session, fields, { content: "abc" })).status).toBe(201);
  expect((await exchange(session, { ...fields, "content-length": "5" })).status).toBe(413);
  expect(counts(heard)).toEqual([1, 1, 0, 1, 0]);
  expect(heard.accept[0]?.record).toMatchObject({ status: 100, httpVersion: "2.0" });
  expect(gauges().pendingHandshakes).toBe(0);
});
