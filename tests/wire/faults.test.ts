import { once } from "node:events";
import http from "node:http";
import { afterEach, describe, expect, jest, test } from "@jest/globals";
import express from "express";
import {
  allOf,
  anyOf,
  attach,
  concurrency,
  expectations,
  handshakeOf,
  refuse,
  silent,
  type Upload,
  when,
} from "../../src/index.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { deferred } from "../helpers/deferred.js";
import {
  closeServers,
  type Handler,
  HTTP1_KINDS,
  isTlsKind,
  listen,
  next,
  recordingLogger,
  startAttached,
  store,
} from "../helpers/servers.js";
import { PLAIN, UPLOAD, WireClient } from "../helpers/wire.js";

expectNothingDeadly();
afterEach(closeServers);

/** `String()` throws at it. */
const noError = Object.create(null) as object;

/** Ways of a callback to fail. */
const failures: [string, () => unknown][] = [
  [
    "throws",
    () => {
      throw new Error("no");
    },
  ],
  [
    "throws an object without prototype",
    () => {
      throw noError;
    },
  ],
  ["rejects", () => Promise.reject(new Error("no"))],
  ["rejects with an object without prototype", () => Promise.reject(noError)],
];

type AnyPolicy = (req: never, upload: Upload) => unknown;

describe.each(HTTP1_KINDS)("%s", (kind) => {
  async function serve(policy: AnyPolicy, options: object = {}) {
    const logger = recordingLogger();
    let ran = 0;
    const count: Handler = (req, res, next) => {
      ran++;
      store(req, res, next);
    };
    const guard = expectations({ logger, policies: [policy as never], ...options }) as Handler;
    const { port } = await startAttached(
      kind,
      { use: [guard], routes: { "/files": count, "/next": next } },
      { logger },
    );
    const wire = await WireClient.connect(port, { tls: isTlsKind(kind) });
    return { wire, logger, ran: () => ran };
  }

  const broken: [string, AnyPolicy][] = [
    ...failures,
    [
      "throws no error",
      () => {
        throw undefined;
      },
    ],
    [
      "rejects with an error whose message is no text",
      () => Promise.reject(Object.assign(new Error("x"), { message: 7 })),
    ],
    ["answers null", () => null],
    ["returns nothing", () => {}],
    ["returns nothing, later", async () => {}],
    ["is one of allOf and returns nothing", allOf((() => {}) as never, () => true) as AnyPolicy],
    ["is one of anyOf and returns nothing", anyOf((() => {}) as never, () => true) as AnyPolicy],
    ["runs when its predicate returns nothing", when((() => {}) as never, () => true) as AnyPolicy],
    ["limits and returns nothing", (_req, { limitBytes }) => limitBytes(10, refuse(413))],
    [
      "answers what throws when it is looked at",
      async () =>
        new Proxy(
          {},
          {
            get(_, key) {
              if (key === "then") return undefined;
              throw new TypeError(String(key));
            },
          },
        ),
    ],
    ["answers text", async () => "yes"],
    ["answers a look-alike of a refusal", () => ({ status: 200 })],
    ["refuses with a reason that is no text", async () => refuse(403, { reason: new Error("x") as never })],
    ["refuses with a field that breaks the line", () => refuse(403, { headers: { "X-A": "a\r\nb" } })],
    [
      "limits by what is no number",
      (_req, upload) => {
        upload.limitBytes("10mb" as never, refuse(413));
        return true;
      },
    ],
    [
      "limits with what is no refusal",
      (_req, upload) => {
        upload.limitBytes(1, undefined as never);
        return true;
      },
    ],
    [
      "has a key that rejects",
      concurrency({ limit: 1, key: (() => Promise.reject(new Error("no"))) as never }) as AnyPolicy,
    ],
  ];

  test.each(broken)("a policy that %s: 500, logged, nothing accepted", async (_name, policy) => {
    const { wire, logger, ran } = await serve(policy);
    wire.send(UPLOAD);
    expect(await wire.final()).toMatchObject({ status: 500, headers: { connection: "close" } });
    await wire.fin();
    expect(wire.statuses).toEqual([500]);
    expect(ran()).toBe(0);
    expect(logger.records.map(({ level }) => level)).toEqual(["error"]);
  });

  test("a logger that throws changes nothing", async () => {
    const throwing = {
      warn() {
        throw new Error("no");
      },
      error() {
        throw new Error("no");
      },
    };
    const { wire } = await serve(() => refuse(403), { logger: throwing });
    wire.send(UPLOAD);
    expect((await wire.final()).status).toBe(403);
  });

  test.each(failures)("a refusalBody that %s: 500, logged", async (_name, refusalBody) => {
    const { wire, logger } = await serve(() => refuse(403), { refusalBody });
    wire.send(UPLOAD);
    expect((await wire.final()).status).toBe(500);
    expect(logger.records.at(-1)).toMatchObject({ level: "error", details: { policy: "refusalBody" } });
  });

  test.each(failures)("an onClose callback that %s is logged, and ends nothing", async (_name, callback) => {
    const { wire, logger } = await serve((_req, upload) => {
      upload.onClose(callback);
      return true;
    });
    wire.send(UPLOAD);
    await wire.status(100);
    wire.send("hello");
    await wire.final();
    expect(await wire.answersNext()).toBe(true);
    expect(logger.records).toHaveLength(1);
  });

  test.each(["FIN", "RST"])("runs nothing for a client that left during the verdict (%s)", async (how) => {
    let decide = (_verdict: boolean) => {};
    let signal: AbortSignal | undefined;
    let closed = 0;
    const { wire, ran, logger } = await serve((_req, upload) => {
      signal = upload.signal;
      upload.onClose(() => closed++);
      return new Promise<boolean>((resolve) => {
        decide = resolve;
      });
    });
    wire.send(UPLOAD);
    await wire.until("the policy is asked", () => true);
    while (signal === undefined) await new Promise((resolve) => setImmediate(resolve));
    if (how === "RST" && !isTlsKind(kind)) wire.socket.resetAndDestroy();
    else wire.socket.destroy();
    if (!signal.aborted) await once(signal, "abort");
    decide(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect(ran()).toBe(0);
    expect(closed).toBe(1);
    expect(logger.records).toEqual([]);
  });

  test("onRefusal answers in its own way, and the connection closes", async () => {
    const { wire, logger } = await serve(() => refuse(413), {
      onRefusal: (refusal: { status: number }, _req: unknown, res: { statusCode: number; end(body: string): void }) => {
        res.statusCode = refusal.status;
        res.end("mine");
      },
    });
    wire.send(UPLOAD);
    expect(await wire.final()).toMatchObject({ status: 413, body: "mine", headers: { connection: "close" } });
    await wire.fin();
    expect(logger.records).toHaveLength(1);
  });

  test("onRefusal of a route's guard is asked behind an app-wide guard", async () => {
    const route = expectations({
      logger: silent,
      policies: [() => false],
      onRefusal: (_refusal, _req, res) => void (res as { end(body: string): void }).end("mine"),
    }) as Handler;
    const appWide = expectations({ logger: silent }) as Handler;
    const running = await startAttached(
      kind,
      { use: [appWide], routes: { "/files": [route, store] } },
      { logger: silent },
    );
    const wire = await WireClient.connect(running.port, { tls: isTlsKind(kind) });
    wire.send(UPLOAD);
    expect((await wire.final()).body).toBe("mine");
  });

  test("onRefusal hands an error to the framework, which answers at once", async () => {
    const { wire } = await serve(() => refuse(413), {
      onRefusal: (_refusal: unknown, _req: unknown, _res: unknown, next: (error: Error) => void) =>
        next(new Error("no")),
    });
    wire.send(UPLOAD);
    expect(await wire.final()).toMatchObject({ status: 500, headers: { connection: "close" } });
    await wire.fin();
    expect(wire.statuses).toEqual([500]);
  });

  test.each([
    ["calls next() alone", (...args: unknown[]) => (args[3] as () => void)()],
    ...failures,
    ["does neither", () => {}],
  ])("an onRefusal that %s: 500, and nothing behind it runs", async (_name, onRefusal) => {
    const { wire, ran, logger } = await serve(() => refuse(413), { onRefusal, policyTimeoutMs: 100 });
    wire.send(UPLOAD);
    expect((await wire.final()).status).toBe(500);
    expect(ran()).toBe(0);
    expect(logger.records.at(-1)?.level).toBe("error");
  });

  // The default of `policyTimeoutMs` is longer than this waits for an answer.
  test.each(failures)(
    "an onRefusal that %s is answered for at once, not when its time is up",
    async (_how, onRefusal) => {
      const { wire, logger } = await serve(() => refuse(403), { onRefusal });
      wire.send(UPLOAD);
      expect((await wire.final()).status).toBe(500);
      await wire.fin();
      expect(wire.statuses).toEqual([500]);
      expect(logger.records.map(({ level }) => level)).toEqual(["warn", "error"]);
      expect(logger.records[1]?.details).toMatchObject({ policy: "onRefusal", status: 500 });
    },
  );

  test("an onRefusal that answers after its time is up ends no process", async () => {
    let answered = () => {};
    const done = new Promise<void>((resolve) => {
      answered = resolve;
    });
    const { wire } = await serve(() => refuse(413), {
      policyTimeoutMs: 20,
      onRefusal: (
        _refusal: unknown,
        _req: unknown,
        res: { setHeader(n: string, v: string): void; end(): void },
        next: (e: Error) => void,
      ) => {
        setTimeout(() => {
          res.setHeader("X-Late", "1");
          res.end();
          next(new Error("late"));
          answered();
        }, 80);
      },
    });
    wire.send(UPLOAD);
    expect((await wire.final()).status).toBe(500);
    await done;
    await wire.fin();
    expect(wire.statuses).toEqual([500]);
  });

  test("417 never goes to a request without Expect: a bare false is 403 there", async () => {
    const first = await serve(() => false);
    first.wire.send(PLAIN);
    expect((await first.wire.final()).status).toBe(403);
    const second = await serve(() => false);
    second.wire.send(UPLOAD);
    expect((await second.wire.final()).status).toBe(417);
  });

  test("expectationStatus stands for every refusal of a request with Expect", async () => {
    const first = await serve(() => refuse(413), { expectationStatus: 417 });
    first.wire.send(UPLOAD);
    expect((await first.wire.final()).status).toBe(417);
    const second = await serve(() => refuse(413), { expectationStatus: 417 });
    second.wire.send(PLAIN);
    expect((await second.wire.final()).status).toBe(413);
  });

  test.each([
    ["auto", UPLOAD, ""],
    ["auto", PLAIN, "application/problem+json"],
    ["problem", UPLOAD, "application/problem+json"],
    ["none", PLAIN, ""],
  ])("refusalBody %s", async (refusalBody, request, type) => {
    const { wire } = await serve(() => refuse(413, { reason: "too large" }), { refusalBody });
    wire.send(request);
    const { headers, body } = await wire.final();
    expect(headers["content-type"] ?? "").toBe(type);
    expect(headers["content-length"]).toBe(String(body.length));
    if (type !== "") expect(JSON.parse(body)).toEqual({ title: "Payload Too Large", status: 413, detail: "too large" });
  });

  test("a body that refuse() brings is sent in any case", async () => {
    const { wire } = await serve(() => refuse(417, { body: "<h1>no</h1>", headers: { "Content-Type": "text/html" } }), {
      refusalBody: "none",
    });
    wire.send(UPLOAD);
    expect(await wire.final()).toMatchObject({
      status: 417,
      body: "<h1>no</h1>",
      headers: { "content-type": "text/html" },
    });
  });

  test("a guard behind its route says once that it came too late", async () => {
    const logger = recordingLogger();
    const guard = expectations({ logger, policies: [() => true] }) as Handler;
    const route: Handler = (req, res, handOn) => {
      res.write("sto");
      req.on("data", () => {}).on("end", handOn);
    };
    const end: Handler = (_req, res) => void res.end("red");
    const { port } = await startAttached(kind, { routes: { "/files": [route, guard, end] } }, { logger: silent });
    for (const _ of [1, 2]) {
      const wire = await WireClient.connect(port, { tls: isTlsKind(kind) });
      wire.send(`${PLAIN}hello`);
      expect(await wire.final()).toMatchObject({ status: 200, body: "stored" });
    }
    expect(logger.records).toEqual([
      {
        level: "warn",
        message:
          "a guard came too late: the response had begun before it; mount it in front of the routes that it guards",
        details: { event: "expectation.late", url: expect.stringMatching(/^\//) },
      },
    ]);
  });

  test.each(["guard", "attachment"])(
    "a refused request is not late for a guard behind the refusal (%s)",
    async (by) => {
      const logger = recordingLogger();
      const refusing = expectations({ logger: silent, policies: [() => by !== "guard"] }) as Handler;
      const guard = expectations({ logger, policies: [() => true] }) as Handler;
      const both: Handler = (req, res, handOn) => {
        refusing(req, res, handOn);
        guard(req, res, handOn);
      };
      const { port } = await startAttached(kind, { routes: { "/files": [both, store] } }, { logger: silent });
      const wire = await WireClient.connect(port, { tls: isTlsKind(kind) });
      wire.send(by === "guard" ? UPLOAD : UPLOAD.replace("100-continue", "tea"));
      expect((await wire.final()).status).toBe(417);
      await wire.fin();
      expect(logger.records).toEqual([]);
    },
  );

  test("a guard behind a body parser says once that it came too late", async () => {
    const logger = recordingLogger();
    const parser: Handler = (req, _res, next) => {
      req.on("data", () => {});
      req.on("end", () => next());
    };
    const guard = expectations({ logger, policies: [] }) as Handler;
    const running = await startAttached(kind, { use: [parser, guard], routes: { "/files": next } }, { logger: silent });
    for (let i = 0; i < 2; i++) {
      const wire = await WireClient.connect(running.port, { tls: isTlsKind(kind) });
      wire.send(PLAIN, "hello");
      expect(await wire.final()).toMatchObject({ status: 200 });
      expect(await wire.answersNext("/nowhere")).toBe(true);
    }
    expect(logger.records.map(({ details }) => details.event)).toEqual(["expectation.late"]);
  });

  test("logs one record with the fixed keys for each refusal, and no credentials", async () => {
    const { wire, logger } = await serve(() => refuse(403, { reason: "no\r\nway" }));
    wire.send(
      "PUT http://user:secret@test/files?token=secret&b=2 HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n",
      "Authorization: Bearer secret\r\nCookie: a=secret\r\nUser-Agent: curl/7.88\u0085x\r\nX-Request-Id: r1\r\n\r\n",
    );
    await wire.final();
    expect(logger.records).toHaveLength(1);
    const details = logger.records[0]?.details ?? {};
    expect(Object.keys(details).sort()).toEqual([
      "bytesSpared",
      "client",
      "declaredLength",
      "durationMs",
      "event",
      "expectation",
      "httpVersion",
      "method",
      "policy",
      "reason",
      "requestId",
      "status",
      "url",
      "userAgent",
      "withheld",
    ]);
    expect(details).toMatchObject({
      event: "expectation.refused",
      method: "PUT",
      status: 403,
      expectation: "100-continue",
      reason: "no\\u000d\\u000away",
      declaredLength: 5,
      bytesSpared: 5,
      client: expect.stringContaining("127.0.0.1"),
      userAgent: "curl/7.88\\u0085x",
      requestId: "r1",
    });
    expect(JSON.stringify(logger.records)).not.toContain("secret");
  });
});

test("applyTo uploads judges unsafe methods without content, and expectations alone with applyTo expectations", async () => {
  const states: string[] = [];
  const refusing = (applyTo: "uploads" | "expectations") =>
    expectations({ logger: silent, applyTo, policies: [() => refuse(403)] }) as Handler;
  const routes = {
    "/uploads": [refusing("uploads"), next],
    "/expectations": [
      refusing("expectations"),
      (req: never, res: never, go: never) => {
        states.push(handshakeOf(req).state);
        next(req, res, go);
      },
    ],
  };
  const running = await startAttached("node:http", { routes: routes as never }, { logger: silent });
  const statusOf = async (request: string) => {
    const wire = await WireClient.connect(running.port);
    wire.send(request);
    return (await wire.final()).status;
  };
  const head = (method: string, path: string, rest = "") => `${method} ${path} HTTP/1.1\r\nHost: test\r\n${rest}\r\n`;
  expect(await statusOf(head("DELETE", "/uploads"))).toBe(403);
  expect(await statusOf(head("GET", "/uploads"))).toBe(200);
  expect(await statusOf(head("GET", "/uploads", "Expect: 100-continue\r\n"))).toBe(403);
  expect(await statusOf(`${head("POST", "/expectations", "Content-Length: 5\r\n")}hello`)).toBe(200);
  expect(await statusOf(head("GET", "/expectations", "Expect: 100-continue\r\n"))).toBe(403);
  expect(states).toEqual(["none"]);
});

describe("what others put on a request", () => {
  const put: [string, (req: http.IncomingMessage) => void][] = [
    ["fields that are lists", (req) => Object.assign(req.headers, { "user-agent": ["a"] })],
    ["a target that is no text", (req) => Object.assign(req, { originalUrl: 7, url: new URL("http://a/") })],
    [
      "an id that throws",
      (req) =>
        Object.defineProperty(req, "id", {
          get() {
            throw noError;
          },
        }),
    ],
  ];

  test.each(put)("takes no refusal away: %s", async (_what, change) => {
    const logger = recordingLogger();
    const guard = expectations({ logger, policies: [async () => refuse(403)] }) as Handler;
    const spoiled: Handler = (req, res, next) => {
      change(req);
      guard(req, res, next);
    };
    const { port } = await startAttached("Connect", { use: [spoiled] }, { logger });
    const wire = await WireClient.connect(port);
    wire.send(UPLOAD);
    expect((await wire.final()).status).toBe(403);
    expect(logger.records).toMatchObject([{ level: "warn", details: { status: 403, event: "expectation.refused" } }]);
  });
});

test("an error whose message throws is a fault like any other", async () => {
  class ApiError extends Error {
    override get message(): string {
      throw noError;
    }
  }
  const logger = recordingLogger();
  const guard = expectations({ logger, policies: [() => Promise.reject(new ApiError())] }) as Handler;
  const { port } = await startAttached("node:http", { use: [guard] }, { logger });
  const wire = await WireClient.connect(port);
  wire.send(UPLOAD);
  expect((await wire.final()).status).toBe(500);
  expect(logger.records).toMatchObject([{ level: "error", message: expect.stringContaining("without a message") }]);
});

test("a logger that is a Proxy for another one hears of refusals", async () => {
  const real = recordingLogger();
  const logger = new Proxy(real, {
    get: (_, level) => (details: object, message: string) => real[level as "warn"](details, message),
  });
  const { port } = await startAttached("node:http", { routes: { "/files": store } }, { logger });
  const wire = await WireClient.connect(port);
  wire.send(UPLOAD.replace("100-continue", "teapot"));
  expect((await wire.final()).status).toBe(417);
  expect(real.records).toHaveLength(1);
});

test("a policy's timer does not outlive a limit that was passed meanwhile", async () => {
  const timers = jest.spyOn(globalThis, "setTimeout");
  const guard = expectations({
    logger: silent,
    policyTimeoutMs: 54_321,
    policies: [
      async (_req, { limitBytes }) => {
        limitBytes(4, refuse(413));
        return true;
      },
    ],
  }) as Handler;
  // Later than the content: the limit is passed before the policy has answered.
  const late: Handler = (req, _res, next) => void req.once("readable", () => setImmediate(next));
  const { port } = await startAttached("node:http", { use: [late, guard] }, { logger: silent });
  const wire = await WireClient.connect(port);
  wire.send(`${PLAIN}hello`);
  expect((await wire.final()).status).toBe(413);
  expect(timers.mock.calls.filter(([, ms]) => ms === 54_321)).toEqual([]);
  timers.mockRestore();
});

test("a client that left before a late guard was reached is judged by nobody, and takes no place", async () => {
  let judged = 0;
  const reached = deferred();
  const guard = expectations({ logger: silent, policies: [() => ++judged > 0] }) as Handler;
  const late: Handler = (req, res, next) => {
    req.socket.once("close", () =>
      setImmediate(() => {
        guard(req, res, next);
        reached.resolve();
      }),
    );
  };
  const { port } = await startAttached("node:http", { use: [late] }, { logger: silent });
  const wire = await WireClient.connect(port);
  wire.send("POST /files HTTP/1.1\r\nHost: test\r\n\r\n");
  wire.destroy();
  await reached.promise;
  expect(judged).toBe(0);
});

test("a `trust proxy` function of Express that throws takes no refusal away", async () => {
  const logger = recordingLogger();
  const app = express();
  app.set("trust proxy", () => {
    throw new Error("no");
  });
  app.put("/files", expectations({ logger, policies: [async () => refuse(403)] }));
  const { port } = await listen(attach(http.createServer(app), { logger }));
  const wire = await WireClient.connect(port);
  wire.send(UPLOAD);
  expect((await wire.final()).status).toBe(403);
  expect(logger.records).toMatchObject([{ level: "warn", details: { client: expect.stringContaining("127.0.0.1") } }]);
});
