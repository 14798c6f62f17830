import * as http from "node:http";
import * as http2 from "node:http2";
import * as https from "node:https";
import { afterEach, describe, expect, test } from "@jest/globals";
import connect from "connect";
import express from "express";
import { attach, expectations, maxSize, mediaTypes, silent } from "../../src/index.js";
import {
  assertContinuedOnce,
  assertRefusedBeforeContent,
  type HandshakeTarget,
  handshake,
  misbehave,
} from "../../src/testing/testing.js";
import { TEST_CERT, TEST_KEY } from "../helpers/certificate.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import {
  closeServers,
  countConnections,
  type Handler,
  makeServer,
  next,
  plainApp,
  type ServerKind,
  start,
  startAttached,
  store,
} from "../helpers/servers.js";
import { until } from "../helpers/until.js";

expectNothingDeadly();
afterEach(closeServers);

const guard = expectations({ policies: [mediaTypes(["image/*"]), maxSize("10mb")], logger: silent });
const routes: Readonly<Record<string, Handler>> = { "/images/1": store, "/next": next };
const guarded = { use: [guard], routes };
const quiet = { attach: { logger: silent } };

function expressApp(...guards: Handler[]) {
  const app = express();
  app.put("/images/1", ...(guards as unknown as express.RequestHandler[]), store as unknown as express.RequestHandler);
  app.get("/next", next as unknown as express.RequestHandler);
  return app;
}

function connectApp() {
  const app = connect();
  app.use(guard as connect.NextHandleFunction);
  app.use("/images/1", store as connect.NextHandleFunction);
  return app;
}

const attached = (kind: ServerKind) => attach(makeServer(kind, guarded), { logger: silent });

const TARGETS: Readonly<Record<string, () => HandshakeTarget | Promise<HandshakeTarget>>> = {
  "an Express application": () => expressApp(guard),
  "a Connect application": connectApp,
  "a function": () => plainApp(guarded),
  "a server that does not listen": () => attached("node:http"),
  "a server of node:https": () => attached("node:https"),
  "a server of node:http2 without TLS": () => attached("h2c"),
  "a server of node:http2": () => attached("h2"),
  "a server that listens": async () => (await startAttached("node:http", guarded, { logger: silent })).server,
  "a URL": async () => `http://127.0.0.1:${(await startAttached("node:http", guarded, { logger: silent })).port}`,
  "a URL of https:": async () =>
    new URL(`https://localhost:${(await startAttached("node:https", guarded, { logger: silent })).port}`),
};

describe.each(Object.entries(TARGETS))("%s", (name, make) => {
  const isHttp2 = name.includes("http2");

  test("refuses before the content", async () => {
    const target = await make();
    const answer = await handshake(target, quiet)
      .put("/images/1")
      .set("Content-Type", "image/png")
      .withhold(100_000_000);
    expect(answer).toMatchObject({
      status: 413,
      sentBytes: 0,
      continues: 0,
      continuesAtMs: [],
      isComplete: true,
      isClosed: true,
    });
    if (!isHttp2) expect(answer.headers.connection).toBe("close");
    assertRefusedBeforeContent(answer, 413);
  });

  test("accepts with one 100", async () => {
    const target = await make();
    const content = Buffer.alloc(300_000);
    const answer = await handshake(target, quiet).put("/images/1").set("Content-Type", "image/png").send(content);
    expect(answer).toMatchObject({ status: 201, continues: 1, sentBytes: 300_000, body: "stored 300000" });
    expect(answer.continuesAtMs[0]).toBeLessThanOrEqual(answer.statusAtMs as number);
    if (!isHttp2) expect(answer).toMatchObject({ isClosed: false, end: "open" });
    assertContinuedOnce(answer, 201);
  });
});

describe("what is sent", () => {
  const image = () => handshake(expressApp(guard), quiet).put("/images/1").set("Content-Type", "image/png");

  test("content that is withheld is not sent, not even after a 100", async () => {
    expect(await image().withhold()).toMatchObject({ status: undefined, continues: 1, sentBytes: 0, isClosed: false });
  });

  test("content that is sent in chunks", async () => {
    const answer = await image()
      .chunked()
      .send(["one", Buffer.from("two"), "three"]);
    expect(answer).toMatchObject({ status: 201, continues: 1, sentBytes: 11, body: "stored 11" });
    expect(answer.transcript).toContain("→ Transfer-Encoding: chunked");
  });

  test("content that is pushed without waiting", async () => {
    const answer = await image().push("picture");
    expect(answer).toMatchObject({ status: 201, sentBytes: 7, body: "stored 7" });
  });

  test("a push stops at a refusal, which says that it closes, and does", async () => {
    const answer = await image().push(Buffer.alloc(64 * 2 ** 20));
    expect(answer).toMatchObject({ status: 413, continues: 0, isClosed: true });
    expect(answer.sentBytes).toBeLessThan(64 * 2 ** 20);
  });

  test("content without Expect", async () => {
    const answer = await image().withoutExpect().send("picture");
    expect(answer).toMatchObject({ status: 201, continues: 0, sentBytes: 7 });
    expect(answer.transcript).not.toContain("Expect:");
  });

  test.each([
    ["something-else", 417],
    ["100-continue, something-else", 417],
  ])("Expect: %s", async (value, status) => {
    expect(await image().expecting(value).withhold(5)).toMatchObject({
      status,
      continues: 0,
      sentBytes: 0,
      isClosed: true,
    });
  });

  test("an expectation that is no 100-continue does not wait for one", async () => {
    const options = { attach: { logger: silent, unknownExpectations: "ignore" as const } };
    const app = plainApp({ routes });
    expect(await handshake(app, options).put("/images/1").expecting("something").send("five!")).toMatchObject({
      status: 201,
      sentBytes: 5,
    });
  });

  test("no content: nothing is expected", async () => {
    const answer = await image().send("");
    expect(answer).toMatchObject({ status: 201, continues: 0, body: "stored 0" });
    expect(answer.transcript).not.toContain("Expect:");
    expect(await handshake(expressApp(guard), quiet).get("/next")).toMatchObject({ status: 200, body: "next" });
    expect(await handshake(expressApp(guard), quiet).head("/next")).toMatchObject({ status: 200, body: "" });
  });

  test("fields, one or several", async () => {
    const app = plainApp({ use: [(req, res) => void res.end(JSON.stringify(req.rawHeaders))] });
    const { body } = await handshake(app, quiet).get("/").set("X-One", 1).set({ "X-Two": "2", Host: "other" });
    expect(JSON.parse(body).slice(0, 6)).toEqual(["X-One", "1", "X-Two", "2", "Host", "other"]);
  });

  test("a client that stops in the middle is told when its time is up", async () => {
    const options = { attach: { logger: silent, bodyTimeoutMs: 100 } };
    const answer = await handshake(expressApp(guard), options)
      .put("/images/1")
      .set("Content-Type", "image/png")
      .send("picture")
      .stopAfter(3);
    expect(answer).toMatchObject({ status: 408, continues: 1, sentBytes: 3, isClosed: true });
  });

  test.each([
    ["behind its head", 0, false],
    ["in the middle of its content", 3, false],
    ["with a reset", 3, true],
  ])("a client that leaves %s", async (_, bytes, reset) => {
    const ends: string[] = [];
    const server = await start("node:http", {
      use: [
        (req, _res) => {
          req.on("error", () => {});
          req.on("close", () => ends.push(req.complete ? "whole" : "cut off"));
          req.resume();
        },
      ],
    });
    const answer = await handshake(server.server).put("/").send("picture").leaveAfter(bytes, { reset });
    expect(answer.sentBytes).toBe(bytes);
    expect(answer.isClosed).toBe(true);
    await until("the application is told", () => ends.length === 1);
    expect(ends).toEqual(["cut off"]);
  });
});

test("a stream of HTTP/2 that the server leaves open is no good refusal", async () => {
  // A request that is read on keeps its stream open while the client withholds the content.
  const server = http2.createServer().on("checkContinue", (req, res) => {
    req.resume();
    res.writeHead(413);
    res.end("too large");
  });
  server.on("request", () => {});
  const answer = await handshake(server, { deadlineMs: 300 }).put("/").withhold(5);
  expect(answer).toMatchObject({ status: 413, isClosed: false });
  expect(() => assertRefusedBeforeContent(answer, 413)).toThrow("left the connection open");
});

describe("several requests on one connection", () => {
  test("follow each other where the server keeps it", async () => {
    const connection = await handshake(expressApp(guard), quiet).connect();
    const first = await connection.put("/images/1").set("Content-Type", "image/png").send("picture");
    const second = await connection.get("/next");
    const third = await connection.put("/images/1").set("Content-Type", "image/png").send("picture");
    expect([first.status, second.body, third.continues]).toEqual([201, "next", 1]);
    expect(connection.isOpen).toBe(true);
    await connection.close();
  });

  test("are as many as the test makes, on HTTP/2 with its Host, too", async () => {
    const seen: unknown[] = [];
    const tell: Handler = (req, res) => void res.end(String(seen.push(req.headers.host ?? req.headers[":authority"])));
    for (const server of [makeServer("node:http", { use: [tell] }), makeServer("h2", { use: [tell] })]) {
      seen.length = 0;
      const connection = await handshake(attach(server, { logger: silent })).connect();
      for (let i = 1; i <= 12; i++) expect((await connection.get("/").set("Host", "a.test")).body).toBe(String(i));
      expect(new Set(seen)).toEqual(new Set(["a.test"]));
      await connection.close();
    }
  });

  test("end with a refusal", async () => {
    const connection = await handshake(expressApp(guard), quiet).connect();
    expect(await connection.put("/images/1").withhold(5)).toMatchObject({ status: 415, isClosed: true });
    expect(connection.isOpen).toBe(false);
    await expect(async () => connection.get("/next")).rejects.toThrow(
      "GET /next: the server has ended this connection",
    );
    await connection.close();
  });

  test("run at a time on HTTP/2, too", async () => {
    const connection = await handshake(attached("h2")).connect();
    const answers = await Promise.all([
      connection.put("/images/1").withhold(5),
      connection.get("/next"),
      connection.put("/images/1").set("Content-Type", "image/png").send("picture"),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([415, 200, 201]);
    await connection.close();
  });

  test("a server that keeps a refused connection swallows the next request, and the test fails in time", async () => {
    const server = await misbehave("refuse-and-keep");
    const connection = await handshake(server.url, { deadlineMs: 300 }).connect();
    const refused = await connection.put("/upload").withhold(1_000);
    expect(refused).toMatchObject({ status: 403, isClosed: false });
    expect(() => assertRefusedBeforeContent(refused)).toThrow("the server left the connection open");
    await expect(async () => connection.get("/next")).rejects.toThrow(
      /^GET \/next: a final status did not come within 300 ms\n\n.*→ GET \/next/,
    );
    await connection.close();
    await server.close();
  });
});

describe("what it starts it ends:", () => {
  test("a server is started for each request, or for those that come at a time", async () => {
    const server = attached("node:http");
    const requests = () => Array.from({ length: 5 }, () => handshake(server).get("/next"));
    for (let i = 0; i < 2; i++) {
      expect((await Promise.all(requests())).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
      expect(server.listening).toBe(false);
    }
  });

  test("a server that listened goes on, without a connection of the test", async () => {
    const { server } = await startAttached("node:http", guarded, { logger: silent });
    await handshake(server).get("/next");
    expect(server.listening).toBe(true);
    await until("no connection", async () => (await countConnections(server)) === 0);
  });

  test("nothing runs before the test waits for it, and once then", async () => {
    let count = 0;
    const app: http.RequestListener = (_req, res) => {
      count++;
      res.end();
    };
    const request = handshake(app, quiet).get("/");
    await new Promise((resolve) => setImmediate(resolve));
    expect(count).toBe(0);
    expect(await request).toBe(await request);
    expect(count).toBe(1);
  });

  test("a request that fails ends its server, too", async () => {
    const server = http.createServer(() => {});
    await expect(async () => handshake(server, { deadlineMs: 100 }).get("/")).rejects.toThrow(
      "did not come within 100 ms",
    );
    expect(server.listening).toBe(false);
  });
});

describe("a failure says why, and shows what was on the wire:", () => {
  const png = (...guards: Handler[]) =>
    handshake(expressApp(...guards), quiet)
      .put("/images/1")
      .set("Content-Type", "image/png");
  const messageOf = (promise: PromiseLike<unknown>) =>
    Promise.resolve(promise).then(
      () => "no failure",
      (error: Error) => error.message,
    );

  test("a refusal that is expected where there is no guard", async () => {
    const message = await messageOf(png().withhold(100_000_000).expectRefusal(413));
    expect(message).toMatch(/^no final status came: the server waits for the content\n\n/);
    expect(message).toMatch(
      /\d\.\d ms → PUT \/images\/1 HTTP\/1\.1\n +→ Host: 127\.0\.0\.1:\d+\n +→ Content-Type: image\/png\n +→ Expect: 100-continue\n +→ Content-Length: 100000000\n/,
    );
    expect(message).toMatch(/\d\.\d ms ← HTTP\/1\.1 100 Continue\n$/);
  });

  test("another status", async () => {
    const message = await messageOf(png(guard).withhold(100_000_000).expectRefusal(401));
    expect(message).toMatch(/^the status is 413, not 401\n\n/);
    expect(message).toMatch(/ms ← the server ends the connection\n$/);
  });

  test("an upload that is expected where the guard refuses", async () => {
    expect(
      await messageOf(
        png(guard)
          .send(Buffer.alloc(11 * 2 ** 20))
          .expectContinue(201),
      ),
    ).toMatch(/^the server sent no 100 Continue, then 413\n\n/);
  });

  test("content that was sent", async () => {
    expect(
      await messageOf(
        png(guard)
          .push(Buffer.alloc(11 * 2 ** 20))
          .expectRefusal(413),
      ),
    ).toMatch(/^\d+ bytes of content were sent\n\n[\s\S]*→ [\d,]+ bytes of content\n/);
  });

  test("no answer in time", async () => {
    const app = () => {};
    const message = await messageOf(handshake(app, quiet).put("/").withhold(5).within(100));
    expect(message).toMatch(/^PUT \/: a 100 or a final status did not come within 100 ms\n\n.*→ PUT \/ HTTP\/1\.1\n/);
  });

  test("a connection that stays open although the response announces its end", async () => {
    const server = await misbehave((served) => {
      served.send("HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return served.content().then(() => true);
    });
    expect(await messageOf(handshake(server.url).put("/").withhold(5).within(100))).toMatch(
      /^PUT \/: the end of the connection, which the response announces, did not come within 100 ms/,
    );
    await server.close();
  });

  test("bytes that are not HTTP", async () => {
    const server = await misbehave("malformed");
    expect(await messageOf(handshake(server.url).put("/").withhold(5))).toMatch(/^PUT \/: this is not HTTP\n\n/);
    await server.close();
  });

  test("credentials are not shown", async () => {
    const answer = await png(guard).set("Authorization", "Bearer open-sesame").withhold(1);
    expect(answer.transcript).toContain("→ Authorization: [hidden]");
    expect(answer.transcript).not.toContain("sesame");
  });

  test("nobody listens", async () => {
    const server = await misbehave();
    await server.close();
    expect(await messageOf(handshake(server.url).get("/"))).toMatch(/refuses the connection: nothing listens there/);
  });

  test("wrong use", async () => {
    expect(() => handshake(plainApp({}), { timeout: 5 } as never)).toThrow('unknown option "timeout"');
    expect(await messageOf(handshake(5 as never).get("/"))).toMatch(
      /handshake\(target\): received 5; expected an application/,
    );
    expect(await messageOf(handshake("nowhere").get("/"))).toMatch(/expected an http: or https: URL/);
    expect(() => handshake("http://a").put("/a b")).toThrow("expected no spaces");
    expect(() => handshake("http://a").put("/").set("a b", "c")).toThrow("a valid name");
    expect(() => handshake("http://a").put("/").set("a", "c\r\nd: e")).toThrow("a valid name");
    expect(() => handshake("http://a").put("/").withhold(0)).toThrow("a whole number from 1");
    expect(() => handshake("http://a").put("/").stopAfter(-1)).toThrow(
      "stopAfter(bytes): received -1; expected a whole",
    );
    expect(() => handshake("http://a").put("/").leaveAfter(Number.NaN)).toThrow("expected a whole number from 0");
    expect(() => handshake("http://a").put("/").within(0)).toThrow("within(deadlineMs): received 0; expected a whole");
    expect(() => handshake("http://a", { protocol: "h2" as never })).toThrow('expected "HTTP/1.1" or "HTTP/2"');
    await expect(misbehave("nothing" as never)).rejects.toThrow("expected one of no-continue, ");
  });
});

test("a server of node:https is tested over TLS", async () => {
  const server = attach(https.createServer({ key: TEST_KEY, cert: TEST_CERT }, plainApp(guarded)), { logger: silent });
  await handshake(server).put("/images/1").set("Content-Type", "image/png").send("picture").expectContinue(201);
});
