import * as http from "node:http";
import { afterEach, describe, expect, test } from "@jest/globals";
import { type AttachOptions, attach, expectations, maxSize, silent } from "../../src/index.js";
import { holdExpectation, relayExpectation } from "../../src/proxies/relay.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { CONTINUE, closeOrigins, Origin, ok, refusing } from "../helpers/origin.js";
import { closeServers, type Handler, listen, plainApp, recordingLogger, store } from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { WireClient } from "../helpers/wire.js";

expectNothingDeadly();
afterEach(closeOrigins);
afterEach(closeServers);

interface Habits {
  /** What the proxy sets by itself before it hands the request over. */
  readonly set?: (proxyReq: http.ClientRequest) => void;
  /** How the content gets to the origin. */
  readonly send?: (req: http.IncomingMessage, proxyReq: http.ClientRequest) => void;
}

/** A proxy with the habits of http-proxy: copies all fields of a request, and is the first to listen for errors. */
function copying(port: number, { set, send }: Habits = {}): Handler {
  return (req, res) => {
    const { method, url: path } = req;
    const proxyReq = http.request({ host: "127.0.0.1", port, method, path, headers: { ...req.headers }, agent: false });
    proxyReq.on("error", () => {
      if (res.headersSent) return;
      res.statusCode = 599;
      res.end("the proxy's own");
    });
    proxyReq.on("response", (response) => {
      res.writeHead(response.statusCode ?? 0, response.headers);
      response.pipe(res);
    });
    set?.(proxyReq);
    relayExpectation(req, res, proxyReq);
    if (send) send(req, proxyReq);
    else req.pipe(proxyReq);
  };
}

const hold = (logger = silent) => holdExpectation({ logger }) as Handler;

async function serve(use: readonly Handler[], handler: Handler, options: AttachOptions = {}) {
  const app = plainApp({ use, routes: { "/up": handler, "/store": store } });
  const { port } = await listen(attach(http.createServer(app), { logger: silent, ...options }));
  return port;
}

async function front(handler: Handler, use: readonly Handler[] = [hold()], options: AttachOptions = {}) {
  return WireClient.connect(await serve(use, handler, options));
}

const head = (fields: string, version = "1.1") => `PUT /up HTTP/${version}\r\nHost: test\r\n${fields}\r\n`;
const EXPECT = "Expect: 100-continue\r\n";
const HEAD = head(`${EXPECT}Content-Length: 5\r\n`);

/** An origin that waits for the content without having said 100. */
const storing = () =>
  Origin.start((text, socket) => {
    if (text.endsWith("hello")) socket.end("HTTP/1.1 201 Created\r\nContent-Length: 6\r\n\r\nstored");
  });

describe("fields", () => {
  test("drops what belongs to the client's connection, and what the client nominates", async () => {
    const origin = await Origin.start(ok);
    const wire = await front(copying(origin.port));
    const fields = "Connection: X-Hop, TE\r\nX-Hop: 1\r\nX-Hop: 2\r\nTE: trailers\r\nKeep-Alive: 5\r\nX-End: 1\r\n";
    wire.send(head(`${EXPECT}Content-Length: 5\r\n${fields}`));
    await wire.status(100);
    expect(origin.head).not.toMatch(/^(?:X-Hop|TE|Keep-Alive):/im);
    expect(origin.head).not.toMatch(/^Connection:.*hop/im);
    expect(origin.head).toMatch(/^X-End: 1$/im);
  });

  test("leaves what the proxy has changed, though the client nominates it", async () => {
    const origin = await Origin.start(ok);
    const set = (proxyReq: http.ClientRequest) => proxyReq.setHeader("X-Forwarded-For", "1.2.3.4, 127.0.0.1");
    const wire = await front(copying(origin.port, { set }));
    const fields = "Connection: X-Forwarded-For\r\nX-Forwarded-For: 1.2.3.4\r\n";
    wire.send(head(`${EXPECT}Content-Length: 5\r\n${fields}`));
    await wire.status(100);
    expect(origin.head).toMatch(/^X-Forwarded-For: 1\.2\.3\.4, 127\.0\.0\.1$/im);
  });

  test("leaves the proxy's Connection: close", async () => {
    const origin = await Origin.start(ok);
    const wire = await front(copying(origin.port, { set: (proxyReq) => proxyReq.setHeader("Connection", "close") }));
    wire.send(HEAD);
    await wire.status(100);
    expect(origin.head).toMatch(/^Connection: close$/im);
  });

  // Of the Nodes that are supported, 20.19 keeps the lines of fields in an object with a prototype.
  test.each([
    ["a nominated constructor", "Connection: constructor\r\n"],
    ["a nominated field beside one that is called __proto__", "Connection: foo\r\n__proto__: x\r\n"],
    ["a nominated __proto__", "Connection: __proto__\r\n__proto__: x\r\n"],
  ])("relays a request with %s like any other", async (_what, fields) => {
    const origin = await Origin.start(ok);
    const wire = await front(copying(origin.port));
    wire.send(head(`${EXPECT}Content-Length: 5\r\n${fields}X-End: 1\r\n`));
    await wire.status(100);
    wire.send("hello");
    expect(await wire.final()).toMatchObject({ status: 201, body: "stored" });
    expect(wire.statuses).toEqual([100, 201]);
    expect(origin.head).toMatch(/^X-End: 1$/im);
    expect(origin.body).toBe("hello");
  });

  test("keeps the Expect of HTTP/1.0 from the origin", async () => {
    const origin = await storing();
    const wire = await front(copying(origin.port));
    wire.send(head(`${EXPECT}Content-Length: 5\r\n`, "1.0"), "hello");
    expect((await wire.final()).status).toBe(201);
    expect(wire.statuses).toEqual([201]);
    expect(origin.head).not.toMatch(/^Expect:/im);
  });

  test("leaves an expectation without a 100 on the request", async () => {
    const origin = await storing();
    const wire = await front(copying(origin.port), [hold()], { unknownExpectations: "ignore" });
    wire.send(head("Expect: tea\r\nContent-Length: 5\r\n"), "hello");
    expect((await wire.final()).status).toBe(201);
    expect(origin.head).toMatch(/^Expect: tea$/im);
  });
});

describe("content", () => {
  test("of a client that does not wait stays in its socket while the origin is silent, and comes through whole", async () => {
    const size = 8 * 2 ** 20;
    let accept: (() => void) | undefined;
    const origin = http.createServer((req, res) => {
      accept = () => store(req, res, () => {});
    });
    const { port: originPort } = await listen(attach(origin, { logger: silent }));
    let received = () => 0;
    const proxy = copying(originPort);
    const port = await serve([hold()], (req, res, next) => {
      const { socket } = req;
      received = () => socket.bytesRead;
      proxy(req, res, next);
    });
    const wire = await WireClient.connect(port);
    const upload = head(`${EXPECT}Content-Length: ${size}\r\n`);
    wire.send(upload, Buffer.alloc(size));
    await until("content has come", () => received() > upload.length);
    // As much again, past it, to the same server.
    const other = await WireClient.connect(port);
    other.send(`PUT /store HTTP/1.1\r\nHost: test\r\nContent-Length: ${size}\r\n\r\n`, Buffer.alloc(size));
    expect((await other.final()).body).toBe(`stored ${size}`);
    expect(received()).toBeLessThan(2 ** 20);
    await until("the origin has the head", () => accept !== undefined);
    accept?.();
    expect(await wire.final()).toMatchObject({ status: 201, body: `stored ${size}` });
  });

  test("that the origin refuses is an error for who reads it by iteration", async () => {
    const origin = await Origin.start(refusing("413 Too Large"));
    let code: string | undefined;
    const forward = async (req: http.IncomingMessage, proxyReq: http.ClientRequest) => {
      for await (const piece of req) proxyReq.write(piece);
      proxyReq.end();
    };
    const send = (req: http.IncomingMessage, proxyReq: http.ClientRequest) => {
      forward(req, proxyReq).catch((error: NodeJS.ErrnoException) => {
        code = error.code;
      });
    };
    const wire = await front(copying(origin.port, { send }));
    wire.send(HEAD);
    expect(await wire.final()).toMatchObject({ status: 413, body: "no" });
    await until("the reader is told", () => code !== undefined);
    expect(code).toBe("ERR_EXPECT_REFUSED");
    expect(origin.body).toBe("");
  });

  test.each<[string, Habits]>([
    ["does nothing about it", {}],
    [
      "ends its request at `aborted`",
      {
        send: (req, proxyReq) => {
          req.on("aborted", () => proxyReq.destroy());
          req.pipe(proxyReq);
        },
      },
    ],
  ])(
    "that a guard cuts off behind the origin's 100 closes the connection to it, where the proxy %s",
    async (_what, habits) => {
      const origin = await Origin.start((text, socket) => {
        if (text.endsWith("\r\n\r\n")) socket.write(CONTINUE);
      });
      const guard = expectations({ logger: silent, policies: [maxSize("1kb")] }) as Handler;
      const wire = await front(copying(origin.port, habits), [guard, hold()]);
      wire.send(head(`${EXPECT}Transfer-Encoding: chunked\r\n`));
      await wire.status(100);
      wire.send("5\r\nhello\r\n");
      await origin.until("the first piece", () => origin.body.includes("hello"));
      expect(origin.ends).toBe(0);
      wire.send(`800\r\n${"x".repeat(0x800)}\r\n`);
      expect((await wire.final()).status).toBe(413);
      await origin.until("the front hung up", () => origin.ends === 1);
      expect(wire.statuses).toEqual([100, 413]);
      expect(origin.body).not.toContain("0\r\n\r\n");
    },
  );
});

describe("requests to the origin", () => {
  test("that fail become 502 in the place of the proxy's own answer", async () => {
    const logger = recordingLogger();
    const origin = await Origin.start((_text, socket) => socket.destroy());
    const wire = await front(copying(origin.port), [hold(logger)]);
    wire.send(HEAD);
    expect((await wire.final()).status).toBe(502);
    await wire.closed();
    expect(wire.statuses).toEqual([502]);
    expect(logger.records).toMatchObject([{ level: "error", details: { status: 502, policy: "relay" } }]);
  });

  test("that get their connection when the client has left are ended, and nothing is sent", async () => {
    const origin = await Origin.start(() => {});
    let isReached = false;
    let isDestroyed: boolean | undefined;
    let isClosed = false;
    const wire = await front((req, res) => {
      isReached = true;
      res.once("close", () => {
        const proxyReq = http.request({ host: "127.0.0.1", port: origin.port, method: "PUT", agent: false });
        proxyReq.on("error", () => {});
        proxyReq.once("close", () => {
          isClosed = true;
        });
        relayExpectation(req, res, proxyReq);
        isDestroyed = proxyReq.destroyed;
      });
    });
    wire.send(HEAD);
    await until("the proxy has the request", () => isReached);
    wire.destroy();
    await until("the request was made", () => isDestroyed !== undefined);
    expect(isDestroyed).toBe(true);
    await until("the request is gone", () => isClosed);
    expect(origin.text).toBe("");
  });
});
