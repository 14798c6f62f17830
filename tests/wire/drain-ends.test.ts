import { once } from "node:events";
import * as http from "node:http";
import type * as http2 from "node:http2";
import type * as net from "node:net";
import { afterEach, describe, expect, test } from "@jest/globals";
import { attach, detach, drain, isDraining } from "../../src/index.js";
import { closeSessions, exchange, openSession } from "../helpers/http2.js";
import { pendingOn, serve } from "../helpers/leaving.js";
import { closeServers, HTTP2_KINDS, listen, makeServer, plainApp, store } from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { PLAIN, UPLOAD, WireClient } from "../helpers/wire.js";

afterEach(closeSessions);
afterEach(closeServers);

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
    // Its request crosses the GOAWAY: it is not processed, or it comes just in time for a 503.
    expect([503, 0]).toContain((await exchange(fresh, path("/files"))).status);
    const another = await openSession(running);
    for (let i = 0; i < 2; i++) {
      expect(await exchange(another, path("/files"))).toMatchObject({ status: 503, hasContinue: false });
    }
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

test("a server that nobody has attached is attached first, and what it has under way finishes", async () => {
  const { server, port } = await listen(makeServer("node:http", { routes: { "/files": store } }));
  const wire = await WireClient.connect(port);
  const begun = once(server, "request");
  wire.send(PLAIN, "1");
  await begun;
  const drained = drain(server);
  await expect(WireClient.connect(port)).rejects.toThrow("ECONNREFUSED");
  wire.send("2345");
  expect(await wire.final()).toMatchObject({ status: 201, body: "stored 5" });
  expect(await drained).toEqual({ refusedUploads: 0, cutConnections: 0 });
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
