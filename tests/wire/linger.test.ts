import { once } from "node:events";
import type * as http from "node:http";
import type * as net from "node:net";
import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { expectations, maxSize, refuse, silent } from "../../src/index.js";
import { gauges } from "../../src/observe/diagnostics.js";
import { deadline } from "../helpers/deadline.js";
import {
  closeServers,
  countConnections,
  type Handler,
  HTTP1_KINDS,
  isTlsKind,
  next,
  startAttached,
  store,
} from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { WireClient } from "../helpers/wire.js";

afterEach(() => void jest.useRealTimers());
afterEach(closeServers);

const MIB = 2 ** 20;
const HEAD = "PUT /files HTTP/1.1\r\nHost: test\r\n";
const WAITING = `${HEAD}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`;

const refusing = expectations({ logger: silent, policies: [() => refuse(403)] }) as Handler;
const late = expectations({
  logger: silent,
  policies: [() => new Promise((resolve) => setTimeout(() => resolve(refuse(403)), 50))],
}) as Handler;
const limited = expectations({ logger: silent, policies: [maxSize(MIB)] }) as Handler;

const serve = (kind: (typeof HTTP1_KINDS)[number], guard: Handler, options = {}) =>
  startAttached(kind, { use: [guard], routes: { "/files": store, "/next": next } }, { logger: silent, ...options });

describe.each(HTTP1_KINDS)("%s", (kind) => {
  const connect = (port: number) => WireClient.connect(port, { tls: isTlsKind(kind) });

  test.each([
    ["at once", refusing, 403, `Content-Length: ${16 * MIB}\r\n\r\n`],
    ["after a while", late, 403, `Content-Length: ${16 * MIB}\r\n\r\n`],
    ["in the middle of a chunked body", limited, 413, "Transfer-Encoding: chunked\r\n\r\n1000000\r\n"],
  ])("a refusal %s reaches a client that pushes 16 MiB", async (_name, guard, status, framing) => {
    const { port } = await serve(kind, guard);
    const wire = await connect(port);
    wire.send(HEAD, framing, Buffer.alloc(16 * MIB));
    expect(await wire.final()).toMatchObject({ status, headers: { connection: "close" } });
    await wire.closed();
    expect(wire.error).toBeUndefined();
    expect(wire.statuses).toEqual([status]);
  });

  test("ends its side at once where the content is withheld", async () => {
    const { port } = await serve(kind, refusing);
    const wire = await connect(port);
    // Nothing happens later: no check for a pause, and no time goes by.
    jest.useFakeTimers({ doNotFake: ["nextTick", "setImmediate", "queueMicrotask"] });
    wire.send(WAITING);
    await wire.final();
    await wire.fin();
  });

  test("refused content is read into one buffer", async () => {
    const { server, port } = await serve(kind, refusing);
    const accepted = once(server, isTlsKind(kind) ? "secureConnection" : "connection");
    const wire = await connect(port);
    const [socket] = (await accepted) as [net.Socket];
    let buffers = 0;
    const push = socket.push.bind(socket);
    socket.push = (chunk) => {
      if (chunk !== null) buffers++;
      return push(chunk);
    };
    wire.send(HEAD, `Content-Length: ${4 * MIB}\r\n\r\n`);
    await wire.final();
    await until("the connection lingers", () => gauges().lingeringConnections > 0);
    const before = socket.bytesRead;
    wire.send(Buffer.alloc(4 * MIB));
    await wire.closed();
    expect(socket.bytesRead - before).toBeGreaterThanOrEqual(4 * MIB);
    expect(buffers).toBeLessThan(4);
  });

  test("drains what a paused parser left", async () => {
    const paused: Handler = (req, res) => {
      req.once("data", () => {
        req.pause();
        // Until the buffers of both sides are full, nothing is read any more.
        setTimeout(() => {
          res.statusCode = 422;
          res.end("no");
        }, 50);
      });
    };
    const running = await startAttached(kind, { routes: { "/files": paused } }, { logger: silent });
    const wire = await connect(running.port);
    wire.send(HEAD, `Content-Length: ${8 * MIB}\r\n\r\n`, Buffer.alloc(8 * MIB));
    expect((await wire.final()).status).toBe(422);
    await wire.closed();
    expect(wire.error).toBeUndefined();
  });

  test("server.close() waits for a connection that lingers", async () => {
    const running = await serve(kind, refusing, { lingerMs: 60_000 });
    const wire = await connect(running.port);
    wire.send(HEAD, `Content-Length: ${64 * MIB}\r\n\r\n`, Buffer.alloc(MIB));
    await wire.final();
    let isClosed = false;
    running.server.close(() => {
      isClosed = true;
    });
    // What is sent from now on is still taken.
    await new Promise<void>((resolve) => wire.socket.write(Buffer.alloc(16 * MIB), () => resolve()));
    expect(isClosed).toBe(false);
    expect(wire.error).toBeUndefined();
    wire.socket.end();
    await wire.closed();
    await until("the server has closed", () => isClosed);
  });
});

describe("bounds", () => {
  test("the connection is gone after lingerMs, whatever the client does", async () => {
    const { server, port } = await serve("node:http", refusing, { lingerMs: 200 });
    const wire = await WireClient.connect(port);
    wire.send(WAITING);
    await wire.fin();
    const since = performance.now();
    const drip = setInterval(() => wire.send("x"), 10);
    await wire.until("the connection is destroyed", () => wire.isClosed);
    clearInterval(drip);
    expect(performance.now() - since).toBeLessThan(deadline(2_000));
    expect(await countConnections(server)).toBe(0);
  });

  test("no more than lingerBytes are read; then the connection is held, not reset", async () => {
    const lingerMs = deadline(600);
    const { server, port } = await serve("node:http", refusing, { lingerMs, lingerBytes: MIB });
    const sockets: net.Socket[] = [];
    server.on("connection", (socket: net.Socket) => sockets.push(socket));
    const wire = await WireClient.connect(port);
    wire.send(HEAD, `Content-Length: ${64 * MIB}\r\n\r\n`, Buffer.alloc(64 * MIB));
    expect((await wire.final()).status).toBe(403);
    const since = performance.now();
    await wire.until("the connection is destroyed", () => wire.isClosed);
    expect(performance.now() - since).toBeGreaterThan(lingerMs / 2);
    expect(sockets[0]?.bytesRead).toBeLessThan(2 * MIB);
  });

  test("the oldest of more than maxLingering connections goes first", async () => {
    const { server, port } = await serve("node:http", refusing, { lingerMs: 60_000, maxLingering: 3 });
    const wires = await Promise.all(Array.from({ length: 20 }, () => WireClient.connect(port)));
    for (const wire of wires) {
      wire.send(WAITING);
      await wire.fin();
    }
    await until("connections <= 3", async () => (await countConnections(server)) <= 3);
    const youngest = wires.at(-1) as WireClient;
    expect(await countConnections(server)).toBe(3);
    youngest.socket.end();
    await until("connections === 2", async () => (await countConnections(server)) === 2);
  });

  test("closeAllConnections() ends lingering connections", async () => {
    const { server, port } = await serve("node:http", refusing, { lingerMs: 60_000 });
    const wire = await WireClient.connect(port);
    wire.send(WAITING);
    await wire.fin();
    (server as http.Server).closeAllConnections();
    await until("connections === 0", async () => (await countConnections(server)) === 0);
  });

  test("a client that ends its side ends the lingering", async () => {
    const { server, port } = await serve("node:http", refusing, { lingerMs: 60_000 });
    const wire = await WireClient.connect(port);
    wire.send(WAITING);
    await wire.closed();
    await until("connections === 0", async () => (await countConnections(server)) === 0);
  });
});
