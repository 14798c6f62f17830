import { once } from "node:events";
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { afterEach, describe, expect, test } from "@jest/globals";
import { type ConcurrencyOptions, concurrency, expectations, silent } from "../../src/index.js";
import { deadline } from "../helpers/deadline.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { closeSessions, exchange, openSession } from "../helpers/http2.js";
import {
  closeServers,
  type Handler,
  HTTP1_KINDS,
  HTTP2_KINDS,
  isTlsKind,
  next,
  recordingLogger,
  type ServerKind,
  startAttached,
} from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { PLAIN, UPLOAD, WireClient } from "../helpers/wire.js";

expectNothingDeadly();
afterEach(async () => {
  closeSessions();
  await closeServers();
});

const LONG_MS = deadline(20_000);

/** A server with a waiting room, and what its application has seen. */
async function serve(kind: ServerKind, options: Partial<ConcurrencyOptions> = {}) {
  const room = concurrency({ limit: 1, maxWaiting: 10, maxWaitMs: LONG_MS, ...options });
  const logger = recordingLogger();
  const seen: { name: string; bytes: number; isEnded: boolean }[] = [];
  const files: Handler = (req, res) => {
    const one = { name: String(req.headers["x-name"] ?? ""), bytes: 0, isEnded: false };
    seen.push(one);
    req.on("data", (chunk: Buffer) => {
      one.bytes += chunk.length;
    });
    req.on("end", () => {
      one.isEnded = true;
      res.statusCode = 201;
      res.end(`stored ${one.bytes}`);
    });
    req.on("error", () => {});
  };
  // Has its verdict, and reads nothing.
  const held: unknown[] = [];
  const guard = expectations({ logger, policyTimeoutMs: LONG_MS, policies: [room] }) as Handler;
  const routes = { "/files": files, "/held": ((req) => void held.push(req)) as Handler, "/next": next };
  const running = await startAttached(kind, { use: [guard], routes }, { logger: silent });
  const untilWaiting = (count: number) =>
    until(
      () => `${count} waiting, ${room.places.waiting} are`,
      () => room.places.waiting === count,
    );
  const untilInUse = (count: number) =>
    until(
      () => `${count} places in use, ${room.places.inUse} are`,
      () => room.places.inUse === count,
    );
  return { running, room, logger, seen, held, untilWaiting, untilInUse };
}

const headOf = (name: string, length = 5, expectation = true) =>
  [
    "PUT /files HTTP/1.1",
    "Host: test",
    `X-Name: ${name}`,
    `Content-Length: ${length}`,
    ...(expectation ? ["Expect: 100-continue"] : []),
    "",
    "",
  ].join("\r\n");

describe.each(HTTP1_KINDS)("%s", (kind) => {
  async function start(options?: Partial<ConcurrencyOptions>) {
    const server = await serve(kind, options);
    const connect = () => WireClient.connect(server.running.port, { tls: isTlsKind(kind) });
    /** A client whose upload waits behind all that have come before. */
    async function waiting(name: string): Promise<WireClient> {
      const before = server.room.places.waiting;
      const wire = await connect();
      wire.send(headOf(name));
      await server.untilWaiting(before + 1);
      return wire;
    }
    async function holding(name = "first"): Promise<WireClient> {
      const wire = await connect();
      wire.send(headOf(name));
      await wire.status(100);
      return wire;
    }
    return { ...server, connect, waiting, holding };
  }

  test("sends the 100 when a place is free, in the order of arrival, and keeps the connection", async () => {
    const { holding, waiting, room, seen } = await start();
    let current = await holding("a");
    const others = [await waiting("b"), await waiting("c"), await waiting("d")];
    for (const wire of others) {
      expect(others.map(({ text }) => text === "")).toEqual(
        others.map((other) => others.indexOf(other) >= others.indexOf(wire)),
      );
      current.send("hello");
      expect((await current.final()).body).toBe("stored 5");
      await wire.status(100);
      current = wire;
    }
    current.send("hello");
    await current.final();
    expect(await current.answersNext()).toBe(true);
    expect(seen.map(({ name }) => name)).toEqual(["a", "b", "c", "d"]);
    expect(room.places).toMatchObject({ inUse: 0, waiting: 0 });
  });

  test("refuses with 503 who has waited too long, and logs it as a refusal", async () => {
    const { holding, connect, logger, seen } = await start({ maxWaitMs: 50 });
    await holding();
    const late = await connect();
    late.send(UPLOAD);
    expect(await late.final()).toMatchObject({
      status: 503,
      headers: {
        "retry-after": "5",
        "ratelimit-policy": '"concurrency";q=1;qu="concurrent-requests"',
        ratelimit: '"concurrency";r=0;t=5',
        connection: "close",
      },
    });
    expect(late.statuses).toEqual([503]);
    expect(logger.records).toMatchObject([{ level: "warn", details: { status: 503, policy: "concurrency" } }]);
    expect(seen).toHaveLength(1);
  });

  test("refuses at once where the room is full", async () => {
    const { holding, waiting, connect } = await start({ maxWaiting: 1 });
    await holding();
    await waiting("second");
    const third = await connect();
    third.send(UPLOAD);
    expect((await third.final()).status).toBe(503);
  });

  test("who leaves while waiting gives up its place in the row at once", async () => {
    const { holding, waiting, untilWaiting, seen } = await start({ maxWaiting: 2 });
    const first = await holding("a");
    const leaving = await waiting("b");
    const staying = await waiting("c");
    leaving.destroy();
    await untilWaiting(1);
    const after = await waiting("d");
    first.send("hello");
    await staying.status(100);
    staying.send("hello");
    await after.status(100);
    expect(seen.map(({ name }) => name)).toEqual(["a", "c", "d"]);
  });

  test("who does not wait for its 100 is held back by the socket until it has a place", async () => {
    const { holding, connect, untilWaiting, seen, room } = await start();
    // More than the buffers of a connection hold.
    const SIZE = 16 * 2 ** 20;
    const first = await holding();
    const pushing = await connect();
    pushing.send(headOf("pushing", SIZE, false), Buffer.alloc(SIZE, "x"));
    await untilWaiting(1);
    // As curl does after one second.
    const impatient = await connect();
    impatient.send(headOf("impatient", SIZE));
    await untilWaiting(2);
    impatient.send(Buffer.alloc(SIZE, "y"));
    await until("the sockets are full", () => impatient.socket.writableLength > 0 && pushing.socket.writableLength > 0);
    expect(seen.map(({ name }) => name)).toEqual(["first"]);
    first.send("hello");
    await first.final();
    for (const wire of [pushing, impatient]) expect((await wire.final()).body).toBe(`stored ${SIZE}`);
    expect(seen.map(({ name }) => name)).toEqual(["first", "pushing", "impatient"]);
    expect(room.places).toMatchObject({ inUse: 0, waiting: 0 });
  });

  test("who has sent everything already gets no 100, and keeps its connection", async () => {
    const { holding, connect, untilWaiting } = await start();
    const first = await holding();
    const whole = await connect();
    whole.send(UPLOAD, "hello");
    await untilWaiting(1);
    first.send("hello");
    expect((await whole.final()).body).toBe("stored 5");
    expect(whole.statuses).toEqual([201]);
    expect(await whole.answersNext()).toBe(true);
  });

  test.each<[when: string, path: string, isBegun: boolean]>([
    ["between its verdict and its 100", "/held", false],
    ["behind its 100", "/files", false],
    ["in the middle of its content", "/files", true],
  ])("who dies %s frees its place", async (_when, path, isBegun) => {
    const { holding, waiting, connect, room, held, untilInUse, untilWaiting } = await start();
    const first = await holding();
    const dying = await connect();
    dying.send(headOf("dying").replace("/files", path));
    await untilWaiting(1);
    const staying = await waiting("staying");
    first.send("hello");
    await first.final();
    if (path === "/held") await until("the handler has it", () => held.length === 1);
    else await dying.status(100);
    if (isBegun) dying.send("he");
    expect(dying.statuses).toEqual(path === "/held" ? [] : [100]);
    dying.destroy();
    await staying.status(100);
    staying.send("hello");
    await staying.final();
    await untilInUse(0);
    await untilWaiting(0);
    expect(room.places).toMatchObject({ inUse: 0, waiting: 0 });
  });

  test("server.close() lets those finish who wait, and closes behind the last one", async () => {
    const { holding, waiting, running, seen } = await start();
    const first = await holding("a");
    const others = [await waiting("b"), await waiting("c")];
    const closed = once(running.server, "close");
    running.server.close();
    for (const [i, wire] of [first, ...others].entries()) {
      await wire.status(100);
      wire.send("hello");
      expect((await wire.final()).body).toBe("stored 5");
      if (i === others.length) wire.socket.end();
    }
    for (const wire of [first, ...others]) wire.socket.end();
    await closed;
    expect(seen.map(({ name }) => name)).toEqual(["a", "b", "c"]);
  });

  test("a wait may last as long as the policies may: it ends by itself, and is no fault", async () => {
    const room = concurrency({ limit: 1, maxWaiting: 10, maxWaitMs: 100 });
    const logger = recordingLogger();
    const guard = expectations({ logger, policyTimeoutMs: 100, policies: [room] }) as Handler;
    const { port } = await startAttached(kind, { use: [guard], routes: { "/files": () => {} } }, { logger: silent });
    const wires = await Promise.all([1, 2].map(() => WireClient.connect(port, { tls: isTlsKind(kind) })));
    for (const wire of wires) wire.send(UPLOAD);
    await until("the late one is refused", () => wires.some(({ finals }) => finals.length > 0));
    expect(logger.records).toMatchObject([{ level: "warn", details: { status: 503, policy: "concurrency" } }]);
    expect(wires.flatMap(({ finals }) => finals)).toMatchObject([{ status: 503, headers: { "retry-after": "5" } }]);
    for (const wire of wires) wire.destroy();
  });

  test("the time of all policies together ends a wait, with 503", async () => {
    // The one that it has taken already.
    const room = concurrency({ limit: 1, maxWaiting: 10, maxWaitMs: 100 });
    const slow = () => new Promise<boolean>((resolve) => setTimeout(resolve, 60, true));
    const logger = recordingLogger();
    const guard = expectations({ logger, policyTimeoutMs: 100, policies: [room, slow, room] }) as Handler;
    const files: Handler = () => {};
    const { port } = await startAttached(kind, { use: [guard], routes: { "/files": files } }, { logger: silent });
    const wire = await WireClient.connect(port, { tls: isTlsKind(kind) });
    wire.send(UPLOAD);
    expect(await wire.final()).toMatchObject({ status: 503, headers: { "retry-after": "5" } });
    await until("all has been given back", () => room.places.inUse === 0 && room.places.waiting === 0);
    expect(logger.records).toMatchObject([{ level: "warn", details: { status: 503, policy: "concurrency" } }]);
  });
});

describe.each(HTTP2_KINDS)("%s", (kind) => {
  function request(session: ClientHttp2Session, name: string, length = 5, isWaiting = true): ClientHttp2Stream {
    const fields = isWaiting ? { expect: "100-continue" } : {};
    const head = { ":method": "PUT", ":path": "/files", "content-length": length, "x-name": name, ...fields };
    const stream = session.request(head, { endStream: false });
    stream.on("error", () => {});
    stream.setEncoding("latin1").resume();
    return stream;
  }

  const continued = (stream: ClientHttp2Stream) =>
    once(stream, "headers", { signal: AbortSignal.timeout(deadline(8_000)) });

  async function answered(stream: ClientHttp2Stream): Promise<unknown> {
    const [fields] = await once(stream, "response", { signal: AbortSignal.timeout(deadline(8_000)) });
    return fields[":status"];
  }

  test("streams of one session wait for each other, and who is reset gives up its place in the row", async () => {
    const { running, untilWaiting, seen, room, untilInUse } = await serve(kind);
    const session = await openSession(running);
    const first = request(session, "a");
    await continued(first);
    const leaving = request(session, "b");
    await untilWaiting(1);
    const staying = request(session, "c");
    await untilWaiting(2);
    leaving.close(8);
    await untilWaiting(1);
    first.end("hello");
    await continued(staying);
    staying.end("hello");
    expect(await answered(staying)).toBe(201);
    await untilInUse(0);
    expect(seen.map(({ name }) => name)).toEqual(["a", "c"]);
    expect(room.places).toMatchObject({ inUse: 0, waiting: 0 });
  });

  test("who does not wait for its 100 is held back until it has a place, and its session goes on", async () => {
    const { running, untilWaiting, seen } = await serve(kind);
    const SIZE = 2 ** 20;
    const session = await openSession(running);
    const first = request(session, "first");
    await continued(first);
    const pushing = request(session, "pushing", SIZE, false);
    pushing.end(Buffer.alloc(SIZE, "x"));
    await untilWaiting(1);
    expect(await answered(session.request({ ":path": "/next" }))).toBe(200);
    expect([pushing.writableFinished, seen.map(({ name }) => name)]).toEqual([false, ["first"]]);
    first.end("hello");
    expect(await answered(pushing)).toBe(201);
    expect(seen).toMatchObject([{ name: "first" }, { name: "pushing", bytes: SIZE, isEnded: true }]);
  });

  test("server.close() lets those finish who wait", async () => {
    const { running, untilWaiting, seen } = await serve(kind);
    const session = await openSession(running);
    const first = request(session, "a");
    await continued(first);
    const second = request(session, "b");
    await untilWaiting(1);
    running.server.close();
    first.end("hello");
    await continued(second);
    second.end("hello");
    expect(await answered(second)).toBe(201);
    expect(seen.map(({ name }) => name)).toEqual(["a", "b"]);
  });

  test("late: 503, and the session lives", async () => {
    const { running } = await serve(kind, { maxWaitMs: 50 });
    const session = await openSession(running);
    await continued(request(session, "a"));
    const put = { ":method": "PUT", ":path": "/files", expect: "100-continue", "content-length": 5 };
    expect(await exchange(session, put, { content: "hello" })).toMatchObject({ status: 503, bodySent: 0 });
    expect(session.closed).toBe(false);
  });
});

test("requests pipelined behind an upload that waits are answered behind it", async () => {
  const { running, untilWaiting, untilInUse } = await serve("node:http");
  const first = await WireClient.connect(running.port);
  first.send(UPLOAD);
  await first.status(100);
  const wire = await WireClient.connect(running.port);
  wire.send(`${PLAIN}hello`, "GET /next HTTP/1.1\r\nHost: test\r\n\r\n");
  await untilWaiting(1);
  first.send("hello");
  expect((await wire.final(2)).body).toBe("next");
  expect(wire.finals.map(({ body }) => body)).toEqual(["stored 5", "next"]);
  await untilInUse(0);
});
