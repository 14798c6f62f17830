import { afterEach, describe, expect, test } from "@jest/globals";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { expectations, maxSize, type Policy, type QuotaOptions, quota, refuse, silent } from "../../src/index.js";
import { deadline } from "../helpers/deadline.js";
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
  store,
} from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";

afterEach(async () => {
  closeSessions();
  await closeServers();
});

const KEY = "everybody";

const head = (length: number | undefined, ...fields: string[]) =>
  [
    "PUT /files HTTP/1.1",
    "Host: test",
    length === undefined ? "Transfer-Encoding: chunked" : `Content-Length: ${length}`,
    ...fields,
    "",
    "",
  ].join("\r\n");
const WAITING = "Expect: 100-continue";
const chunk = (size: number) => `${size.toString(16)}\r\n${"x".repeat(size)}\r\n`;

const fails: Handler = (req, res) => {
  req.on("data", () => {});
  req.on("end", () => {
    res.statusCode = 500;
    res.end("disk full");
  });
};

interface Options extends Partial<QuotaOptions> {
  files?: Handler | Handler[];
  /** Behind the quota, in the same guard. */
  later?: Policy;
}

async function serve(kind: ServerKind, { files = store, later, ...options }: Options = {}) {
  const limiter = new RateLimiterMemory({ points: 100, duration: 60 });
  const logger = recordingLogger();
  const policies = [quota({ limiter, key: () => KEY, ...options }), ...(later ? [later] : [])];
  const guard = expectations({ logger, policies }) as Handler;
  const server = await startAttached(
    kind,
    { use: [guard], routes: { "/files": files, "/next": next } },
    { logger: silent },
  );
  const used = async () => (await limiter.get(KEY))?.consumedPoints ?? 0;
  return {
    server,
    limiter,
    logger,
    used,
    connect: () => WireClient.connect(server.port, { tls: isTlsKind(kind) }),
    async untilUsed(points: number) {
      const end = performance.now() + deadline(5_000);
      while ((await used()) !== points) {
        if (performance.now() > end) throw new Error(`used ${await used()}, not ${points}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
  };
}

describe.each(HTTP1_KINDS)("%s", (kind) => {
  test("refuses with 429 what is over budget, before a byte of it is sent", async () => {
    const { connect, limiter, logger, used } = await serve(kind);
    await limiter.consume(KEY, 60);
    const wire = await connect();
    wire.send(head(50, WAITING));
    expect(await wire.final()).toMatchObject({
      status: 429,
      headers: {
        connection: "close",
        "retry-after": "60",
        "ratelimit-policy": '"default";q=100;qu="content-bytes";w=60',
        ratelimit: '"default";r=40;t=60',
      },
    });
    await wire.closed();
    expect(wire.statuses).toEqual([429]);
    expect(logger.records).toMatchObject([
      { level: "warn", details: { status: 429, policy: "quota", declaredLength: 50, bytesSpared: 50 } },
    ]);
    expect(await used()).toBe(60);
  });

  test("names the violated policy in the problem details of a client that does not wait", async () => {
    const { connect } = await serve(kind, { name: "per user" });
    const wire = await connect();
    wire.send(head(101));
    const { headers, body } = await wire.final();
    expect(headers["content-type"]).toBe("application/problem+json");
    expect(JSON.parse(body)).toEqual({
      type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
      title: "Request cannot be satisfied as assigned quota has been exceeded",
      status: 429,
      detail: "over budget: 101 asked for, 100 of 100 left",
      "violated-policies": ["per user"],
    });
  });

  test("still accepts a small upload after one that was far too large", async () => {
    const { connect, used } = await serve(kind);
    const large = await connect();
    large.send(head(1_000, WAITING));
    expect((await large.final()).status).toBe(429);
    const small = await connect();
    small.send(head(100, WAITING));
    await small.status(100);
    small.send("x".repeat(100));
    expect(await small.final()).toMatchObject({ status: 201, body: "stored 100" });
    expect(await used()).toBe(100);
    const other = await connect();
    other.send(head(1, WAITING));
    expect((await other.final()).status).toBe(429);
  });

  test("refuses with 411 what has no length, unless something is reserved for it", async () => {
    const { connect } = await serve(kind);
    const wire = await connect();
    wire.send(head(undefined, WAITING));
    expect((await wire.final()).status).toBe(411);
    expect(wire.statuses).toEqual([411]);
  });

  test("charges content of unknown length for what came, and cuts it off at what was reserved", async () => {
    const { connect, untilUsed } = await serve(kind, { unknownLengthCost: 50 });
    const wire = await connect();
    wire.send(head(undefined, WAITING));
    await wire.status(100);
    await untilUsed(50);
    wire.send(chunk(20), "0\r\n\r\n");
    expect((await wire.final()).body).toBe("stored 20");
    await untilUsed(20);

    const endless = await connect();
    endless.send(head(undefined, WAITING));
    await endless.status(100);
    endless.send(chunk(30), chunk(30));
    expect((await endless.final()).status).toBe(413);
    await untilUsed(20);
  });

  test("gives back what a client that leaves had reserved", async () => {
    const { connect, untilUsed } = await serve(kind);
    const wire = await connect();
    wire.send(head(80, WAITING));
    await wire.status(100);
    await untilUsed(80);
    wire.send("x".repeat(30));
    wire.destroy();
    await untilUsed(0);
  });

  test("keeps what had arrived from a client that leaves, where it counts", async () => {
    let arrived = 0;
    const files: Handler = (req) => {
      req.on("data", (bytes: Buffer) => {
        arrived += bytes.length;
      });
    };
    const { connect, untilUsed } = await serve(kind, { countFailed: true, files });
    const wire = await connect();
    wire.send(head(80));
    wire.send("x".repeat(30));
    const end = performance.now() + deadline(5_000);
    while (arrived < 30 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
    await untilUsed(80);
    wire.destroy();
    await untilUsed(30);
  });

  test("gives back what a later policy refuses", async () => {
    const { connect, untilUsed, used } = await serve(kind, { later: maxSize(10) });
    const wire = await connect();
    wire.send(head(80, WAITING));
    expect((await wire.final()).status).toBe(413);
    expect(wire.statuses).toEqual([413]);
    await untilUsed(0);
    expect(await used()).toBe(0);
  });

  test("gives back what a guard on the route refuses, with any status", async () => {
    const reserved: number[] = [];
    const guard = expectations({
      logger: silent,
      policies: [
        async () => {
          reserved.push(await used());
          return refuse(303, { headers: { Location: "/elsewhere" } });
        },
      ],
    }) as Handler;
    const { connect, untilUsed, used } = await serve(kind, { files: [guard, store] });
    const wire = await connect();
    wire.send(head(80, WAITING));
    expect((await wire.final()).status).toBe(303);
    expect(reserved).toEqual([80]);
    await untilUsed(0);
  });

  test("gives back what a handler could not store", async () => {
    const { connect, untilUsed } = await serve(kind, { files: fails });
    const wire = await connect();
    wire.send(head(80, WAITING));
    await wire.status(100);
    wire.send("x".repeat(80));
    expect((await wire.final()).status).toBe(500);
    await untilUsed(0);
  });

  test("gives back what nobody reads", async () => {
    const { connect, untilUsed } = await serve(kind, { files: (_req, res) => void res.end("known already") });
    const wire = await connect();
    wire.send(head(80, WAITING));
    expect((await wire.final()).status).toBe(200);
    expect(wire.statuses).toEqual([200]);
    await untilUsed(0);
  });

  test("charges for content that comes after the answer", async () => {
    const files: Handler = (req, res) => {
      req.on("data", () => {
        if (!res.headersSent) res.end("thanks");
      });
    };
    const { connect, untilUsed, used } = await serve(kind, { files, unknownLengthCost: 90 });
    const wire = await connect();
    wire.send(head(undefined), chunk(10));
    expect((await wire.final()).body).toBe("thanks");
    expect(await used()).toBe(90);
    wire.send(chunk(60), "0\r\n\r\n");
    await untilUsed(70);
  });

  test("refuses with 503 while the store is down, and logs why", async () => {
    const limiter = new RateLimiterMemory({ points: 100, duration: 60 });
    limiter.consume = () => Promise.reject(new Error("connect ECONNREFUSED 10.1.2.3:6379"));
    const { connect, logger } = await serve(kind, { limiter });
    const wire = await connect();
    wire.send(head(50));
    wire.send("x".repeat(50));
    const refusal = await wire.final();
    expect(refusal).toMatchObject({ status: 503, headers: { "retry-after": "10", connection: "close" } });
    expect(refusal.body).not.toContain("10.1.2.3");
    expect(logger.records).toMatchObject([
      {
        level: "error",
        message: "quota: the store failed",
        details: { event: "expectation.error", err: { message: "connect ECONNREFUSED 10.1.2.3:6379" } },
      },
      { level: "warn", details: { status: 503, policy: "quota" } },
    ]);
  });

  test("accepts uncounted while the store is down, where that matters more", async () => {
    const limiter = new RateLimiterMemory({ points: 100, duration: 60 });
    limiter.consume = () => new Promise(() => {});
    const { connect, logger } = await serve(kind, { limiter, onStoreError: "accept", storeTimeoutMs: 50 });
    const wire = await connect();
    wire.send(head(5, WAITING));
    await wire.status(100);
    wire.send("hello");
    expect((await wire.final()).body).toBe("stored 5");
    expect(logger.records).toMatchObject([{ level: "error", message: "quota: the store failed" }]);
  });
});

test("twenty clients at once share no point of the budget", async () => {
  const { connect, untilUsed } = await serve("node:http");
  const clients = await Promise.all(Array.from({ length: 20 }, () => connect()));
  for (const wire of clients) wire.send(head(10, WAITING));
  await Promise.all(clients.map((wire) => wire.until("an answer", () => wire.statuses.length > 0)));
  const accepted = clients.filter((wire) => wire.statuses[0] === 100);
  expect(accepted).toHaveLength(10);
  await untilUsed(100);
  for (const wire of accepted) wire.send("x".repeat(10));
  await Promise.all(accepted.map((wire) => wire.final()));
  await untilUsed(100);
});

describe.each(HTTP2_KINDS)("%s", (kind) => {
  const PUT = { ":method": "PUT", ":path": "/files", expect: "100-continue" };

  test.each<[what: string, options: Options, status: number, points: number]>([
    ["stored is charged", {}, 201, 80],
    ["that failed is given back", { files: fails }, 500, 0],
    ["that a later policy refuses is given back", { later: maxSize(10) }, 413, 0],
    ["that nobody reads is given back", { files: (_req, res) => void res.end("") }, 200, 0],
  ])("an upload %s", async (_what, options, status, points) => {
    const { server, untilUsed } = await serve(kind, options);
    const session = await openSession(server);
    const result = await exchange(session, { ...PUT, "content-length": 80 }, { content: "x".repeat(80) });
    expect(result).toMatchObject({ status, bodySent: status === 201 || status === 500 ? 80 : 0 });
    await untilUsed(points);
    // A second look, after everything has settled.
    await new Promise((resolve) => setTimeout(resolve, 50));
    await untilUsed(points);
  });

  test("an upload over budget is refused with 429 before it is sent", async () => {
    const { server, limiter, used } = await serve(kind);
    await limiter.consume(KEY, 60);
    const session = await openSession(server);
    const result = await exchange(session, { ...PUT, "content-length": 50 }, { content: "x".repeat(50) });
    expect(result).toMatchObject({ status: 429, hasContinue: false, bodySent: 0, headers: { "retry-after": "60" } });
    expect(await used()).toBe(60);
  });

  test("an upload of a client that leaves is given back", async () => {
    const { server, untilUsed } = await serve(kind);
    const session = await openSession(server);
    const stream = session.request({ ...PUT, "content-length": 80 }, { endStream: false });
    stream.on("error", () => {});
    stream.on("headers", () => stream.write("x".repeat(30)));
    await untilUsed(80);
    stream.close(8);
    await untilUsed(0);
  });
});

describe.each(HTTP1_KINDS)("%s", (kind) => {
  test("a request without content costs nothing, however far over its budget the client is", async () => {
    const limiter = new RateLimiterMemory({ points: 5, duration: 60 });
    await limiter.penalty(KEY, 10);
    const guard = expectations({ logger: silent, policies: [quota({ limiter, key: () => KEY })] }) as Handler;
    const { port } = await startAttached(kind, { routes: { "/files": [guard, store] } }, { logger: silent });
    const wire = await WireClient.connect(port, { tls: isTlsKind(kind) });
    wire.send("DELETE /files HTTP/1.1\r\nHost: test\r\n\r\n");
    expect(await wire.final()).toMatchObject({ status: 201, body: "stored 0" });
    expect(await limiter.get(KEY)).toMatchObject({ consumedPoints: 10 });
    wire.send("PUT /files HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\n\r\nx");
    expect((await wire.final(2)).status).toBe(429);
  });
});
