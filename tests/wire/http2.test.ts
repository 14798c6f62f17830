import * as http2 from "node:http2";
import { afterEach, describe, expect, test } from "@jest/globals";
import { attach, expectations, maxSize, refuse, silent } from "../../src/index.js";
import { closeSessions, exchange, openSession } from "../helpers/http2.js";
import {
  closeServers,
  type Handler,
  HTTP2_KINDS,
  listen,
  next,
  plainApp,
  startAttached,
  store,
} from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { WireClient } from "../helpers/wire.js";

afterEach(async () => {
  closeSessions();
  await closeServers();
});

const PUT = { ":method": "PUT", ":path": "/files", expect: "100-continue" };

/** Streams and sessions that a server has open. */
function countStreams(server: { on(event: string, listener: (...args: never[]) => void): unknown }) {
  const open = { streams: 0, sessions: 0 };
  server.on("session", (session: http2.ServerHttp2Session) => {
    open.sessions++;
    session.on("close", () => open.sessions--);
  });
  server.on("stream", (stream: http2.ServerHttp2Stream) => {
    open.streams++;
    stream.on("close", () => open.streams--);
  });
  return open;
}

describe.each(HTTP2_KINDS)("%s", (kind) => {
  const guard = expectations({ logger: silent, policies: [maxSize("1mb")] }) as Handler;
  const serve = (use: Handler[] = [guard], files: Handler = store, options = {}) =>
    startAttached(kind, { use, routes: { "/files": files, "/next": next } }, { logger: silent, ...options });

  test.each(["100-continue", "100-Continue", "100-CONTINUE", ", 100-continue ,"])(
    "sends one 100 for %j when the content is read",
    async (expectation) => {
      const session = await openSession(await serve());
      const result = await exchange(
        session,
        { ...PUT, expect: expectation, "content-length": 5 },
        { content: "hello" },
      );
      expect(result).toMatchObject({ status: 201, body: "stored 5", hasContinue: true });
    },
  );

  test("sends a 100 for content of unknown length", async () => {
    const session = await openSession(await serve());
    const result = await exchange(session, PUT, { content: "hello" });
    expect(result).toMatchObject({ status: 201, body: "stored 5", hasContinue: true });
  });

  test("refuses before the content is sent, and leaves the session alive", async () => {
    const session = await openSession(await serve());
    const refused = await exchange(session, { ...PUT, "content-length": 2 ** 20 + 1 });
    expect(refused).toMatchObject({ status: 413, hasContinue: false, bodySent: 0 });
    expect(refused.headers.connection).toBeUndefined();
    expect((await exchange(session, { ...PUT, "content-length": 5 }, { content: "hello" })).status).toBe(201);
  });

  test.each(["tea", "100-continue, tea", "y 100-continue", "100-continue;q=1", '"100-continue"'])(
    "refuses the expectation %j with 417",
    async (expectation) => {
      const session = await openSession(await serve());
      const refused = await exchange(session, { ...PUT, expect: expectation, "content-length": 5 });
      expect(refused).toMatchObject({ status: 417, hasContinue: false });
    },
  );

  test.each([
    ["a 404", "/nowhere", 404],
    ["an answer without reading", "/next", 200],
  ])("sends no 100 for %s, and answers at once", async (_name, path, status) => {
    const session = await openSession(await serve());
    const result = await exchange(session, { ...PUT, ":path": path, "content-length": 5 });
    expect(result).toMatchObject({ status, hasContinue: false });
  });

  test("leaves no stream open after 1,000 refusals and finals, with and without a body", async () => {
    const answers: Handler[] = [
      expectations({ logger: silent, policies: [() => refuse(413)] }) as Handler,
      expectations({ logger: silent, policies: [() => refuse(413, { body: "too large" })] }) as Handler,
      expectations({ logger: silent, refusalBody: "problem", policies: [async () => refuse(403)] }) as Handler,
      (_req, res) => {
        res.statusCode = 404;
        res.end("no");
      },
      (req, res) => {
        // finalhandler's way: throw the content away, answer at its end.
        req.on("end", () => {
          res.statusCode = 404;
          res.end("no");
        });
        req.resume();
      },
    ];
    let turn = 0;
    const running = await serve([(req, res, next) => (answers[turn++ % answers.length] as Handler)(req, res, next)]);
    const open = countStreams(running.server);
    const session = await openSession(running);
    await until(
      () => "one session",
      () => open.sessions === 1,
    );
    for (let i = 0; i < 20; i++) {
      const batch = await Promise.all(
        Array.from({ length: 50 }, () => exchange(session, { ...PUT, "content-length": 9 })),
      );
      for (const { status, hasContinue } of batch) {
        expect(status).toBeGreaterThanOrEqual(400);
        expect(hasContinue).toBe(false);
      }
    }
    await until(
      () => `no stream open (${open.streams})`,
      () => open.streams === 0,
    );
    expect(open.sessions).toBe(1);
    expect(session.destroyed).toBe(false);
  }, 30_000);

  test("cuts off content at the limit, with 413 and a coded error for the application", async () => {
    const codes: unknown[] = [];
    const failing: Handler = (req, res) => {
      req.on("data", () => {});
      req.on("error", (error: NodeJS.ErrnoException) => {
        codes.push(error.code);
        res.statusCode = 500;
        res.setHeader("X-Late", "1");
        res.end("late");
      });
      req.on("end", () => codes.push("end"));
    };
    const session = await openSession(await serve(undefined, failing));
    const result = await exchange(session, PUT, { content: "x".repeat(2 ** 20 + 1) });
    expect(result).toMatchObject({ status: 413, hasContinue: true });
    expect(codes).toEqual(["ERR_EXPECT_LIMIT"]);
  });

  test("survives a body that is cut off while nobody listens for errors", async () => {
    const session = await openSession(await serve(undefined, (req) => void req.on("data", () => {})));
    expect((await exchange(session, PUT, { content: "x".repeat(2 ** 20 + 1) })).status).toBe(413);
    expect((await exchange(session, { ...PUT, ":path": "/next", "content-length": 5 })).status).toBe(200);
  });

  test("refuses with 408 when no content comes after the 100", async () => {
    const running = await serve(undefined, store, { bodyTimeoutMs: 100 });
    const session = await openSession(running);
    const stream = session.request({ ...PUT, "content-length": 5 }, { endStream: false });
    const status = await new Promise((resolve, reject) => {
      stream.on("response", (headers) => resolve(headers[":status"]));
      stream.on("error", reject);
    });
    expect(status).toBe(408);
  });
});

test("counts a session that came by HTTP/1 among the others (allowHTTP1)", async () => {
  const { TEST_CERT, TEST_KEY } = await import("../helpers/certificate.js");
  const guard = expectations({ logger: silent, policies: [maxSize(5)] }) as Handler;
  const server = http2.createSecureServer(
    { key: TEST_KEY, cert: TEST_CERT, allowHTTP1: true },
    plainApp({ use: [guard], routes: { "/files": store } }) as never,
  );
  const running = await listen(attach(server, { logger: silent }), true);
  const session = await openSession(running);
  const wire = await WireClient.connect(running.port, { tls: true });
  wire.send("PUT /files HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n");
  expect(await wire.final()).toMatchObject({ status: 413, headers: { connection: "close" } });
  await wire.fin();
  expect((await exchange(session, { ...PUT, "content-length": 6 })).status).toBe(413);
  expect((await exchange(session, { ...PUT, "content-length": 5 }, { content: "hello" })).status).toBe(201);
});
