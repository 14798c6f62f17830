import * as http from "node:http";
import * as http2 from "node:http2";
import * as https from "node:https";
import { afterEach, describe, expect, test } from "@jest/globals";
import { type AttachOptions, attach, expectations, type Policy, silent } from "../../src/index.js";
import { TEST_CERT, TEST_KEY } from "../helpers/certificate.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { deferred } from "../helpers/deferred.js";
import {
  type AppParts,
  closeServers,
  countConnections,
  type Handler,
  listen,
  next,
  plainApp,
  store,
} from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { pendingPolicy } from "../helpers/verdict.js";
import { PLAIN, UPLOAD, WireClient } from "../helpers/wire.js";

expectNothingDeadly();
afterEach(closeServers);

const TIMES = { requestTimeout: 150, headersTimeout: 150, connectionsCheckingInterval: 20 };
const TLS = { key: TEST_KEY, cert: TEST_CERT };

/** Servers on which Node checks the time of requests. */
const KINDS = {
  "node:http": (parts: AppParts) => http.createServer(TIMES, plainApp(parts)),
  "node:https": (parts: AppParts) => https.createServer({ ...TLS, ...TIMES }, plainApp(parts)),
};

const guardOf = (...policies: Policy[]) => expectations({ logger: silent, policies }) as Handler;

describe.each(Object.entries(KINDS))("%s", (kind, make) => {
  const isTls = kind !== "node:http";

  /** A server, and the codes that Node has reported. Time has passed when there is one more. */
  async function serve(parts: AppParts, options: AttachOptions | null = {}) {
    const server = make(parts);
    if (options) attach(server, { logger: silent, ...options });
    const reports: unknown[] = [];
    const { emit } = server;
    server.emit = function (this: typeof server, event: string, ...args: unknown[]) {
      if (event === "clientError") reports.push((args[0] as NodeJS.ErrnoException).code);
      return Reflect.apply(emit, this, [event, ...args]) as boolean;
    } as typeof server.emit;
    const { port } = await listen(server, isTls);
    const connect = () => WireClient.connect(port, { tls: isTls });
    return { server, connect, reports, reported: (n: number) => until(`${n} reports`, () => reports.length >= n) };
  }

  const routes = { "/files": [guardOf(), store], "/next": next, "/plain": store };
  const TIMEOUT = "ERR_HTTP_REQUEST_TIMEOUT";

  test.each([
    ["waited for its 100", UPLOAD, [100, 201, 200]],
    ["did not wait", PLAIN, [201, 200]],
  ])("does not end an accepted upload that %s, and the connection is kept", async (_what, head, statuses) => {
    const { connect, reports, reported } = await serve({ routes });
    const wire = await connect();
    wire.send(head);
    if (statuses[0] === 100) await wire.status(100);
    wire.send("he");
    await reported(1);
    wire.send("llo");
    expect((await wire.final()).body).toBe("stored 5");
    expect(await wire.answersNext()).toBe(true);
    expect(wire.statuses).toEqual(statuses);
    expect(reports).toEqual([TIMEOUT]);
  });

  test("holds again for the next request on the connection: Node's own 408 if no guard accepts it", async () => {
    const { connect, reports, reported } = await serve({ routes });
    const wire = await connect();
    wire.send(PLAIN, "he");
    await reported(1);
    wire.send("llo");
    await wire.final();
    wire.send(PLAIN, "he");
    await reported(2);
    wire.send("llo");
    await wire.final(2);
    wire.send(PLAIN.replace("/files", "/plain"), "he");
    await wire.until("Node's 408", () => wire.text.includes(" 408 "));
    await wire.fin();
    expect(wire.statuses).toEqual([201, 201, 408]);
    expect(reports).toEqual([TIMEOUT, TIMEOUT, TIMEOUT]);
  });

  test("holds for a header section that does not come, behind an upload that took longer", async () => {
    const { connect, reported } = await serve({ routes });
    const wire = await connect();
    wire.send(PLAIN, "he");
    await reported(1);
    wire.send("llo");
    await wire.final();
    wire.send("GET /next HTTP/1.1\r\nHos");
    await wire.fin();
    expect(wire.text).toMatch(/ 201 .* 408 /s);
  });

  test.each([
    ["a request that no guard judges", {}, [store]],
    ["an upload behind a guard whose server is not attached", null, [expectations({ autoAttach: false }), store]],
  ])("ends %s with Node's 408", async (_what, options, files) => {
    const { connect } = await serve({ routes: { "/files": files as Handler[] } }, options);
    const wire = await connect();
    wire.send(PLAIN, "he");
    await wire.fin();
    expect(wire.statuses).toEqual([408]);
  });

  test("does not end an upload whose verdict is pending", async () => {
    const { policy, asked, decide } = pendingPolicy();
    const { connect, reported } = await serve({ routes: { "/files": [guardOf(policy), store] } });
    const wire = await connect();
    wire.send(UPLOAD);
    await asked;
    await reported(1);
    decide(true);
    await wire.status(100);
    wire.send("hello");
    expect((await wire.final()).body).toBe("stored 5");
  });

  test("ends an accepted upload later, by the body's own time", async () => {
    const codes: unknown[] = [];
    const files: Handler = (req) => {
      req.on("data", () => {}).on("error", (error: NodeJS.ErrnoException) => codes.push(error.code));
    };
    const options = { bodyTimeoutMs: 500 };
    const { connect, reports } = await serve({ routes: { "/files": [guardOf(), files] } }, options);
    const wire = await connect();
    wire.send(PLAIN, "he");
    expect(await wire.final()).toMatchObject({ status: 408, headers: { connection: "close" } });
    await wire.closed();
    expect(codes).toEqual(["ERR_EXPECT_BODY_TIMEOUT"]);
    expect(reports[0]).toBe(TIMEOUT);
  });

  test("a client that leaves later is noticed, and nothing is left", async () => {
    const ends: unknown[] = [];
    const policy: Policy = (_req, { onClose }) => {
      onClose((end) => ends.push(end));
      return true;
    };
    const { connect, reported, server } = await serve({ routes: { "/files": [guardOf(policy), store] } });
    const wire = await connect();
    wire.send(PLAIN, "he");
    await reported(1);
    // A socket of TLS has no reset of its own.
    if (isTls) wire.destroy();
    else wire.socket.resetAndDestroy();
    await until("the policy is told", () => ends.length > 0);
    expect(ends).toEqual([{ status: undefined, isRefused: false, isWhole: false }]);
    await until("the connection is gone", async () => (await countConnections(server)) === 0);
  });

  test("ends the connection if the rest of the content is left to nobody", async () => {
    const judged = deferred<() => void>();
    const files: Handler = (_req, res) => judged.resolve(() => void res.end("not read"));
    const { connect, reported } = await serve({ routes: { "/files": [guardOf(), files] } });
    const wire = await connect();
    wire.send(PLAIN, "he");
    const answer = await judged.promise;
    await reported(1);
    answer();
    expect(await wire.final()).toMatchObject({ status: 200, headers: { connection: "close" } });
    await wire.closed();
  });

  test.each([
    ["comes", 60_000, "llo", "hello"],
    ["does not come", 700, "", "ERR_EXPECT_BODY_TIMEOUT"],
  ])("leaves the content to an application that has responded and reads on: the rest %s", async (...row) => {
    const [, bodyTimeoutMs, rest, ending] = row;
    const answered = deferred<http.ServerResponse>();
    const read = deferred<string>();
    const files: Handler = (req, res) => {
      let text = "";
      req.on("data", (piece) => {
        text += piece;
      });
      req.on("end", () => read.resolve(text));
      req.on("error", (error: NodeJS.ErrnoException) => read.resolve(String(error.code)));
      answered.resolve(res);
    };
    const parts = { routes: { "/files": [guardOf(), files], "/next": next } };
    const { connect, reported } = await serve(parts, { bodyTimeoutMs });
    const wire = await connect();
    wire.send(PLAIN, "he");
    const res = await answered.promise;
    await reported(1);
    res.end("early");
    expect((await wire.final()).body).toBe("early");
    wire.send(rest);
    expect(await read.promise).toBe(ending);
    if (rest === "") await wire.closed();
    else expect(await wire.answersNext()).toBe(true);
  });

  test("does not end an upload whose response has begun and says that the connection closes", async () => {
    const files: Handler = (req, res) => {
      res.setHeader("Connection", "close");
      req.pipe(res);
    };
    const { connect, reported } = await serve({ routes: { "/files": [guardOf(), files] } });
    const wire = await connect();
    wire.send(PLAIN, "he");
    await wire.until("the echo has begun", () => wire.text.includes("he\r\n"));
    await reported(1);
    wire.send("llo");
    expect((await wire.final()).body).toBe("hello");
    await wire.closed();
  });

  test("does not end an upload whose application has responded before, and reads on", async () => {
    const read = deferred<string>();
    const files: Handler = (req, res) => {
      let text = "";
      req.on("data", (piece) => {
        text += piece;
      });
      req.on("end", () => read.resolve(text)).on("error", ({ message }) => read.resolve(message));
      res.end("early");
    };
    const { connect, reported } = await serve({ routes: { "/files": [guardOf(), files], "/next": next } });
    const wire = await connect();
    wire.send(PLAIN, "he");
    await wire.final();
    await reported(1);
    wire.send("llo");
    expect(await read.promise).toBe("hello");
    expect(await wire.answersNext()).toBe(true);
  });

  test("ends content that nobody reads behind the response of an accepted upload", async () => {
    const { connect } = await serve({ routes: { "/files": [guardOf(), next] } });
    const wire = await connect();
    wire.send(PLAIN, "he");
    await wire.final();
    await wire.fin();
  });

  test("a slow header section does not take the response of the upload before it away", async () => {
    const received = deferred<http.ServerResponse>();
    const files: Handler = (req, res) => void req.resume().on("end", () => received.resolve(res));
    const { connect, reported } = await serve({ routes: { "/files": [guardOf(), files] } });
    const wire = await connect();
    wire.send(PLAIN, "hello", "GET /next HTTP/1.1\r\nHos");
    const res = await received.promise;
    await reported(1);
    res.end("stored");
    expect(await wire.final()).toMatchObject({ status: 200, body: "stored", headers: { connection: "close" } });
    await wire.closed();
    expect(wire.statuses).toEqual([200]);
  });

  test("a request that no guard accepts gets its 408 behind the response of the upload before it", async () => {
    const received = deferred<http.ServerResponse>();
    const files: Handler = (req, res) => void req.resume().on("end", () => received.resolve(res));
    const { connect, reported } = await serve({ routes: { "/files": [guardOf(), files], "/plain": store } });
    const wire = await connect();
    wire.send(PLAIN, "hello", PLAIN.replace("/files", "/plain"), "he");
    const res = await received.promise;
    await reported(1);
    res.end("stored");
    expect(await wire.final(2)).toMatchObject({ status: 408, headers: { connection: "close" } });
    await wire.closed();
    expect(wire.statuses).toEqual([200, 408]);
  });

  test("leaves a refusal that lingers its time", async () => {
    const early: Policy = () => false;
    const { server, connect, reported } = await serve(
      { routes: { "/files": [guardOf(early), store] } },
      { lingerMs: 2_000 },
    );
    const wire = await connect();
    wire.send(PLAIN.replace(": 5", ": 500000"), "he");
    expect((await wire.final()).status).toBe(403);
    await reported(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await countConnections(server)).toBe(1);
    await wire.closed();
    expect(wire.error).toBeUndefined();
  });
});

test("a server of HTTP/2 that speaks HTTP/1.1 as well does not end an accepted upload", async () => {
  const parts = { routes: { "/files": [guardOf(), store], "/next": next } };
  const options = { ...TLS, ...TIMES, http1Options: TIMES, allowHTTP1: true };
  const server = http2.createSecureServer(options, plainApp(parts) as never);
  Object.assign(server, { requestTimeout: TIMES.requestTimeout, headersTimeout: TIMES.headersTimeout });
  attach(server, { logger: silent });
  const { port } = await listen(server, true);
  const wire = await WireClient.connect(port, { tls: true });
  wire.send(PLAIN, "he");
  await new Promise((resolve) => setTimeout(resolve, 4 * TIMES.requestTimeout));
  wire.send("llo");
  expect((await wire.final()).body).toBe("stored 5");
  expect(await wire.answersNext()).toBe(true);
});

test("ends an upload that stands still behind the response, and had asked for content before Node's time was over", async () => {
  const times = { requestTimeout: 500, headersTimeout: 500, connectionsCheckingInterval: 20 };
  const failures: unknown[] = [];
  const respond: Handler = (req, res) => {
    req.on("data", () => res.end("early"));
    req.on("error", (error) => failures.push((error as NodeJS.ErrnoException).code));
  };
  const server = http.createServer(times, plainApp({ routes: { "/files": [guardOf(), respond] } }));
  const { port } = await listen(attach(server, { logger: silent, bodyTimeoutMs: 50 }));
  const wire = await WireClient.connect(port);
  wire.send(UPLOAD.replace(": 5", ": 1000"));
  await wire.status(100);
  wire.send("abc");
  await wire.final();
  wire.send("def");
  await until("the reader is told", () => failures.length > 0);
  expect(failures).toEqual(["ERR_EXPECT_BODY_TIMEOUT"]);
  await wire.until("the connection is gone", () => wire.hasFin || wire.isClosed);
});
