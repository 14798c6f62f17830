import { subscribe, unsubscribe } from "node:diagnostics_channel";
import * as http from "node:http";
import * as http2 from "node:http2";
import type { Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { attach, expectations, type LingerEndMessage, refuse, silent } from "../../src/index.js";
import { closeSessions, exchange, openSession } from "../helpers/http2.js";
import { closeServers, type Handler, isTlsKind, listen, startAttached } from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { UPLOAD, WireClient } from "../helpers/wire.js";

// A client that waits for a 100 is refused, and sends its content all the same.

const ENDS = "express-expectations:linger-end";
const STARTS = "http.server.request.start";

let ends: LingerEndMessage[] = [];
let starts = 0;
const hearEnd = (message: unknown) => void ends.push(message as LingerEndMessage);
const hearStart = () => void starts++;

beforeEach(() => {
  ends = [];
  starts = 0;
  subscribe(ENDS, hearEnd);
  subscribe(STARTS, hearStart);
});

afterEach(async () => {
  closeSessions();
  await closeServers();
  unsubscribe(ENDS, hearEnd);
  unsubscribe(STARTS, hearStart);
});

const refusing = (status: number) => expectations({ logger: silent, policies: [() => refuse(status)] }) as Handler;

describe.each(["node:http", "node:https", "http2 allowHTTP1"] as const)("%s", (kind) => {
  async function refused() {
    const running = await startAttached(kind, { routes: { "/files": refusing(413) } }, { logger: silent });
    let accepted: Socket | undefined;
    running.server.on(isTlsKind(kind) ? "secureConnection" : "connection", (socket: Socket) => {
      accepted = socket;
    });
    const wire = await WireClient.connect(running.port, { tls: isTlsKind(kind) });
    wire.send(UPLOAD);
    expect((await wire.final()).status).toBe(413);
    await wire.until("the server's end", () => wire.hasFin);
    return { ...running, wire, socket: () => accepted as Socket };
  }

  test.each([
    ["a request", "GET /2 HTTP/1.1\r\nHost: test\r\n\r\n"],
    ["a request without Host", "GET /2 HTTP/1.1\r\n\r\n"],
    ["a CONNECT", "CONNECT test:1 HTTP/1.1\r\nHost: test\r\n\r\n"],
    ["no HTTP", "\r\n\0\r\n\r\n"],
  ])("%s behind content that comes all the same is not parsed", async (_what, tail) => {
    const { wire } = await refused();
    wire.send(`hello${tail}`);
    await wire.closed();
    await until("the connection is gone", () => ends.length > 0);
    expect(ends).toMatchObject([{ reason: "client", discardedBytes: 5 + tail.length }]);
    expect([starts, wire.statuses]).toEqual([1, [413]]);
  });

  test("a server that closes waits for a client whose content has come all the same", async () => {
    const { server, wire, socket } = await refused();
    const before = socket().bytesRead;
    wire.send("hello");
    await until("the content is read", () => socket().bytesRead > before);
    server.close();
    await new Promise(setImmediate);
    expect(ends).toEqual([]);
    await wire.closed();
    await until("the connection is gone", () => ends.length > 0);
    expect(ends).toMatchObject([{ reason: "client", discardedBytes: 5 }]);
  });
});

test("bytes are counted once where the application listens for data of the socket", async () => {
  let seen = 0;
  const server = http.createServer((req, res) => void refusing(413)(req, res, () => {}));
  server.on("connection", (socket) => {
    socket.on("data", (chunk: Buffer) => {
      seen += chunk.length;
    });
  });
  const { port } = await listen(attach(server, { logger: silent }));
  const wire = await WireClient.connect(port);
  wire.send(UPLOAD);
  await wire.final();
  expect(seen).toBe(UPLOAD.length);
  wire.send("hello");
  await wire.closed();
  await until("the connection is gone", () => ends.length > 0);
  expect(ends).toMatchObject([{ reason: "client", discardedBytes: 5 }]);
});

test("a refusal with 205 has an empty body of a declared length", async () => {
  const { port } = await startAttached("node:http", { routes: { "/files": refusing(205) } }, { logger: silent });
  const wire = await WireClient.connect(port);
  wire.send(UPLOAD);
  expect((await wire.final()).status).toBe(205);
  expect(wire.text).not.toContain("Transfer-Encoding");
});

test("fields that a subclass sets where Node writes the head by itself are part of a refusal", async () => {
  class Marked extends http.ServerResponse {
    _implicitHeader(): void {
      this.setHeader("X-Marked", "1");
      (http.ServerResponse.prototype as unknown as Marked)._implicitHeader.call(this);
    }
  }
  const server = http.createServer({ ServerResponse: Marked } as object, (_req, res) => res.end());
  const { port } = await listen(attach(server, { logger: silent, guard: refusing(413) as never }));
  const wire = await WireClient.connect(port);
  wire.send(UPLOAD);
  await wire.final();
  expect(wire.text).toContain("X-Marked: 1\r\n");
});

test("refusals of one HTTP/2 session are all answered where more of them linger than may", async () => {
  const server = http2.createServer((_req, res) => res.end(""));
  const guard = refusing(413) as never;
  const session = await openSession(await listen(attach(server, { logger: silent, maxLingering: 5, guard })));
  const fields = { ":method": "PUT", ":path": "/files", expect: "100-continue", "content-length": "5" };
  const answers = await Promise.all(Array.from({ length: 50 }, () => exchange(session, fields)));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 413));
});
