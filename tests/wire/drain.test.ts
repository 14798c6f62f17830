import { once } from "node:events";
import * as http from "node:http";
import type * as http2 from "node:http2";
import * as net from "node:net";
import { afterEach, describe, expect, test } from "@jest/globals";
import { attach, detach, drain, expectations, isDraining, refuse, silent } from "../../src/index.js";
import { deferred } from "../helpers/deferred.js";
import { closeSessions, exchange, openSession } from "../helpers/http2.js";
import {
  closeServers,
  countConnections,
  type Handler,
  HTTP2_KINDS,
  isTlsKind,
  listen,
  makeServer,
  next,
  plainApp,
  recordingLogger,
  type ServerKind,
  startAttached,
  store,
} from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { CHUNKED, PLAIN, UPLOAD, WireClient } from "../helpers/wire.js";

afterEach(closeSessions);
afterEach(closeServers);

// Connect and Express 4 use the same server.
const KINDS = ["node:http", "node:https", "http2 allowHTTP1", "Express 5"] as const;

const GET = "GET /next HTTP/1.1\r\nHost: test\r\n\r\n";

/** A server whose route `/judged` accepts when `verdict` does, and whose route `/slow` responds when `answer` is called. */
async function serve(kind: ServerKind, options: Parameters<typeof startAttached>[2] = {}) {
  const verdict = deferred<boolean>();
  const responses: http.ServerResponse[] = [];
  const judge = expectations({
    logger: silent,
    policies: [async () => ((await verdict.promise) ? true : refuse(413))],
  }) as Handler;
  const slow: Handler = (_req, res) => void responses.push(res);
  const routes = { "/files": store, "/judged": [judge, store], "/next": next, "/slow": slow };
  const running = await startAttached(kind, { routes }, { logger: silent, ...options });
  const connect = () => WireClient.connect(running.port, { tls: isTlsKind(kind) });
  return { ...running, running, verdict, responses, connect };
}

describe.each(KINDS)("%s", (kind) => {
  test("an upload under way finishes, new ones get 503 until then, and the server closes", async () => {
    const { server, connect } = await serve(kind);
    const early = await connect();
    early.send(UPLOAD);
    await early.status(100);
    const drained = drain(server);
    expect(isDraining(server)).toBe(true);
    for (const head of [UPLOAD, PLAIN, CHUNKED]) {
      const late = await connect();
      late.send(head);
      expect(await late.final()).toMatchObject({ status: 503, headers: { connection: "close", "retry-after": "1" } });
      expect(late.statuses).toEqual([503]);
      await late.closed();
    }
    early.send("12345");
    expect(await early.final()).toMatchObject({ status: 201, headers: { connection: "close" }, body: "stored 5" });
    await early.closed();
    expect(await drained).toEqual({ refusedUploads: 3, cutConnections: 0 });
    expect(server.listening).toBe(false);
    expect(await countConnections(server)).toBe(0);
    expect(isDraining(server)).toBe(false);
  });

  test.each([
    [true, [100, 201]],
    [false, [413]],
  ])("a handshake that is pending is decided (%s)", async (isAccepted, statuses) => {
    const { server, verdict, connect } = await serve(kind);
    const wire = await connect();
    wire.send(UPLOAD.replace("/files", "/judged"));
    await pendingOn(server);
    const drained = drain(server);
    verdict.resolve(isAccepted);
    if (isAccepted) {
      await wire.status(100);
      wire.send("12345");
    }
    await wire.final();
    await wire.closed();
    expect(wire.statuses).toEqual(statuses);
    expect(await drained).toEqual({ refusedUploads: 0, cutConnections: 0 });
  });

  test("a request that waits behind a pending handshake is served as one that came in time", async () => {
    const { server, verdict, connect } = await serve(kind);
    const wire = await connect();
    wire.send(UPLOAD.replace("/files", "/judged").replace("Expect: 100-continue\r\n", ""), "12345", PLAIN, "12345");
    await pendingOn(server, 2);
    const drained = drain(server);
    verdict.resolve(true);
    await wire.final(2);
    await wire.closed();
    expect(wire.finals).toMatchObject([{ status: 201 }, { status: 201, headers: { connection: "close" } }]);
    await drained;
  });

  test("a request without content is answered, and ends its connection", async () => {
    const { server, connect } = await serve(kind);
    const early = await connect();
    const other = await connect();
    early.send(UPLOAD);
    await early.status(100);
    other.send(GET);
    expect((await other.final()).headers.connection).not.toBe("close");
    const drained = drain(server);
    other.send(GET);
    expect(await other.final(2)).toMatchObject({ status: 200, headers: { connection: "close" } });
    await other.closed();
    early.send("12345");
    await early.final();
    await drained;
  });

  test("while it is announced, uploads are accepted, and their connections end", async () => {
    const { server, connect } = await serve(kind);
    const drained = drain(server, { announceMs: 60_000 });
    const wire = await connect();
    wire.send(UPLOAD);
    await wire.status(100);
    wire.send("12345");
    expect(await wire.final()).toMatchObject({ status: 201, headers: { connection: "close" } });
    server.close();
    expect(await drained).toEqual({ refusedUploads: 0, cutConnections: 0 });
  });

  test("idle connections do not delay it: one that was used, and those that have not sent a byte", async () => {
    const { server, port, connect } = await serve(kind);
    const used = await connect();
    used.send(GET);
    await used.final();
    const silentOne = await connect();
    // On a server with TLS, its handshake does not begin.
    const bare = net.connect(port, "127.0.0.1");
    const bareEnd = once(
      bare.resume().on("error", () => {}),
      "close",
    );
    await until("all are there", async () => (await countConnections(server)) === 3);
    expect(await drain(server)).toEqual({ refusedUploads: 0, cutConnections: 0 });
    await used.fin();
    await silentOne.fin();
    await bareEnd;
  });

  test("when the time is over, uploads under way get 503, and everything else ends", async () => {
    const logger = recordingLogger();
    const { server, responses, connect } = await serve(kind, { logger });
    const [upload, pending, download, half] = await Promise.all([connect(), connect(), connect(), connect()]);
    upload.send(UPLOAD);
    await upload.status(100);
    upload.send("1");
    pending.send(UPLOAD.replace("/files", "/judged"));
    download.send(GET.replace("/next", "/slow"));
    half.send("PUT /files HT");
    await until("all are there", () => responses.length === 1);
    await pendingOn(server, 2);
    const drained = drain(server, { timeoutMs: 100 });
    for (const wire of [upload, pending]) {
      expect(await wire.status(503)).toMatchObject({ headers: { connection: "close" } });
      await wire.closed();
    }
    await download.fin();
    await half.fin();
    expect(pending.statuses).toEqual([503]);
    expect(await drained).toEqual({ refusedUploads: 0, cutConnections: 4 });
    expect(logger.records.map(({ details }) => details.policy)).toEqual(["drain", "drain"]);
  });

  test("with keepListening: false, it stops listening at once, and serves the connections that are there", async () => {
    const { server, port, connect } = await serve(kind);
    const [early, fresh] = [await connect(), await connect()];
    early.send(UPLOAD);
    await early.status(100);
    await until("both are there", async () => (await countConnections(server)) === 2);
    const drained = drain(server, { keepListening: false, announceMs: 2_000 });
    const [error] = (await once(net.connect(port, "127.0.0.1"), "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ECONNREFUSED");
    for (const wire of [fresh, early]) {
      if (wire === fresh) wire.send(UPLOAD);
      await wire.status(100);
      wire.send("12345");
      expect(await wire.final()).toMatchObject({ status: 201, headers: { connection: "close" } });
      await wire.closed();
    }
    expect(await drained).toEqual({ refusedUploads: 0, cutConnections: 0 });
  });

  test("an upload that the application has answered early is read to its end", async () => {
    const read = deferred<number>();
    const early: Handler = (req, res) => {
      let length = 0;
      req.on("data", (chunk: Buffer) => {
        if (length === 0) res.end("early");
        length += chunk.length;
      });
      req.on("end", () => read.resolve(length));
      req.on("error", () => read.resolve(-1));
    };
    const running = await startAttached(kind, { routes: { "/files": early } }, { logger: silent });
    const wire = await WireClient.connect(running.port, { tls: isTlsKind(kind) });
    wire.send(UPLOAD);
    await wire.status(100);
    const drained = drain(running.server);
    wire.send("1");
    await wire.final();
    wire.send("2345");
    expect(await read.promise).toBe(5);
    await wire.fin();
    wire.socket.end();
    await drained;
  });
});

describe.each(HTTP2_KINDS)("%s", (kind) => {
  const path = (name: string) => ({ ":method": "PUT", ":path": name, expect: "100-continue" });

  test("streams under way finish, late ones get 503 or a GOAWAY, and the server closes", async () => {
    const { server, running } = await serve(kind);
    const session = await openSession(running);
    const goaways: number[] = [];
    session.on("goaway", (_code, last) => goaways.push(last));
    const early = session.request(path("/files"), { endStream: false });
    await once(early, "headers");
    const fresh = await openSession(running);
    const drained = drain(server);
    const late = await exchange(fresh, path("/files"));
    expect([503, 0]).toContain(late.status);
    const another = await openSession(running);
    expect(await exchange(another, path("/files"))).toMatchObject({ status: 503, hasContinue: false });
    await until("the client is told", () => goaways.length > 0);
    early.end("12345");
    const [headers] = (await once(early, "response")) as [http2.IncomingHttpHeaders];
    expect(headers[":status"]).toBe(201);
    early.resume();
    expect((await drained).cutConnections).toBe(0);
    // The last request that counts.
    expect(goaways[0]).toBe(early.id);
    expect(server.listening).toBe(false);
  });

  test("when the time is over, uploads under way get 503, and sessions end", async () => {
    const { server, running, verdict } = await serve(kind);
    const [session, idle] = [await openSession(running), await openSession(running)];
    const pending = exchange(session, path("/judged"));
    const begun = session.request(path("/files"), { endStream: false });
    begun.on("error", () => {});
    await once(begun, "headers");
    const response = once(begun, "response");
    begun.resume();
    await pendingOn(server, 2);
    const drained = drain(server, { timeoutMs: 100 });
    expect(await pending).toMatchObject({ status: 503, hasContinue: false });
    expect((await response)[0]).toMatchObject({ ":status": 503 });
    expect((await drained).cutConnections).toBe(1);
    expect(idle.destroyed || idle.closed).toBe(true);
    verdict.resolve(true);
  });
});

/** Waits until a server has uploads under way. */
async function pendingOn(server: object, count = 1): Promise<void> {
  const key = Object.getOwnPropertySymbols(server).find((symbol) => String(symbol).includes("traffic"));
  const traffic = (server as Record<symbol, { uploads: { length: number } }>)[key as symbol];
  await until(`${count} uploads are under way`, () => traffic?.uploads.length === count);
}

test("a server that nobody has attached is attached first", async () => {
  const { server, port } = await listen(makeServer("node:http", { routes: { "/slow": store } }));
  const answers: http.ServerResponse[] = [];
  server.on("request", (_req: unknown, res: http.ServerResponse) => answers.push(res));
  const drained = drain(server);
  expect(await drained).toEqual({ refusedUploads: 0, cutConnections: 0 });
  await expect(WireClient.connect(port)).rejects.toThrow("ECONNREFUSED");
});

test("a second call returns the result of the first, and a server that listens again is drained again", async () => {
  const { server, connect } = await serve("node:http");
  const wire = await connect();
  wire.send(UPLOAD);
  await wire.status(100);
  const both = [drain(server), drain(server)];
  const late = await connect();
  late.send(UPLOAD);
  await late.status(503);
  await late.closed();
  wire.send("12345");
  await wire.final();
  const expected = { refusedUploads: 1, cutConnections: 0 };
  expect(await Promise.all(both)).toEqual([expected, expected]);
  expect(await drain(server)).toEqual({ refusedUploads: 0, cutConnections: 0 });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const again = await WireClient.connect((server.address() as net.AddressInfo).port);
  again.send(UPLOAD);
  await again.status(100);
  again.send("12345");
  expect((await again.final()).status).toBe(201);
  expect(await drain(server)).toEqual({ refusedUploads: 0, cutConnections: 0 });
});

test("a server that was closed before is waited for", async () => {
  const { server, connect } = await serve("node:http");
  const wire = await connect();
  wire.send(UPLOAD);
  await wire.status(100);
  server.close();
  const drained = drain(server);
  wire.send("12345");
  expect((await wire.final()).headers.connection).toBe("close");
  expect(await drained).toEqual({ refusedUploads: 0, cutConnections: 0 });
});

test("with keepListening: false, an upload that comes behind announceMs on a connection that is there gets 503", async () => {
  const { server, verdict, connect } = await serve("node:http");
  const wire = await connect();
  wire.send(UPLOAD.replace("/files", "/judged"));
  await pendingOn(server);
  let received = () => 0;
  server.on("connection", (socket: net.Socket) => {
    received = () => socket.bytesRead;
  });
  const other = await connect();
  other.send("PUT /files HT");
  await until("the request has begun", () => received() > 0);
  const drained = drain(server, { keepListening: false });
  other.send(UPLOAD.slice("PUT /files HT".length));
  expect(await other.final()).toMatchObject({ status: 503, headers: { connection: "close" } });
  await other.closed();
  verdict.resolve(false);
  await wire.status(413);
  await wire.closed();
  expect(await drained).toEqual({ refusedUploads: 1, cutConnections: 0 });
});

test("a WebSocket is ended when the time is over", async () => {
  const { server, connect } = await serve("node:http");
  server.on("upgrade", (_req: unknown, socket: net.Socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n");
    socket.on("error", () => {}).resume();
  });
  const wire = await connect();
  wire.send("GET /next HTTP/1.1\r\nHost: test\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n");
  await wire.status(101);
  expect(await drain(server, { timeoutMs: 100 })).toEqual({ refusedUploads: 0, cutConnections: 1 });
  await wire.fin();
});

test("an endless stream of late uploads does not keep the server listening", async () => {
  const { server, connect } = await serve("node:http", { lingerMs: 60_000 });
  const early = await connect();
  early.send(UPLOAD);
  await early.status(100);
  const drained = drain(server);
  const late = await connect();
  late.socket.pause();
  late.send(UPLOAD);
  early.send("12345");
  await early.final();
  await until("the server has stopped listening", () => !server.listening);
  late.socket.resume();
  await late.status(503);
  await late.closed();
  await drained;
});

test.each([
  [() => drain({} as never), "drain(server): received an object; expected a server of node:http"],
  [() => drain(http.createServer(), { timeout: 1 } as never), 'unknown option "timeout"; did you mean timeoutMs?'],
  [() => drain(http.createServer(), { timeoutMs: 0 }), "drain({ timeoutMs }): received 0; expected a whole number"],
  [() => drain(http.createServer(), { announceMs: -1 }), "drain({ announceMs }): received -1; expected a whole number"],
  [() => drain(http.createServer(), { keepListening: 1 as never }), "drain({ keepListening }): received 1; expected"],
  [() => drain(detach(attach(http.createServer(plainApp({}))))), "a server that is attached; this one was detached"],
])("a wrong option is refused: %#", async (call, message) => {
  await expect(call()).rejects.toMatchObject({ code: "ERR_EXPECT_OPTION", message: expect.stringContaining(message) });
});

test("isDraining tells what is no server", () => {
  expect(() => isDraining({} as never)).toThrow("isDraining(server): received an object");
  expect(isDraining(http.createServer())).toBe(false);
});
