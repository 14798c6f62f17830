import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import { afterEach, describe, expect, test } from "@jest/globals";
import connect from "connect";
import express from "express";
import httpProxy from "http-proxy";
import * as httpProxy3 from "http-proxy-3";
import { createProxyMiddleware } from "http-proxy-middleware";
import { attach, expectations, knownLength, maxSize, mediaTypes, silent } from "../../src/index.js";
import { holdExpectation, relayExpectation } from "../../src/proxies/relay.js";
import { deadline } from "../helpers/deadline.js";
import { closeSessions, exchange, openSession } from "../helpers/http2.js";
import { closeServers, type Handler, listen, plainApp, store } from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";

const agents: http.Agent[] = [];
afterEach(async () => {
  closeSessions();
  await closeServers();
  for (const agent of agents.splice(0)) agent.destroy();
});

type MakeProxy = (target: string, agent: http.Agent | undefined, errors: Error[]) => Handler;

const PROXIES: Record<string, MakeProxy> = {
  "http-proxy": (target, agent, errors) => {
    const proxy = httpProxy.createProxyServer({ target, ...(agent ? { agent } : {}) });
    proxy.on("proxyReq", (proxyReq, req, res) => relayExpectation(req, res, proxyReq));
    proxy.on("error", (error, _req, res) => {
      errors.push(error);
      (res as http.ServerResponse).writeHead(599).end("the proxy's own");
    });
    return (req, res) => proxy.web(req, res);
  },
  "http-proxy-3": (target, agent, errors) => {
    const proxy = httpProxy3.createProxyServer({ target, ...(agent ? { agent } : {}) });
    proxy.on("proxyReq", (proxyReq, req, res) => relayExpectation(req, res, proxyReq));
    proxy.on("error", (error, _req, res) => {
      errors.push(error);
      (res as http.ServerResponse).writeHead(599).end("the proxy's own");
    });
    return (req, res) => proxy.web(req, res);
  },
  "http-proxy-middleware": (target, agent, errors) =>
    createProxyMiddleware({
      target,
      ...(agent ? { agent } : {}),
      on: {
        proxyReq: (proxyReq, req, res) => relayExpectation(req, res, proxyReq),
        error: (error) => void errors.push(error),
      },
    }) as Handler,
};

const FRAMEWORKS: Record<string, (handlers: Handler[]) => http.RequestListener> = {
  "node:http": (handlers) => plainApp({ use: handlers }),
  Connect: (handlers) => {
    const app = connect();
    for (const handler of handlers) app.use(handler as connect.NextHandleFunction);
    return app;
  },
  "Express 5": (handlers) => express().use(...(handlers as unknown as express.RequestHandler[])),
};

/** A request that is executed if the origin takes content for what follows it. */
const HIDDEN = "GET /hidden HTTP/1.1\r\nHost: test\r\n\r\n";
const CHUNKED_HIDDEN = `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`;

const keepAlive = () => new http.Agent({ keepAlive: true, maxSockets: 1 });

/** An origin that keeps connections, and remembers what it executed. */
async function recordingOrigin() {
  const executed: string[] = [];
  const server = http.createServer((req, res) => {
    let bytes = 0;
    req.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
    req.on("end", () => {
      executed.push(`${req.method} ${req.url} with ${bytes} bytes`);
      res.end("executed");
    });
  });
  const { port } = await listen(attach(server, { logger: silent }));
  // Goes through the connections of the proxy's agent behind all that was sent there.
  const settle = (wire: WireClient) => wire.answersNext("/settled");
  return { port, executed, settle };
}

const HEAD = ["PUT /up HTTP/1.1", "Host: test", "Expect: 100-continue"];
const upload = (...fields: string[]) => [...HEAD, ...fields, "", ""].join("\r\n");

describe.each(Object.entries(PROXIES))("%s", (_proxy, makeProxy) => {
  describe.each(Object.entries(FRAMEWORKS))("in %s", (_framework, makeApp) => {
    async function front(
      port: number,
      { agent, timeoutMs = deadline(5_000) }: { agent?: http.Agent; timeoutMs?: number } = {},
    ) {
      const errors: Error[] = [];
      const proxy = makeProxy(`http://127.0.0.1:${port}`, agent, errors);
      const hold = holdExpectation({ originTimeoutMs: timeoutMs, logger: silent }) as Handler;
      const server = attach(http.createServer(makeApp([hold, proxy])), { logger: silent });
      const running = await listen(server);
      return { server, connect: () => WireClient.connect(running.port), errors };
    }

    async function guardedOrigin() {
      let bytes = 0;
      const guard = expectations({
        logger: silent,
        policies: [knownLength(), mediaTypes(["image/*"]), maxSize("1kb")],
      });
      const server = attach(http.createServer(plainApp({ use: [guard as Handler], routes: { "/up": store } })), {
        logger: silent,
      });
      server.on("connection", (socket) => {
        socket.on("close", () => {
          bytes += socket.bytesRead;
        });
      });
      const requests: http.IncomingMessage[] = [];
      server.on("request", (req: http.IncomingMessage) => void requests.push(req));
      const { port } = await listen(server);
      return { port, requests, bytesRead: () => bytes };
    }

    test("passes a refusal on with 0 bytes of content", async () => {
      const origin = await guardedOrigin();
      const { connect: open } = await front(origin.port);
      const cases = [
        [["Content-Type: image/png", "Content-Length: 1025"], 413],
        [["Content-Type: text/html", "Content-Length: 5"], 415],
        [["Content-Type: image/png", "Transfer-Encoding: chunked"], 411],
      ] as const;
      for (const [fields, status] of cases) {
        const wire = await open();
        wire.send(upload(...fields));
        const refusal = await wire.final();
        expect(wire.statuses).toEqual([status]);
        expect(refusal.headers.connection).toBe("close");
        if (status === 415) expect(refusal.headers.accept).toBe("image/*");
        await wire.closed();
      }
      expect(origin.requests).toHaveLength(3);
      expect(origin.requests.map((req) => req.headers.expect)).toEqual(Array(3).fill("100-continue"));
    });

    test("sends no byte of an upload that comes without waiting, and is refused", async () => {
      const origin = await guardedOrigin();
      const { connect: open } = await front(origin.port);
      const wire = await open();
      wire.send(upload("Content-Type: image/png", "Content-Length: 300000"), Buffer.alloc(300_000));
      expect((await wire.final()).status).toBe(413);
      await wire.closed();
      await wire.until("the origin's connection is closed", () => origin.bytesRead() > 0);
      expect(origin.bytesRead()).toBeLessThan(1_000);
    });

    test("passes on one 100, the content and the answer, and the connection goes on", async () => {
      const origin = await guardedOrigin();
      const { connect: open } = await front(origin.port);
      const wire = await open();
      for (const n of [1, 2]) {
        wire.send(upload("Content-Type: image/png", "Content-Length: 5"));
        await wire.until(`100 number ${n}`, () => wire.statuses.filter((status) => status === 100).length === n);
        wire.send("hello");
        expect((await wire.final(n)).body).toBe("stored 5");
      }
      expect(wire.statuses).toEqual([100, 201, 100, 201]);
    });

    test("passes on requests without Expect", async () => {
      const origin = await guardedOrigin();
      const { connect: open } = await front(origin.port);
      const wire = await open();
      wire.send("PUT /up HTTP/1.1\r\nHost: test\r\nContent-Type: image/png\r\nContent-Length: 5\r\n\r\n", "hello");
      expect(await wire.final()).toMatchObject({ status: 201, body: "stored 5" });
      expect(wire.statuses).toEqual([201]);
    });

    test("answers 504 for a silent origin, in time", async () => {
      const silentOrigin = http.createServer();
      silentOrigin.on("checkContinue", () => {});
      const { port } = await listen(silentOrigin);
      const { connect: open, errors } = await front(port, { timeoutMs: deadline(150) });
      const wire = await open();
      wire.send(upload("Content-Length: 5"));
      expect((await wire.final()).status).toBe(504);
      await wire.closed();
      expect(wire.statuses).toEqual([504]);
      expect(errors.length).toBeLessThanOrEqual(1);
    });

    test("answers 502 for an origin that is gone, and tells the proxy's handler of errors once", async () => {
      // Nobody listens there; a port that was free a moment ago may be somebody's by now.
      const { connect: open, errors } = await front(1);
      const wire = await open();
      wire.send(upload("Content-Length: 5"));
      expect((await wire.final()).status).toBe(502);
      await wire.closed();
      expect(wire.statuses).toEqual([502]);
      expect(errors).toMatchObject([{ code: "ECONNREFUSED" }]);
    });

    test("holds an upload whose request to the origin waits for a connection", async () => {
      const agent = new http.Agent({ maxSockets: 1 });
      agents.push(agent);
      const server = http.createServer(plainApp({ use: [store] }));
      const goOn = (req: http.IncomingMessage, res: http.ServerResponse) => {
        res.writeContinue();
        server.emit("request", req, res);
      };
      const { port } = await listen(server);
      const { server: frontServer, connect: open } = await front(port, { agent });
      const first = await open();
      const arrived = once(server, "checkContinue") as Promise<Parameters<typeof goOn>>;
      first.send(upload("Content-Length: 5"));
      const held = await arrived;
      expect(first.text).toBe("");
      server.on("checkContinue", goOn);
      const second = await open();
      const secondArrived = once(frontServer, "request");
      second.send(upload("Content-Length: 5"));
      await secondArrived;
      goOn(...held);
      await first.status(100);
      expect(second.text).toBe("");
      first.send("hello");
      expect((await first.final()).status).toBe(201);
      await second.status(100);
      second.send("hello");
      expect((await second.final()).status).toBe(201);
    });
  });

  async function frontOf(agent: http.Agent | undefined, { isHeld }: { isHeld: boolean }) {
    const origin = await recordingOrigin();
    if (agent) agents.push(agent);
    const proxy = makeProxy(`http://127.0.0.1:${origin.port}`, agent, []);
    const use = isHeld ? [holdExpectation({ logger: silent }) as Handler, proxy] : [proxy];
    const { port } = await listen(attach(http.createServer(plainApp({ use })), { logger: silent }));
    return { origin, port };
  }

  describe.each(["DELETE", "OPTIONS"])("%s with content of unknown length", (method) => {
    test.each([
      ["a keep-alive agent", "", keepAlive],
      ["a keep-alive agent, Expect", "Expect: 100-continue\r\n", keepAlive],
      ["no agent", "", () => undefined],
      ["no agent, Expect", "Expect: 100-continue\r\n", () => undefined],
    ])("is refused before the proxy sees it (%s)", async (_what, expectation, makeAgent) => {
      const { origin, port } = await frontOf(makeAgent(), { isHeld: true });
      const wire = await WireClient.connect(port);
      wire.send(
        `${method} /d HTTP/1.1\r\nHost: test\r\n${expectation}Transfer-Encoding: chunked\r\n\r\n`,
        CHUNKED_HIDDEN,
      );
      expect(await wire.final()).toMatchObject({ status: 411, headers: { connection: "close" } });
      await wire.closed();
      expect(wire.statuses).toEqual([411]);
      await origin.settle(await WireClient.connect(port));
      expect(origin.executed).toEqual(["GET /settled with 0 bytes"]);
    });

    test("comes whole, or not at all, where nothing is mounted before the proxy", async () => {
      const { origin, port } = await frontOf(keepAlive(), { isHeld: false });
      // The connection of the first request to the origin is new, that of the second one is kept.
      for (const path of ["/new", "/kept"]) {
        const wire = await WireClient.connect(port);
        wire.send(`${method} ${path} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n`, CHUNKED_HIDDEN);
        await wire.until("an answer or the end", () => wire.finals.length > 0 || wire.hasFin || wire.isClosed);
        wire.destroy();
        await origin.settle(await WireClient.connect(port));
      }
      const others = origin.executed.filter((line) => !line.startsWith("GET /settled"));
      const whole = ["/new", "/kept"].map((path) => `${method} ${path} with ${HIDDEN.length} bytes`);
      expect(whole).toEqual(expect.arrayContaining(others));
      expect(origin.executed.filter((line) => line.startsWith("GET /settled"))).toHaveLength(2);
    });
  });

  test.each(["DELETE", "OPTIONS", "GET", "POST"])("passes a %s with a length on whole", async (method) => {
    const { origin, port } = await frontOf(keepAlive(), { isHeld: true });
    const wire = await WireClient.connect(port);
    wire.send(`${method} /d HTTP/1.1\r\nHost: test\r\nContent-Length: ${HIDDEN.length}\r\n\r\n`, HIDDEN);
    expect((await wire.final()).status).toBe(200);
    wire.send(`${method} /none HTTP/1.1\r\nHost: test\r\n\r\n`);
    expect((await wire.final(2)).status).toBe(200);
    expect(origin.executed).toEqual([`${method} /d with ${HIDDEN.length} bytes`, `${method} /none with 0 bytes`]);
  });

  test.each(["GET", "POST"])("passes a %s of unknown length on whole", async (method) => {
    const { origin, port } = await frontOf(keepAlive(), { isHeld: true });
    const wire = await WireClient.connect(port);
    wire.send(`${method} /d HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n`, CHUNKED_HIDDEN);
    expect((await wire.final()).status).toBe(200);
    expect(await wire.answersNext("/settled")).toBe(true);
    expect(origin.executed).toEqual([`${method} /d with ${HIDDEN.length} bytes`, "GET /settled with 0 bytes"]);
  });
});

describe("http-proxy-3 with HTTP/2 clients", () => {
  async function front(isHeld: boolean) {
    const origin = await recordingOrigin();
    const agent = keepAlive();
    agents.push(agent);
    const proxy = (PROXIES["http-proxy-3"] as MakeProxy)(`http://127.0.0.1:${origin.port}`, agent, []);
    const use = isHeld ? [holdExpectation({ logger: silent }) as Handler, proxy] : [proxy];
    const running = await listen(attach(http2.createServer(plainApp({ use }) as never), { logger: silent }));
    const send = async (method: string, content: string) =>
      exchange(await openSession(running), { ":method": method, ":path": "/d" }, { content, sendAtOnce: true });
    return { origin, send };
  }

  test.each(["DELETE", "OPTIONS", "GET", "HEAD"])("refuses a %s of unknown length", async (method) => {
    const { origin, send } = await front(true);
    expect((await send(method, HIDDEN)).status).toBe(411);
    expect((await send("POST", HIDDEN)).status).toBe(200);
    expect(origin.executed).toEqual([`POST /d with ${HIDDEN.length} bytes`]);
  });

  test.each(["DELETE", "OPTIONS", "GET"])(
    "sends a %s of unknown length whole, or not at all, where nothing is mounted before the proxy",
    async (method) => {
      const { origin, send } = await front(false);
      for (let i = 0; i < 2; i++) await send(method, HIDDEN);
      await send("POST", HIDDEN);
      expect(origin.executed.at(-1)).toBe(`POST /d with ${HIDDEN.length} bytes`);
      const others = new Set(origin.executed.slice(0, -1));
      expect([`${method} /d with ${HIDDEN.length} bytes`]).toEqual(expect.arrayContaining([...others]));
    },
  );
});
