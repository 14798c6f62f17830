import type { Server } from "node:http";
import { afterEach, describe, expect, test } from "@jest/globals";
import { expectations, maxSize, silent } from "../../src/index.js";
import { deadline } from "../helpers/deadline.js";
import {
  closeServers,
  type Handler,
  HTTP1_KINDS,
  isTlsKind,
  next,
  recordingLogger,
  startAttached,
  store,
} from "../helpers/servers.js";
import { UPLOAD, WireClient } from "../helpers/wire.js";

afterEach(closeServers);

const parts = (use: Handler[], files: Handler = store) => ({ use, routes: { "/files": files, "/next": next } });

describe.each(HTTP1_KINDS)("%s", (kind) => {
  const connect = (port: number) => WireClient.connect(port, { tls: isTlsKind(kind) });

  test("a policy that does not answer in time: 503, logged as a fault, its signal aborted", async () => {
    const logger = recordingLogger();
    const signals: AbortSignal[] = [];
    const never = function never(_req: unknown, { signal }: { signal: AbortSignal }) {
      signals.push(signal);
      return new Promise<boolean>(() => {});
    };
    const guard = expectations({ logger, policyTimeoutMs: 50, policies: [never] }) as Handler;
    const { port } = await startAttached(kind, parts([guard]));
    const wire = await connect(port);
    wire.send(UPLOAD);
    expect(await wire.final()).toMatchObject({ status: 503, headers: { connection: "close" } });
    expect(signals[0]?.aborted).toBe(true);
    expect(logger.records).toHaveLength(1);
    expect(logger.records[0]).toMatchObject({ level: "error", details: { status: 503, policy: "never" } });
  });

  test("408 when no content comes after the 100", async () => {
    const logger = recordingLogger();
    const guard = expectations({ logger: silent, policies: [maxSize("1mb")] }) as Handler;
    let code: unknown;
    const failing: Handler = (req, res) => {
      req.on("data", () => {});
      req.on("error", (error: NodeJS.ErrnoException) => {
        code = error.code;
        res.statusCode = 500;
        res.end();
      });
    };
    const running = await startAttached(kind, parts([guard], failing), { bodyTimeoutMs: 80, logger });
    (running.server as Server).requestTimeout = 0;
    const wire = await connect(running.port);
    wire.send(UPLOAD);
    await wire.status(100);
    wire.send("he");
    expect(await wire.final()).toMatchObject({ status: 408, headers: { connection: "close" } });
    await wire.fin();
    expect(code).toBe("ERR_EXPECT_BODY_TIMEOUT");
    expect(logger.records[0]?.details).toMatchObject({ status: 408, policy: "body-timeout" });
    expect(wire.statuses).toEqual([100, 408]);
  });

  test("an application that is slow to read is no idle client", async () => {
    // The client gets time for its first piece; the application takes longer than that for each.
    const bodyTimeoutMs = deadline(80);
    const guard = expectations({ logger: silent }) as Handler;
    const slow: Handler = async (req, res) => {
      let length = 0;
      for await (const chunk of req) {
        length += (chunk as Buffer).length;
        await new Promise((resolve) => setTimeout(resolve, bodyTimeoutMs + 70));
      }
      res.end(`stored ${length}`);
    };
    const running = await startAttached(kind, parts([guard], slow), { bodyTimeoutMs, logger: silent });
    const wire = await connect(running.port);
    const size = 300_000;
    wire.send(UPLOAD.replace(": 5", `: ${size}`));
    await wire.status(100);
    wire.send(Buffer.alloc(size));
    expect((await wire.final()).body).toBe(`stored ${size}`);
    expect(wire.statuses).toEqual([100, 200]);
  });
});

test("the idle time does not begin before an earlier response has let the 100 out", async () => {
  const bodyTimeoutMs = deadline(100);
  const slow: Handler = (_req, res) => void setTimeout(() => res.end("slow"), 2.5 * bodyTimeoutMs);
  const running = await startAttached(
    "node:http",
    { routes: { "/slow": slow, "/files": store } },
    { bodyTimeoutMs, logger: silent },
  );
  const wire = await WireClient.connect(running.port);
  wire.send(`GET /slow HTTP/1.1\r\nHost: test\r\n\r\n${UPLOAD}`);
  await wire.status(100);
  wire.send("hello");
  await wire.final(2);
  expect(wire.statuses).toEqual([200, 100, 201]);
});

test("the idle time begins when an earlier response has let the 100 out", async () => {
  const bodyTimeoutMs = deadline(100);
  const slow: Handler = (_req, res) => void setTimeout(() => res.end("slow"), 50);
  const routes = { "/slow": slow, "/files": store };
  const running = await startAttached("node:http", { routes }, { bodyTimeoutMs, logger: silent });
  const wire = await WireClient.connect(running.port);
  wire.send(`GET /slow HTTP/1.1\r\nHost: test\r\n\r\n${UPLOAD}`);
  await wire.status(408);
  expect(wire.statuses).toEqual([200, 100, 408]);
});

test("a body that drips in behind a slow response adds no listener a byte", async () => {
  let endSlow = () => {};
  const slow: Handler = (_req, res) => {
    endSlow = () => res.end("slow");
  };
  const listeners: number[] = [];
  const watched: Handler = (req, res, next) => {
    // Each byte is read by itself, and the socket is still the first response's.
    req.on("data", () => listeners.push(res.listenerCount("socket")));
    store(req, res, next);
  };
  const running = await startAttached(
    "node:http",
    { routes: { "/slow": slow, "/files": watched } },
    { logger: silent },
  );
  const wire = await WireClient.connect(running.port);
  wire.send("GET /slow HTTP/1.1\r\nHost: test\r\n\r\n", UPLOAD.replace(": 5", ": 30"));
  for (let i = 1; i <= 30; i++) {
    wire.send("x");
    const end = performance.now() + deadline(8_000);
    while (listeners.length < i && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  endSlow();
  await wire.final(2);
  expect(listeners.length).toBe(30);
  expect(Math.max(...listeners)).toBeLessThanOrEqual(2);
});
