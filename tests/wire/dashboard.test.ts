import { channel } from "node:diagnostics_channel";
import { once } from "node:events";
import * as fs from "node:fs/promises";
import * as http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import connect from "connect";
import express, { type RequestHandler } from "express";
import express4 from "express4";
import helmet from "helmet";
import { type Dashboard, type DashboardOptions, dashboard } from "../../src/dashboard/dashboard.js";
import { attach, concurrency, diskSpace, expectations, maxSize, type Policy, silent } from "../../src/index.js";
import { Aggregate } from "../../src/report/aggregate.js";
import { contentSecurityPolicy } from "../../src/report/page/page.js";
import type { Summary } from "../../src/report/summary.js";
import { deadline } from "../helpers/deadline.js";
import { closeSessions, openSession } from "../helpers/http2.js";
import { closeServers, listen, recordingLogger, startAttached, store } from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";

const CHANNELS = ["accept", "refuse", "error", "place"].map((name) => channel(`express-expectations:${name}`));
const KINDS = ["Express 5", "Express 4", "Connect"] as const;

let boards: Dashboard[] = [];
let clients: WireClient[] = [];

afterEach(async () => {
  jest.useRealTimers();
  for (const board of boards) board.close();
  for (const client of clients) client.destroy();
  boards = [];
  clients = [];
  closeSessions();
  await closeServers();
  // Whatever was mounted and closed has left nothing behind.
  expect(CHANNELS.map(({ hasSubscribers }) => hasSubscribers)).toEqual([false, false, false, false]);
});

function board(options: DashboardOptions = { logger: silent }): Dashboard {
  const made = dashboard(options);
  boards.push(made);
  return made;
}

/** Intervals, the time of day and `performance` are the test's; what sockets and deadlines go by is real. */
function useFakeClock(): void {
  jest.useFakeTimers({ doNotFake: ["nextTick", "setImmediate", "queueMicrotask", "setTimeout"] });
}

type App = http.RequestListener & { use(path: string, handler: RequestHandler): unknown };

function mounted(kind: (typeof KINDS)[number], handler: Dashboard): http.Server {
  const make = { "Express 5": express, "Express 4": express4, Connect: connect }[kind];
  const app = make() as unknown as App;
  app.use("/ops", handler);
  app.use("/", ((_req, res) => void res.writeHead(404).end("not the dashboard")) as RequestHandler);
  return http.createServer(app);
}

async function start(handler: Dashboard, kind: (typeof KINDS)[number] = "Express 5"): Promise<number> {
  return (await listen(mounted(kind, handler))).port;
}

async function ask(port: number, target: string, method = "GET"): Promise<WireClient> {
  const wire = await WireClient.connect(port, { methods: [method] });
  clients.push(wire);
  wire.send(`${method} ${target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n`);
  return wire;
}

async function get(port: number, target: string, method = "GET") {
  return (await ask(port, target, method)).final();
}

async function summaryOf(port: number): Promise<Summary> {
  return JSON.parse((await get(port, "/ops/summary.json")).body);
}

/** A reader of the events, and what it has been told. */
class Reader {
  constructor(readonly wire: WireClient) {}

  static async open(port: number): Promise<Reader> {
    const reader = new Reader(await ask(port, "/ops/events"));
    await reader.until(1);
    return reader;
  }

  get told(): Summary[] {
    const text = this.wire.responses[0]?.body ?? "";
    return [...text.matchAll(/^data: (.*)\n\n/gm)].map(([, json]) => JSON.parse(json as string));
  }

  get heartbeats(): number {
    return [...(this.wire.responses[0]?.body ?? "").matchAll(/^:\n\n/gm)].length;
  }

  until(count: number): Promise<void> {
    return this.wire.until(`${count} summaries`, () => this.told.length >= count);
  }
}

/** A reader of the events without a connection, and what is written to it. */
function readerOf(handler: Dashboard, { isSlow }: { isSlow: boolean }) {
  const written: string[] = [];
  const write = (text: string) => {
    written.push(text);
    return !isSlow;
  };
  const req = Object.assign(new http.IncomingMessage(null as never), { method: "GET", url: "/events" });
  const res = Object.assign(new http.ServerResponse(req), { write });
  handler(req, res, () => {});
  return { res, written };
}

function refusal(changes: object = {}): object {
  return {
    event: "expectation.refused",
    method: "PUT",
    url: "/files/1",
    route: "/files/:name",
    status: 413,
    policy: "maxSize",
    expectation: "100-continue",
    declaredLength: 1_000,
    bytesSpared: 1_000,
    client: "192.0.2.1",
    userAgent: "curl/8.5.0",
    durationMs: 0.5,
    httpVersion: "1.1",
    ...changes,
  };
}

const publish = (record: unknown, name = "refuse") => channel(`express-expectations:${name}`).publish({ record });

describe.each(KINDS)("%s", (kind) => {
  test("shows the page at its mount, with the policy that lets its script run", async () => {
    const port = await start(board(), kind);
    publish(refusal());
    const page = await get(port, "/ops/");
    expect(page.status).toBe(200);
    expect(page.headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "content-security-policy": `${contentSecurityPolicy(true)}; frame-ancestors 'none'`,
    });
    const data = /id="summary">(.*?)<\/script>/s.exec(page.body)?.[1] ?? "";
    expect(JSON.parse(data)).toMatchObject({ refused: 1, bytesSpared: 1_000 });
  });

  test.each([
    ["/ops", "./ops/"],
    ["/ops?from=mail", "./ops/?from=mail"],
  ])("sends %s to where relative URLs work", async (target, location) => {
    const port = await start(board(), kind);
    const answer = await get(port, target);
    expect(answer).toMatchObject({ status: 302, headers: { location, "cache-control": "no-store" } });
    expect((await get(port, new URL(location, `http://test${target}`).pathname)).status).toBe(200);
  });

  test("passes on what it does not know, and every other method", async () => {
    const port = await start(board(), kind);
    const others = [
      ["GET", "/ops/other"],
      ["GET", "/ops/events/"],
      ["GET", "/ops/__proto__"],
      ["POST", "/ops/"],
      ["DELETE", "/ops/summary.json"],
      ["OPTIONS", "/ops/events"],
    ] as const;
    for (const [method, target] of others) {
      expect(await get(port, target, method)).toMatchObject({ status: 404, body: "not the dashboard" });
    }
  });

  test("answers HEAD with the head alone", async () => {
    const port = await start(board(), kind);
    for (const [target, type] of [
      ["/ops/", "text/html; charset=utf-8"],
      ["/ops/summary.json", "application/json; charset=utf-8"],
      ["/ops/events", "text/event-stream; charset=utf-8"],
    ] as const) {
      const wire = await ask(port, target, "HEAD");
      expect(await wire.final()).toMatchObject({ status: 200, headers: { "content-type": type } });
      await wire.fin();
      expect(wire.text.slice(wire.text.indexOf("\r\n\r\n") + 4)).toBe("");
    }
  });
});

test("redirects to no other host", async () => {
  const handler = board();
  const { port } = await listen(
    http.createServer((req, res) => {
      Object.assign(req, { originalUrl: req.url, url: "/" });
      handler(req, res, () => res.end("next"));
    }),
  );
  expect((await get(port, "//elsewhere.example")).headers.location).toBe("./elsewhere.example/");
  expect((await get(port, "/a/javascript:alert(1)")).headers.location).toBe("./javascript:alert(1)/");
});

test("replaces the policy that helmet sets", async () => {
  const app = express().use(helmet()).use("/ops", board());
  const { port } = await listen(http.createServer(app));
  const { headers } = await get(port, "/ops/");
  expect(headers["content-security-policy"]).toBe(`${contentSecurityPolicy(true)}; frame-ancestors 'none'`);
  expect(headers["x-frame-options"]).toBe("SAMEORIGIN");
});

test("counts what the guards of this process decide", async () => {
  const guarded = await startAttached("Express 5", {
    routes: { "/upload": [expectations({ policies: [maxSize(10)], logger: silent }), store] },
  });
  const port = await start(board());
  const put = async (length: number) => {
    const wire = await WireClient.connect(guarded.port);
    clients.push(wire);
    const head = ["PUT /upload HTTP/1.1", "Host: test", "User-Agent: curl/8.5.0", "Expect: 100-continue"];
    wire.send([...head, `Content-Length: ${length}`, "", ""].join("\r\n"));
    await wire.until("an answer", () => wire.statuses.length > 0);
    if (wire.statuses[0] === 100) wire.send("x".repeat(length));
    return (await wire.final()).status;
  };
  expect([await put(11), await put(3), await put(2_000)]).toEqual([413, 201, 413]);
  const summary = await summaryOf(port);
  expect(summary).toMatchObject({ schema: 2, refused: 2, errors: 0, accepted: 1, bytesSpared: 2_011 });
  expect(summary.by.policy.rows).toMatchObject([{ key: "maxSize", count: 2, bytesSpared: 2_011 }]);
  expect(summary.by.route.rows).toMatchObject([{ key: "/upload", count: 2 }]);
  expect(summary.by.software.rows).toMatchObject([{ key: "curl 8.5", count: 2 }]);
});

describe("what is in progress", () => {
  const guarded = async (...policies: Policy[]) => {
    const guard = expectations({ policies, logger: silent });
    const { port } = await startAttached(
      "Express 5",
      { use: [guard], routes: { "/upload": store } },
      { logger: silent },
    );
    return async () => {
      const wire = await WireClient.connect(port);
      clients.push(wire);
      wire.send("PUT /upload HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
      return wire;
    };
  };
  const places = ({ now }: Summary) =>
    now?.places.map(({ policy, inUse, waiting, full }) => [policy, inUse, waiting, full]);

  test("is told live: places that are taken, uploads that wait, and those for which there is no place", async () => {
    const port = await start(board());
    const begin = await guarded(concurrency({ name: "clips", limit: 1, maxWaiting: 1, maxWaitMs: 9_000 }));
    const reader = await Reader.open(port);
    const told = (row: unknown[]) =>
      reader.wire.until(`${row}`, () => reader.told.some((summary) => String(places(summary)) === String(row)));
    const first = await begin();
    await first.status(100);
    await told(["clips", 1, 0, 0]);
    const second = await begin();
    await told(["clips", 1, 1, 0]);
    expect((await (await begin()).final()).status).toBe(503);
    await told(["clips", 1, 1, 1]);
    first.send("hello");
    await second.status(100);
    await told(["clips", 1, 0, 1]);
    second.send("hello");
    await told(["clips", 0, 0, 1]);
    const summary = await summaryOf(port);
    expect(summary.now?.places[0]?.waitedMs?.max).toBeGreaterThan(0);
    expect(summary.by.policy.rows).toMatchObject([{ key: "concurrency", count: 1 }]);
  });

  test("has the disk space that policies look at", async () => {
    const path = await fs.mkdtemp(join(tmpdir(), "expectations-dashboard-"));
    try {
      const begin = await guarded(diskSpace({ path, keepFree: 0 }));
      const port = await start(board());
      await (await begin()).status(100);
      const row = (await summaryOf(port)).now?.spaces.find((space) => space.path === path);
      expect(row).toEqual({ path, freeBytes: expect.any(Number), expectedBytes: 5 });
    } finally {
      await fs.rmdir(path);
    }
  });

  test("names the policy that cut an upload off", async () => {
    const port = await start(board());
    publish(refusal());
    publish(refusal({ policy: "body-rate", cutOffAfter: 5_000 }));
    expect((await summaryOf(port)).by.cutOff.rows).toMatchObject([{ key: "body-rate", count: 1 }]);
  });
});

describe("events", () => {
  test("begin with a summary, and go on when something has changed, once a second at most", async () => {
    const port = await start(board());
    publish(refusal());
    const reader = await Reader.open(port);
    expect(reader.wire.responses[0]?.headers).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
    });
    expect(reader.told).toMatchObject([{ refused: 1 }]);
    const before = performance.now();
    for (let i = 0; i < 100; i++) publish(refusal());
    await reader.until(2);
    publish(refusal({ event: "expectation.error", status: 500, policy: "broken" }), "error");
    await reader.until(3);
    expect(performance.now() - before).toBeGreaterThan(950);
    expect(reader.told.map(({ refused, errors }) => [refused, errors])).toEqual([
      [1, 0],
      [101, 0],
      [101, 1],
    ]);
  });

  test("keep quiet while nothing changes, but for a heartbeat, and forget what is too old", async () => {
    useFakeClock();
    const port = await start(board({ sinceMs: 60_000, logger: silent }));
    publish(refusal());
    const reader = await Reader.open(port);
    jest.advanceTimersByTime(30_000);
    await reader.wire.until("two heartbeats", () => reader.heartbeats === 2);
    expect(reader.told).toHaveLength(1);
    jest.advanceTimersByTime(31_000);
    await reader.until(2);
    expect(reader.told.map(({ refused }) => refused)).toEqual([1, 0]);
  });

  test("end with the reader, and so does the timer", async () => {
    const clear = jest.spyOn(globalThis, "clearInterval");
    try {
      const port = await start(board());
      const [first, second] = [await Reader.open(port), await Reader.open(port)];
      clear.mockClear();
      first.wire.destroy();
      second.wire.destroy();
      const end = performance.now() + deadline(5_000);
      while (clear.mock.calls.length === 0 && performance.now() < end) await new Promise(setImmediate);
      expect(clear).toHaveBeenCalledTimes(1);
    } finally {
      clear.mockRestore();
    }
  });

  test("have 50 readers at most; a place that becomes free is given away again", async () => {
    const port = await start(board());
    const readers = await Promise.all(Array.from({ length: 50 }, () => Reader.open(port)));
    const surplus = await get(port, "/ops/events");
    expect(surplus).toMatchObject({ status: 503, headers: { "retry-after": "10", "cache-control": "no-store" } });
    readers[0]?.wire.destroy();
    const end = performance.now() + deadline(5_000);
    let status = 503;
    while (status === 503 && performance.now() < end) {
      const wire = await ask(port, "/ops/events");
      await wire.until("an answer", () => wire.responses.length > 0);
      status = wire.responses[0]?.status ?? 0;
    }
    expect(status).toBe(200);
  });

  test("are told to readers on HTTP/2", async () => {
    const handler = board();
    publish(refusal());
    const server = await startAttached("h2c Connect", { use: [handler as never] });
    const session = await openSession(server);
    const firstOf = async (path: string) => {
      const stream = session.request({ ":path": path }).setEncoding("utf8");
      const [[headers], [text]] = await Promise.all([once(stream, "response"), once(stream, "data")]);
      expect(headers[":status"]).toBe(200);
      return { stream, text: text as string };
    };
    expect((await firstOf("/")).text).toMatch(/^<!doctype html>/);
    const { stream, text } = await firstOf("/events");
    expect(JSON.parse(text.slice("data: ".length))).toMatchObject({ refused: 1 });
    handler.close();
    await once(stream.resume(), "close");
  });

  test("that a reader does not take are not kept for it, and in the end it is cut off", async () => {
    useFakeClock();
    const { res, written } = readerOf(board(), { isSlow: true });
    expect(written).toHaveLength(1);
    for (let i = 0; i < 29; i++) {
      publish(refusal());
      jest.advanceTimersByTime(1_000);
    }
    expect([written.length, res.destroyed]).toEqual([1, false]);
    jest.advanceTimersByTime(1_000);
    expect([written.length, res.destroyed]).toEqual([1, true]);
  });
});

describe("summing up", () => {
  let sums = 0;
  beforeEach(() => {
    sums = 0;
    const { summary } = Aggregate.prototype;
    jest.spyOn(Aggregate.prototype, "summary").mockImplementation(function (this: Aggregate) {
      sums++;
      return summary.call(this);
    });
  });
  afterEach(() => void jest.restoreAllMocks());

  test("happens once a second at most, for the page, the numbers and all events together", async () => {
    useFakeClock();
    const port = await start(board());
    const readers = [await Reader.open(port), await Reader.open(port)];
    const refused = async () => {
      const page = await get(port, "/ops/");
      const shown = JSON.parse(/id="summary">(.*?)<\/script>/s.exec(page.body)?.[1] ?? "").refused;
      return [shown, (await summaryOf(port)).refused];
    };
    expect(sums).toBe(1);
    for (const second of [1, 2, 3]) {
      for (let i = 0; i < 5; i++) {
        publish(refusal({ client: `192.0.2.${second}${i}` }));
        expect(await refused()).toEqual([5 * (second - 1), 5 * (second - 1)]);
        await get(port, "/ops/", "HEAD");
      }
      expect(sums).toBe(second);
      jest.advanceTimersByTime(1_000);
      for (const reader of readers) await reader.until(second + 1);
      expect(await refused()).toEqual([5 * second, 5 * second]);
      expect(sums).toBe(second + 1);
    }
    expect(readers.map(({ told }) => told.map((summary) => summary.refused))).toEqual([
      [0, 5, 10, 15],
      [0, 5, 10, 15],
    ]);
  });

  test("does not happen again while nothing changes", async () => {
    useFakeClock();
    const port = await start(board());
    for (let i = 0; i < 5; i++) {
      await summaryOf(port);
      jest.advanceTimersByTime(10_000);
    }
    expect(sums).toBe(1);
  });
});

test("events come less often where summing up takes long", () => {
  useFakeClock();
  let now = 0;
  const clock = jest.spyOn(performance, "now").mockImplementation(() => now);
  const sum = jest.spyOn(Aggregate.prototype, "summary").mockImplementation(() => {
    now += 200;
    return {} as Summary;
  });
  try {
    const { written } = readerOf(board(), { isSlow: false });
    const counts = [1, 2, 3, 4, 5].map(() => {
      publish(refusal());
      now += 1_000;
      jest.advanceTimersByTime(1_000);
      return written.length;
    });
    expect(counts).toEqual([1, 1, 1, 2, 2]);
  } finally {
    clock.mockRestore();
    sum.mockRestore();
  }
});

describe("what is kept", () => {
  test("is the latest decisions, as many as asked for", async () => {
    const port = await start(board({ maxRecords: 3, logger: silent }));
    for (const client of ["a", "b", "c", "d", "e"]) publish(refusal({ client }));
    const summary = await summaryOf(port);
    expect(summary.refused).toBe(3);
    expect(summary.by.client.rows.map(({ key }) => key).sort()).toEqual(["c", "d", "e"]);
  });

  test("is no older than asked for", async () => {
    useFakeClock();
    const port = await start(board({ sinceMs: 2_000, maxRecords: 4, logger: silent }));
    for (const client of ["a", "b", "c"]) publish(refusal({ client }));
    jest.advanceTimersByTime(2_000);
    for (const client of ["d", "e", "f"]) publish(refusal({ client }));
    expect((await summaryOf(port)).refused).toBe(4);
    jest.advanceTimersByTime(1_000);
    expect((await summaryOf(port)).by.client.rows.map(({ key }) => key).sort()).toEqual(["d", "e", "f"]);
    jest.advanceTimersByTime(9_000);
    expect((await summaryOf(port)).refused).toBe(0);
    publish(refusal({ client: "g" }));
    jest.advanceTimersByTime(1_000);
    expect((await summaryOf(port)).by.client.rows.map(({ key }) => key)).toEqual(["g"]);
  });

  test("is short, however long the values are", async () => {
    const port = await start(board());
    publish(refusal({ userAgent: "x".repeat(1_000_000), policy: "y".repeat(1_000_000), route: "z".repeat(1_000_000) }));
    expect(JSON.stringify(await summaryOf(port)).length).toBeLessThan(4_000);
  });
});

test("a message that cannot be read disturbs nobody, and is told once", async () => {
  const logger = recordingLogger();
  const port = await start(board({ logger }));
  for (const message of [undefined, null, "text", {}, { record: undefined }, { record: null }]) {
    for (const each of CHANNELS) each.publish(message);
  }
  const hostile = {
    get event(): string {
      throw new Error("no event");
    },
  };
  publish(hostile);
  publish({ event: "somebody else's" });
  publish(refusal({ status: "413", client: { toString: 1 }, bytesSpared: Number.NaN, durationMs: -1 }));
  expect(await summaryOf(port)).toMatchObject({ refused: 1, bytesSpared: 0 });
  expect(logger.records.map(({ level, message }) => [level, message])).toEqual([
    ["error", "the dashboard could not read a message; this is said once"],
  ]);
});

test("close() ends the streams, stops listening and passes everything on", async () => {
  const handler = board();
  const port = await start(handler);
  const reader = await Reader.open(port);
  handler.close();
  await reader.wire.fin();
  expect(CHANNELS.map(({ hasSubscribers }) => hasSubscribers)).toEqual([false, false, false, false]);
  expect(await get(port, "/ops/")).toMatchObject({ status: 404, body: "not the dashboard" });
  handler.close();
});

test("a server with a dashboard on it closes after close()", async () => {
  const handler = board();
  const server = attach(mounted("Express 5", handler));
  const { port } = await listen(server);
  const reader = await Reader.open(port);
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  handler.close();
  await reader.wire.closed();
  await closed;
});

describe("dashboard(options)", () => {
  test("listens from then on, and not before", () => {
    expect(CHANNELS.map(({ hasSubscribers }) => hasSubscribers)).toEqual([false, false, false, false]);
    board();
    expect(CHANNELS.map(({ hasSubscribers }) => hasSubscribers)).toEqual([true, true, true, true]);
  });

  test.each([
    [{ since: 1 }, 'dashboard(options): unknown option "since"; did you mean sinceMs?'],
    [{ sinceMs: 0 }, "sinceMs: received 0; expected a whole number from 1 to 2147483647"],
    [{ maxRecords: 1.5 }, "maxRecords: received 1.5; expected a whole number from 1 to 1000000"],
    [{ maxRecords: 1_000_001 }, "maxRecords: received 1000001; expected a whole number from 1 to 1000000"],
    [{ logger: {} }, "logger: received object without the methods warn and error"],
    [null, "dashboard(options): received null; expected an object"],
  ])("%j is refused", (options, message) => {
    expect(() => dashboard(options as never)).toThrow(
      expect.objectContaining({ code: "ERR_EXPECT_OPTION", message: expect.stringContaining(message) }),
    );
  });
});
