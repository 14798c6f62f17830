import * as http from "node:http";
import * as http2 from "node:http2";
import { afterEach, describe, expect, test } from "@jest/globals";
import { attach, detach, expectations, handshakeOf, maxSize, refuse, silent } from "../../src/index.js";
import {
  closeServers,
  type Handler,
  HTTP1_KINDS,
  isTlsKind,
  listen,
  makeServer,
  next,
  plainApp,
  recordingLogger,
  start,
  startAttached,
  store,
} from "../helpers/servers.js";
import { UPLOAD, WireClient } from "../helpers/wire.js";

afterEach(closeServers);

const TEA = UPLOAD.replace("100-continue", "tea");

describe("attach", () => {
  test("returns the same server, and changes nothing the second time", () => {
    const server = http.createServer();
    expect(attach(server)).toBe(server);
    const { emit } = server;
    expect(attach(server)).toBe(server);
    expect(server.emit).toBe(emit);
    expect(server.listenerCount("checkContinue")).toBe(1);
    expect(server.listenerCount("checkExpectation")).toBe(1);
  });

  test("detach gives the server back as it was", () => {
    const server = http.createServer();
    const { emit } = server;
    expect(detach(attach(server))).toBe(server);
    expect(server.emit).toBe(emit);
    expect(Object.hasOwn(server, "emit")).toBe(false);
    expect(server.listenerCount("checkContinue")).toBe(0);
    expect(server.listenerCount("checkExpectation")).toBe(0);
  });

  test("attaches again after detach", async () => {
    const server = attach(detach(attach(http.createServer(plainApp({ routes: { "/files": store } })))));
    const { port } = await listen(server);
    const wire = await WireClient.connect(port);
    wire.send(UPLOAD);
    await wire.status(100);
    wire.send("hello");
    await wire.final();
    expect(wire.statuses).toEqual([100, 201]);
  });

  test.each([() => http.createServer(), () => http2.createServer()])("refuses to share checkContinue", (make) => {
    const server = make() as http.Server;
    server.on("checkContinue", () => {});
    expect(() => attach(server)).toThrow(
      expect.objectContaining({ code: "ERR_EXPECT_LISTENERS", message: expect.stringContaining("replaceListeners") }),
    );
    expect(Object.hasOwn(server, "emit")).toBe(false);
  });

  test("sets other listeners aside with replaceListeners, until detach", () => {
    const server = http.createServer();
    const mine = () => {};
    server.on("checkExpectation", mine);
    attach(server, { replaceListeners: true });
    expect(server.listeners("checkExpectation")).not.toContain(mine);
    detach(server);
    expect(server.listeners("checkExpectation")).toEqual([mine]);
  });

  describe("a listener of checkContinue that was there, with replaceListeners", () => {
    async function connect(
      listener: (server: http.Server, ...args: [http.IncomingMessage, http.ServerResponse]) => void,
    ) {
      const server = http.createServer(plainApp({ routes: { "/files": store, "/next": next } }));
      server.on("checkContinue", (req, res) => listener(server, req, res));
      const guard = expectations({ policies: [maxSize(6)], logger: silent });
      const { port } = await listen(attach(server, { replaceListeners: true, guard, logger: silent }));
      return WireClient.connect(port);
    }

    test("gets the requests that a guard accepts, and no others", async () => {
      const seen: (string | undefined)[] = [];
      const wire = await connect((_server, req, res) => {
        seen.push(req.headers["content-length"]);
        res.writeHead(409).end();
      });
      wire.send(UPLOAD);
      await wire.final();
      const refused = await connect(() => seen.push("refused"));
      refused.send(UPLOAD.replace("Length: 5", "Length: 7"));
      await refused.final();
      expect([wire.statuses, refused.statuses]).toEqual([[409], [413]]);
      expect(seen).toEqual(["5"]);
    });

    test("runs the application once, by a request of its own", async () => {
      const wire = await connect((server, req, res) => {
        res.writeContinue();
        server.emit("request", req, res);
      });
      wire.send(UPLOAD);
      await wire.status(100);
      wire.send("hello");
      expect((await wire.final()).body).toBe("stored 5");
      expect(wire.statuses).toEqual([100, 201]);
    });

    test("writes no 100 at once for content that nobody reads", async () => {
      const wire = await connect((server, req, res) => {
        res.writeContinue();
        server.emit("request", req, res);
      });
      wire.send(UPLOAD.replace("/files", "/other"));
      await wire.final();
      expect(wire.statuses).toEqual([404]);
    });

    test("writes a 100 when it decides to later", async () => {
      const wire = await connect((_server, _req, res) => setImmediate(() => res.writeContinue()));
      wire.send(UPLOAD);
      await wire.status(100);
      expect(wire.statuses).toEqual([100]);
    });
  });
});

describe.each(HTTP1_KINDS)("self-attachment on %s", (kind) => {
  test("attaches at the first request of any kind, quietly", async () => {
    const logger = recordingLogger();
    const guard = expectations({ policies: [maxSize(4)], logger }) as Handler;
    const { port } = await start(kind, { use: [guard], routes: { "/files": store, "/next": next } });
    const wire = await WireClient.connect(port, { tls: isTlsKind(kind) });
    expect(await wire.answersNext()).toBe(true);
    expect(logger.records).toEqual([]);
    wire.send(UPLOAD);
    await wire.final(2);
    expect(wire.statuses).toEqual([200, 413]);
  });

  test("warns once when the first 100 was sent before it could attach", async () => {
    const logger = recordingLogger();
    const guard = expectations({ policies: [maxSize(4)], logger }) as Handler;
    const { port } = await start(kind, { use: [guard], routes: { "/files": store, "/next": next } });
    for (const statuses of [[100, 413], [413], [413]]) {
      const wire = await WireClient.connect(port, { tls: isTlsKind(kind) });
      wire.send(UPLOAD);
      await wire.final();
      await wire.fin();
      expect(wire.statuses).toEqual(statuses);
    }
    const warnings = logger.records.filter(({ details }) => details.event === "expectation.attach");
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.message).toContain("attach(app.listen(port))");
  });

  test("stays away with autoAttach: false", async () => {
    const logger = recordingLogger();
    const guard = expectations({ policies: [maxSize(4)], logger, autoAttach: false }) as Handler;
    const { port, server } = await start(kind, { use: [guard], routes: { "/files": store } });
    const wire = await WireClient.connect(port, { tls: isTlsKind(kind) });
    wire.send(UPLOAD);
    await wire.final();
    expect(wire.statuses).toEqual([100, 413]);
    expect(server.listenerCount("checkContinue")).toBe(0);
  });

  test("does not attach again what was detached on purpose", async () => {
    const guard = expectations({ policies: [maxSize(4)], logger: silent }) as Handler;
    const server = detach(makeServer(kind, { use: [guard], routes: { "/next": next } }));
    const { port } = await listen(server, isTlsKind(kind));
    const wire = await WireClient.connect(port, { tls: isTlsKind(kind) });
    expect(await wire.answersNext()).toBe(true);
    expect(server.listenerCount("checkContinue")).toBe(0);
  });
});

test("a guard whose server somebody else holds judges all the same, and logs it once", async () => {
  const logger = recordingLogger();
  const guard = expectations({ policies: [maxSize(4)], logger }) as Handler;
  const app = plainApp({ use: [guard], routes: { "/files": store } });
  const server = http.createServer(app).on("checkContinue", app);
  const { port } = await listen(server);
  for (let i = 0; i < 2; i++) {
    const wire = await WireClient.connect(port);
    wire.send(UPLOAD);
    expect(await wire.final()).toMatchObject({ status: 413, headers: { connection: "close" } });
    await wire.fin();
    expect(wire.statuses).toEqual([413]);
  }
  const accepted = await WireClient.connect(port);
  accepted.send(UPLOAD.replace(": 5", ": 4"));
  await accepted.status(100);
  accepted.send("hell");
  await accepted.final();
  expect(accepted.statuses).toEqual([100, 201]);
  expect(logger.records.filter(({ level }) => level === "error")).toHaveLength(1);
});

describe.each(HTTP1_KINDS)("expectations other than 100-continue on %s", (kind) => {
  const serve = async (use: Handler[], options: Parameters<typeof attach>[1] = {}) => {
    const parts = { use, routes: { "/files": store, "/next": next } };
    const { port } = await startAttached(kind, parts, { logger: silent, ...options });
    return WireClient.connect(port, { tls: isTlsKind(kind) });
  };
  const judges = expectations({
    logger: silent,
    extensions: { Tea: (_req, { expectation }) => expectation?.value !== "cold" },
  });

  test("are refused by the server where no name covers them", async () => {
    const logger = recordingLogger();
    const wire = await serve([], { logger });
    wire.send(TEA);
    expect(await wire.final()).toMatchObject({ status: 417, headers: { connection: "close" } });
    await wire.fin();
    expect(logger.records).toHaveLength(1);
    expect(logger.records[0]?.details).toMatchObject({
      status: 417,
      policy: "unknown-expectation",
      expectation: "tea",
    });
  });

  test("are judged by the guard that has a policy for the name", async () => {
    const accepted = await serve([judges as Handler], { extensions: ["TEA"] });
    accepted.send(TEA, "hello");
    expect((await accepted.final()).status).toBe(201);
    const refused = await serve([judges as Handler], { extensions: ["tea"] });
    refused.send(TEA.replace("tea", "tea=cold"));
    expect(await refused.final()).toMatchObject({ status: 417, headers: { connection: "close" } });
  });

  test("several of one request must all be accepted, then comes the one 100", async () => {
    const seen: unknown[] = [];
    const guard = expectations({
      logger: silent,
      extensions: {
        "size-class": (_req, { expectation }) => {
          seen.push(expectation?.value);
          return expectation?.value === "large, or so";
        },
        tea: async (_req, { expectation }) => {
          seen.push(expectation?.parameters.sugar);
          return expectation?.parameters.sugar === "two";
        },
      },
    }) as Handler;
    const names = { extensions: ["size-class", "tea"] };
    const request = (sugar: string) =>
      TEA.replace("tea", `Size-Class="large, or so", 100-continue, tea=x;sugar=${sugar}`);
    const accepted = await serve([guard], names);
    accepted.send(request("two"));
    await accepted.status(100);
    accepted.send("hello");
    await accepted.final();
    expect(accepted.statuses).toEqual([100, 201]);
    expect(seen).toEqual(["large, or so", "two"]);
    const refused = await serve([guard], names);
    refused.send(request("none"));
    expect((await refused.final()).status).toBe(417);
    await refused.fin();
    expect(refused.statuses).toEqual([417]);
  });

  test("pass a guard that leaves the name to another one", async () => {
    const appWide = expectations({ logger: silent }) as Handler;
    const wire = await serve([appWide, judges as Handler], { extensions: ["tea"] });
    wire.send(TEA.replace("tea", "tea, 100-continue"));
    await wire.status(100);
    wire.send("hello");
    await wire.final();
    expect(wire.statuses).toEqual([100, 201]);
  });

  test("are refused when a route without a guard reads the content", async () => {
    const wire = await serve([], { extensions: ["tea"] });
    wire.send(TEA.replace("tea", "tea, 100-continue"));
    expect((await wire.final()).status).toBe(417);
    await wire.fin();
    expect(wire.statuses).toEqual([417]);
  });

  test("are passed over with unknownExpectations: ignore", async () => {
    const guard = expectations({ logger: silent, unknownExpectations: "ignore" }) as Handler;
    const wire = await serve([guard], { unknownExpectations: "ignore" });
    wire.send(TEA, "hello");
    expect((await wire.final()).status).toBe(201);
    expect(await wire.answersNext()).toBe(true);
  });
});

describe.each(HTTP1_KINDS)("attach({ guard }) on %s", (kind) => {
  const guard = expectations({ logger: silent, policies: [maxSize(5), (req) => req.url !== "/secret" || refuse(404)] });

  test("judges before the application", async () => {
    let ran = 0;
    const count: Handler = (req, res, next) => {
      ran++;
      store(req, res, next);
    };
    const { port } = await startAttached(
      kind,
      { routes: { "/files": count, "/next": next } },
      { guard, logger: silent },
    );
    const refused = await WireClient.connect(port, { tls: isTlsKind(kind) });
    refused.send(UPLOAD.replace(": 5", ": 6"));
    expect(await refused.final()).toMatchObject({ status: 413, headers: { connection: "close" } });
    expect(ran).toBe(0);
    const accepted = await WireClient.connect(port, { tls: isTlsKind(kind) });
    accepted.send(UPLOAD);
    await accepted.status(100);
    accepted.send("hello");
    await accepted.final();
    expect(await accepted.answersNext()).toBe(true);
    expect(accepted.statuses).toEqual([100, 201, 200]);
    expect(ran).toBe(1);
  });

  test.each<[string, Handler]>([
    ["hands an error on", (_req, _res, next) => next(new Error("no"))],
    ["hands an error on later", (_req, _res, next) => void setImmediate(() => next(new Error("no")))],
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
  ])("answers 500 when the guard %s, and ends no process", async (_how, failing) => {
    const logger = recordingLogger();
    let ran = 0;
    const count: Handler = (req, res, done) => {
      ran++;
      next(req, res, done);
    };
    const routes = { "/files": count, "/next": count };
    const { port } = await startAttached(kind, { routes }, { guard: failing, logger });
    for (const request of [UPLOAD, "GET /next HTTP/1.1\r\nHost: test\r\n\r\n"]) {
      const wire = await WireClient.connect(port, { tls: isTlsKind(kind) });
      wire.send(request);
      expect((await wire.final()).status).toBe(500);
      expect(wire.statuses).toEqual([500]);
    }
    expect(ran).toBe(0);
    expect(logger.records.map(({ level }) => level)).toEqual(["error", "error"]);
  });

  test.each([undefined, null])("lets a request in by next(%s)", async (nothing) => {
    const guard: Handler = (_req, _res, next) => next(nothing);
    const routes = { "/files": store, "/next": next };
    const { port } = await startAttached(kind, { routes }, { logger: silent, guard });
    const wire = await WireClient.connect(port, { tls: isTlsKind(kind) });
    wire.send(UPLOAD);
    await wire.status(100);
    wire.send("hello");
    expect((await wire.final()).status).toBe(201);
    expect(await wire.answersNext()).toBe(true);
  });

  test("takes over from a guard that met a request first", async () => {
    const first = expectations({ logger: silent }) as Handler;
    const running = await start(kind, { use: [first], routes: { "/files": store, "/next": next } });
    const wire = await WireClient.connect(running.port, { tls: isTlsKind(kind) });
    expect(await wire.answersNext()).toBe(true);
    attach(running.server, { guard, logger: silent });
    wire.send(UPLOAD.replace(": 5", ": 6"));
    expect(await wire.final(2)).toMatchObject({ status: 413 });
    expect(wire.statuses).toEqual([200, 413]);
    expect(running.server.listenerCount("checkContinue")).toBe(1);
  });

  test("refuses a guard that would never run", () => {
    const server = attach(http.createServer(), { guard });
    expect(attach(server, { guard })).toBe(server);
    expect(attach(server)).toBe(server);
    expect(() => attach(server, { guard: expectations() })).toThrow(
      expect.objectContaining({ code: "ERR_EXPECT_OPTION", message: expect.stringContaining("attached already") }),
    );
  });
});

describe.each(HTTP1_KINDS)("detach on %s", (kind) => {
  test("what detach leaves under a later wrapper watches no request", async () => {
    const seen: unknown[] = [];
    const tell: Handler = (req, res, next) => {
      seen.push(handshakeOf(req).expectations);
      store(req, res, next);
    };
    const running = await startAttached(kind, { routes: { "/files": tell } }, { logger: silent });
    const server = running.server as http.Server;
    const { emit } = server;
    server.emit = function (this: http.Server, ...args: [string, ...unknown[]]) {
      return Reflect.apply(emit, this, args);
    } as typeof emit;
    detach(server);
    const wire = await WireClient.connect(running.port, { tls: isTlsKind(kind) });
    wire.send(UPLOAD, "hello");
    await wire.final();
    expect(wire.statuses).toEqual([100, 201]);
    expect(seen).toEqual([[]]);
  });
});
