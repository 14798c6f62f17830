import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "@jest/globals";
import { upload } from "../../src/client/client.js";
import { expectations, maxSize, silent } from "../../src/index.js";
import { TEST_CERT, TEST_KEY } from "../helpers/certificate.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { closeServers, isTlsKind, listen, next, start, startAttached, store } from "../helpers/servers.js";
import { closeMisbehaving, digest, digestOf, put, startMisbehaving } from "../helpers/uploads.js";

expectNothingDeadly();
afterEach(async () => {
  await closeServers();
  await closeMisbehaving();
});

const guard = expectations({ policies: [maxSize("2mb")], logger: silent });
const parts = { use: [guard], routes: { "/files": store, "/digest": digest, "/next": next } };
const KINDS = ["node:http", "node:https", "http2 allowHTTP1", "h2", "Express 4", "Express 5", "Connect"] as const;

describe.each(KINDS)("to %s", (kind) => {
  test("an upload waits for its 100, and arrives", async () => {
    const server = await startAttached(kind, parts, { logger: silent });
    const body = Buffer.alloc(1_500_000, "upload ");
    const result = await put(server, "/digest", { body });
    expect(result).toMatchObject({
      status: 201,
      sentBytes: body.length,
      wasContinued: true,
      attempts: 1,
      isComplete: true,
    });
    expect(result.body.toString()).toBe(digestOf(body));
    expect(result.url.pathname).toBe("/digest");
  });

  test("a refused upload sends nothing of its body", async () => {
    const server = await startAttached(kind, parts, { logger: silent });
    const result = await put(server, "/files", { body: Buffer.alloc(3_000_000) });
    expect(result).toMatchObject({ status: 413, sentBytes: 0, wasContinued: false, attempts: 1 });
  });

  test("a stream of unknown length is cut off at the limit, and the refusal arrives", async () => {
    const server = await startAttached(kind, parts, { logger: silent });
    async function* endless() {
      for (;;) yield Buffer.alloc(65_536);
    }
    const result = await put(server, "/files", { body: endless() });
    expect(result).toMatchObject({ status: 413, wasContinued: true });
    expect(result.sentBytes).toBeGreaterThan(1_000_000);
  });

  test("a request without content does not wait", async () => {
    const server = await startAttached(kind, parts, { logger: silent });
    const result = await put(server, "/next", { method: "POST" });
    expect(result).toMatchObject({ status: 200, sentBytes: 0, wasContinued: false, waitedMs: 0 });
    expect(result.body.toString()).toBe("next");
  });
});

test.each([
  ["http2 allowHTTP1", undefined, "2.0"],
  ["http2 allowHTTP1", ["http/1.1"], "1.1"],
  ["node:https", undefined, "1.1"],
] as const)("%s, offered %j: HTTP/%s", async (kind, ALPNProtocols, version) => {
  let seen = "";
  const server = await start(kind, {
    routes: {
      "/files": (req, res, done) => {
        seen = req.httpVersion;
        store(req, res, done);
      },
    },
  });
  const tls = { rejectUnauthorized: false, ...(ALPNProtocols && { ALPNProtocols: [...ALPNProtocols] }) };
  expect(await put(server, "/files", { body: "upload", tls })).toMatchObject({ status: 201 });
  expect(seen).toBe(version);
});

test.each(["node:http", "h2"] as const)("%s: Host is what the caller says", async (kind) => {
  let seen: unknown;
  const server = await start(kind, {
    routes: {
      "/files": (req, res, done) => {
        seen = req.headers.host ?? req.headers[":authority"];
        store(req, res, done);
      },
    },
  });
  const tls = { rejectUnauthorized: false };
  await put(server, "/files", { body: "upload", headers: { Host: "a.test" }, ...(isTlsKind(kind) && { tls }) });
  expect(seen).toBe("a.test");
});

test("the body goes out in time where no 100 comes", async () => {
  const { url } = await startMisbehaving("no-continue");
  const result = await upload(url, { body: "upload", expectTimeoutMs: 200 });
  expect(result).toMatchObject({ status: 201, sentBytes: 6, wasContinued: false, attempts: 1 });
  expect(result.waitedMs).toBeGreaterThan(190);
});

test("interim responses are told, and do not take the place of the 100", async () => {
  const { url } = await startMisbehaving("other-interims");
  const interims: unknown[] = [];
  const result = await upload(url, {
    body: "upload",
    onInterim: ({ status, headers }) => interims.push([status, headers.link]),
  });
  expect(interims).toEqual([
    [102, undefined],
    [103, "</style.css>; rel=preload"],
    [104, undefined],
  ]);
  expect(result).toMatchObject({ status: 201, wasContinued: true, sentBytes: 6 });
});

test("trailers are told", async () => {
  const server = await listen(
    http.createServer((req, res) => {
      req.resume().on("end", () => {
        res.writeHead(201, { Trailer: "X-Digest" });
        res.write("stored");
        res.addTrailers({ "X-Digest": "abc" });
        res.end();
      });
    }),
  );
  const result = await put(server, "/", { body: "upload" });
  expect(result).toMatchObject({ status: 201, trailers: { "x-digest": "abc" }, isComplete: true });
});

test("interim responses and trailers of HTTP/2 are told", async () => {
  const server = http2.createSecureServer({ key: TEST_KEY, cert: TEST_CERT });
  server.on("stream", (stream) => {
    stream.additionalHeaders({ ":status": 103, link: "</a>" });
    stream.additionalHeaders({ ":status": 100 });
    stream.resume().on("end", () => {
      stream.respond({ ":status": 201 }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "x-digest": "abc" }));
      stream.end("stored");
    });
  });
  const interims: unknown[] = [];
  const result = await put(await listen(server, true), "/", {
    body: "upload",
    onInterim: ({ status, headers }) => interims.push([status, headers.link]),
  });
  expect(interims).toEqual([[103, "</a>"]]);
  expect(result).toMatchObject({ status: 201, trailers: { "x-digest": "abc" }, wasContinued: true, sentBytes: 6 });
});

test("a success that comes early does not stop the body, which the server goes on to read", async () => {
  const server = await listen(
    http.createServer().on("checkContinue", (req: http.IncomingMessage, res: http.ServerResponse) => {
      res.writeContinue();
      // An echo: the head of its response goes out before the body has come.
      req.once("data", (first: Buffer) => {
        res.writeHead(200);
        res.write(first);
        req.pipe(res);
      });
    }),
  );
  const body = Buffer.alloc(4 * 2 ** 20, "echo ");
  const result = await put(server, "/", { body });
  expect(result).toMatchObject({ status: 200, sentBytes: body.length, isComplete: true });
  expect(result.body.equals(body)).toBe(true);
});

test("a connection of an agent is used again when the server has read the body", async () => {
  const agent = new http.Agent({ keepAlive: true });
  const server = await startAttached("node:http", parts, { logger: silent });
  const connections: unknown[] = [];
  server.server.on("connection", (socket) => connections.push(socket));
  for (let i = 0; i < 3; i++) expect((await put(server, "/files", { body: "upload", agent })).status).toBe(201);
  expect(connections).toHaveLength(1);
  agent.destroy();
});

test("an idle connection that the server has closed meanwhile costs another request, and nothing else", async () => {
  const agent = new http.Agent({ keepAlive: true });
  let count = 0;
  const server = await startMisbehaving((served) => {
    // Closes as soon as the second request comes, as servers do whose time for idle connections is up.
    if (++count !== 2) return false;
    served.socket.resetAndDestroy();
    return true;
  });
  const results = [];
  for (let i = 0; i < 2; i++) results.push(await upload(server.url, { method: "POST", body: "upload", agent }));
  expect(results).toMatchObject([
    { status: 201, attempts: 1 },
    { status: 201, attempts: 2 },
  ]);
  agent.destroy();
});

test.each(["node:http", "node:https", "h2"] as const)(
  "an upload to %s leaves no connection of its own",
  async (kind) => {
    const server = await startAttached(kind, parts, { logger: silent });
    const agent = kind === "node:http" ? new http.Agent() : undefined;
    for (const bytes of [6, 3_000_000])
      await put(server, "/files", { body: Buffer.alloc(bytes), ...(agent && { agent }) });
    const close = once(server.server, "close");
    server.server.close();
    await close;
  },
);

test("an address of IPv6", async () => {
  const server = http.createServer((req, res) => void req.resume().on("end", () => res.writeHead(201).end()));
  server.listen(0, "::1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  expect(await upload(`http://[::1]:${port}/`, { body: "upload" })).toMatchObject({ status: 201, sentBytes: 6 });
  server.closeAllConnections();
  server.close();
});
