import * as http from "node:http";
import { finished } from "node:stream";
import { afterEach, describe, expect, test } from "@jest/globals";
import { attach, expectations, maxSize, refuse, silent, type UploadEnd } from "../../src/index.js";
import {
  closeServers,
  type Handler,
  listen,
  plainApp,
  recordingLogger,
  startAttached,
  store,
} from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { CHUNKED, PLAIN, UPLOAD, WireClient } from "../helpers/wire.js";

// Other ways to the same thing: to a server, to the end of a response, to a 100, to the content.

afterEach(closeServers);

const MUCH = 20 * 2 ** 20;
const chunk = (size: number) => `${size.toString(16)}\r\n${"x".repeat(size)}\r\n`;
const serverOf = (handler: Handler, options: http.ServerOptions = {}) =>
  http.createServer(options, (req, res) => handler(req, res, () => {}));

/** Sends content until the server has had enough of it, or all is sent. */
async function pour(wire: WireClient, bytes: number): Promise<void> {
  const piece = chunk(65_536);
  for (let sent = 0; sent < bytes && !wire.isClosed && wire.socket.writable; sent += 65_536) {
    if (!wire.socket.write(piece)) {
      await Promise.race([
        new Promise((resolve) => wire.socket.once("drain", resolve)),
        new Promise((resolve) => wire.socket.once("close", resolve)),
      ]);
    }
  }
}

describe("a server that hands its requests to another one by emit()", () => {
  const nested = async (isFrontAttached: boolean) => {
    let asked = 0;
    const ran: string[] = [];
    const guard = expectations({
      logger: silent,
      policies: [
        (req) => {
          asked++;
          return req.headers.authorization === "yes" ? true : refuse(401);
        },
      ],
    });
    const inner = serverOf((req, res, done) => {
      ran.push(String(req.url));
      store(req, res, done);
    });
    attach(inner, { guard, logger: silent });
    const front = serverOf((req, res) => void inner.emit("request", req, res));
    if (isFrontAttached) attach(front, { logger: silent });
    const { port } = await listen(front);
    return { wire: await WireClient.connect(port), asked: () => asked, ran };
  };
  const head = (more: string) => `PUT /files HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n${more}\r\n`;

  describe.each([true, false])("itself attached: %s", (isFrontAttached) => {
    test("has that one's guard refuse, once, before the application runs", async () => {
      const { wire, asked, ran } = await nested(isFrontAttached);
      wire.send(`${head("")}hello`);
      expect((await wire.final()).status).toBe(401);
      expect({ asked: asked(), ran }).toEqual({ asked: 1, ran: [] });
    });

    test("has that one's guard accept, once, on one handshake", async () => {
      const { wire, asked, ran } = await nested(isFrontAttached);
      wire.send(head("Authorization: yes\r\nExpect: 100-continue\r\n"));
      await wire.status(100);
      wire.send("hello");
      expect(await wire.final()).toMatchObject({ status: 201, body: "stored 5" });
      expect(wire.statuses).toEqual([100, 201]);
      expect({ asked: asked(), ran }).toEqual({ asked: 1, ran: ["/files"] });
      expect(await wire.answersNext("/files")).toBe(true);
    });
  });

  test("has guards of both sides act on one handshake, request after request", async () => {
    const guard = expectations({ logger: silent, policies: [maxSize(10)] }) as Handler;
    const inner = serverOf((req, res) => guard(req, res, () => store(req, res, () => {})));
    attach(inner, { logger: silent });
    // A guard of the inner application attaches the front server at the first request.
    const { port } = await listen(serverOf((req, res) => void inner.emit("request", req, res)));
    const wire = await WireClient.connect(port);
    for (let i = 1; i <= 3; i++) {
      wire.send(`${PLAIN}hello`);
      await wire.final(i);
    }
    expect(wire.statuses).toEqual([201, 201, 201]);
  });
});

test.each([
  ["without Expect", PLAIN, [201]],
  ["with Expect", UPLOAD, [100, 201]],
])(
  "a request that the application emits again on its own server, %s, is watched once",
  async (_name, request, statuses) => {
    let asked = 0;
    const guard = expectations({
      logger: silent,
      policies: [
        () => {
          asked++;
          return true;
        },
      ],
    });
    const server: http.Server = serverOf((req, res, done) => {
      if (req.url === "/files") {
        req.url = "/rewritten";
        server.emit("request", req, res);
      } else store(req, res, done);
    });
    const { port } = await listen(attach(server, { guard, logger: silent }));
    const wire = await WireClient.connect(port);
    wire.send(request);
    if (statuses.length > 1) await wire.status(100);
    wire.send("hello");
    expect(await wire.final()).toMatchObject({ status: 201, body: "stored 5" });
    expect(wire.statuses).toEqual(statuses);
    expect(asked).toBe(1);
  },
);

describe("a refusal", () => {
  const guard = expectations({ logger: silent, policies: [() => refuse(413)] }) as Handler;
  class Signed extends http.ServerResponse {
    override end(...args: never[]): this {
      if (!this.writableEnded) this.setHeader("X-Signature", "abc");
      return Reflect.apply(super.end, this, args) as this;
    }
  }
  class Throwing extends http.ServerResponse {
    override end(): this {
      throw new Error("no end");
    }
  }

  test("survives an end() of a subclass that sets a field", async () => {
    const { port } = await listen(attach(serverOf(guard, { ServerResponse: Signed as never }), { logger: silent }));
    const wire = await WireClient.connect(port);
    wire.send(UPLOAD);
    expect(await wire.final()).toMatchObject({ status: 413, headers: { "x-signature": "abc", connection: "close" } });
  });

  test("survives an end() that throws", async () => {
    const { port } = await listen(attach(serverOf(guard, { ServerResponse: Throwing as never }), { logger: silent }));
    const wire = await WireClient.connect(port);
    wire.send(UPLOAD);
    expect(await wire.final()).toMatchObject({ status: 500, headers: { connection: "close" } });
    await wire.fin();
  });

  test("survives a prototype whose end() sets a field", async () => {
    const { end } = http.ServerResponse.prototype;
    http.ServerResponse.prototype.end = function (this: http.ServerResponse, ...args: never[]) {
      if (!this.writableEnded) this.setHeader("X-Trace", "1");
      return Reflect.apply(end, this, args);
    } as never;
    try {
      const { port } = await listen(attach(serverOf(guard), { logger: silent }));
      const wire = await WireClient.connect(port);
      wire.send(UPLOAD);
      expect(await wire.final()).toMatchObject({ status: 413, headers: { "x-trace": "1", connection: "close" } });
    } finally {
      http.ServerResponse.prototype.end = end;
    }
  });
});

describe("an application that has answered and reads on", () => {
  test("gets no byte beyond a limit, and an error; the connection ends behind its answer", async () => {
    let received = 0;
    let code: string | undefined;
    const logger = recordingLogger();
    const guard = expectations({ logger, policies: [maxSize(100_000)] }) as Handler;
    const early: Handler = (req, res) => {
      req.on("data", (piece: Buffer) => {
        received += piece.length;
        if (!res.headersSent) {
          res.statusCode = 202;
          res.end("accepted");
        }
      });
      req.on("error", (error: NodeJS.ErrnoException) => {
        code = error.code;
      });
    };
    const { port } = await startAttached("node:http", { routes: { "/files": [guard, early] } }, { logger: silent });
    const wire = await WireClient.connect(port);
    wire.send(CHUNKED);
    await pour(wire, MUCH);
    await wire.fin();
    expect(await wire.final()).toMatchObject({ status: 202, body: "accepted" });
    expect(received).toBeLessThanOrEqual(100_000);
    expect(code).toBe("ERR_EXPECT_LIMIT");
    expect(logger.records).toMatchObject([{ details: { policy: "maxSize", status: 202 } }]);
  });

  test.each([
    ["whose content is small", "Content-Length: 65536\r\n", 1],
    ["whose content is large", "Content-Length: 65537\r\n", 3],
  ])(
    "before any of the content is read keeps the connection of a request without Expect %s",
    async (_name, field, n) => {
      const guard = expectations({ logger: silent, policies: [maxSize("1mb")] }) as Handler;
      const answer: Handler = (_req, res) => {
        res.statusCode = 204;
        res.end();
      };
      const { port, server } = await startAttached(
        "node:http",
        { routes: { "/files": [guard, answer] } },
        { logger: silent },
      );
      let connections = 0;
      server.on("connection", () => connections++);
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      const length = Number(/\d+/.exec(field)?.[0]);
      for (let i = 0; i < 3; i++) {
        await new Promise<void>((resolve, reject) => {
          const headers = { "Content-Length": length };
          const req = http.request({ port, agent, method: "PUT", path: "/files", headers }, (res) => {
            res.resume().on("end", () => resolve());
          });
          req.on("error", reject);
          req.end("x".repeat(length));
        });
      }
      agent.destroy();
      expect(connections).toBe(n);
    },
  );

  test("before any of the content is read sees its request end and close", async () => {
    const events: string[] = [];
    const answer: Handler = (req, res) => {
      for (const event of ["end", "close"]) req.on(event, () => events.push(event));
      finished(req, () => events.push("finished"));
      res.end("ok");
    };
    const { port } = await startAttached("node:http", { routes: { "/files": answer } }, { logger: silent });
    const wire = await WireClient.connect(port);
    wire.send("PUT /files HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\n", "x".repeat(1_000));
    await wire.final();
    wire.send("x".repeat(99_000));
    await wire.fin();
    wire.socket.end();
    await wire.closed();
    await until("the request has closed", () => events.includes("close"));
    expect([...events].sort()).toEqual(["close", "end", "finished"]);
  });
});

describe("interim responses", () => {
  type Informing = http.ServerResponse & { writeInformation?: (status: number) => void };
  const inform = (res: http.ServerResponse, status: number) => {
    const { writeInformation } = res as Informing;
    if (writeInformation) writeInformation.call(res, status);
    else if (status === 100) res.writeContinue();
    else res.writeProcessing();
  };
  const serve = async (handler: Handler, policies = [maxSize(1_000)]) => {
    const guard = expectations({ logger: silent, policies }) as Handler;
    const { port } = await startAttached("node:http", { routes: { "/files": [guard, handler] } }, { logger: silent });
    return WireClient.connect(port);
  };

  test("of status 100 are one, whichever method writes them", async () => {
    const wire = await serve((req, res, done) => {
      inform(res, 100);
      res.writeContinue();
      inform(res, 100);
      store(req, res, done);
    });
    wire.send(UPLOAD);
    await wire.status(100);
    wire.send("hello");
    await wire.status(201);
    expect(wire.statuses).toEqual([100, 201]);
  });

  test("of status 100 wait for a verdict, and are not written behind its refusal", async () => {
    let decide = (_isAccepted: boolean) => {};
    const slow = () =>
      new Promise<boolean>((resolve) => {
        decide = resolve;
      });
    const guard = expectations({ logger: silent, policies: [slow] }) as Handler;
    const early: Handler = (_req, res, done) => {
      done();
      inform(res, 100);
      setImmediate(() => decide(false));
    };
    const { port } = await startAttached(
      "node:http",
      { routes: { "/files": [early, guard, store] } },
      { logger: silent },
    );
    const wire = await WireClient.connect(port);
    wire.send(UPLOAD);
    await wire.final();
    expect(wire.statuses).toEqual([417]);
  });

  test("of status 100 never go to HTTP/1.0, nor to a request without content", async () => {
    const both: Handler = (_req, res) => {
      inform(res, 100);
      res.writeContinue();
      res.end("ok");
    };
    for (const request of [
      "PUT /files HTTP/1.0\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
      "GET /files HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\n\r\n",
    ]) {
      const wire = await serve(both);
      wire.send(request);
      await wire.final();
      expect(wire.statuses).toEqual([200]);
    }
  });

  test("of other statuses pass before the final one, and are nothing behind it", async () => {
    const wire = await serve((req, res) => {
      inform(res, 102);
      res.writeEarlyHints({ link: "</style.css>; rel=preload" });
      res.writeHead(200, { "Content-Length": "2" });
      res.write("o");
      inform(res, 102);
      res.writeProcessing();
      res.writeEarlyHints({ link: "</style.css>; rel=preload" });
      inform(res, 100);
      res.end("k");
      req.resume();
    });
    wire.send(UPLOAD);
    await wire.final();
    expect(wire.statuses).toEqual([102, 103, 200]);
    expect((await wire.final()).body).toBe("ok");
  });

  test("and heads behind a refusal in mid-body are nothing, and throw nothing", async () => {
    const thrown: unknown[] = [];
    const wire = await serve((req, res) => {
      req.on("data", () => {});
      req.on("error", () => {
        for (const write of [
          () => inform(res, 102),
          () => res.writeProcessing(),
          () => (res as unknown as { writeHeader?: (status: number) => void }).writeHeader?.(200),
          () => res.writeHead(200),
        ]) {
          try {
            write();
          } catch (error) {
            thrown.push(error);
          }
        }
        res.end("late");
      });
    });
    wire.send(CHUNKED, chunk(2_000));
    await wire.fin();
    expect(wire.statuses).toEqual([413]);
    expect(thrown).toEqual([]);
  });
});

describe("content that comes with the head", () => {
  const serve = async () => {
    const guard = expectations({ logger: silent }) as Handler;
    const { port } = await startAttached("node:http", { routes: { "/files": [guard, store] } }, { logger: silent });
    return WireClient.connect(port);
  };

  test("owes no 100 where it is whole", async () => {
    const wire = await serve();
    wire.send(`${UPLOAD}hello`);
    expect((await wire.final()).body).toBe("stored 5");
    expect(wire.statuses).toEqual([201]);
    expect(await wire.answersNext("/files")).toBe(true);
  });

  test("gets its 100 where a part of it is missing", async () => {
    const wire = await serve();
    wire.send(`${UPLOAD}hell`);
    await wire.status(100);
    wire.send("o");
    expect((await wire.final()).body).toBe("stored 5");
    expect(wire.statuses).toEqual([100, 201]);
  });
});

test("a response that waits behind an earlier one, and is cut, leaves that one whole", async () => {
  const guard = expectations({ logger: silent, policies: [maxSize(10)] }) as Handler;
  let answerFirst = () => {};
  const begun: Handler = (req, res) => {
    res.writeHead(200);
    res.write("begun");
    req.on("data", () => {});
    req.on("error", () => answerFirst());
  };
  const slow: Handler = (_req, res) => {
    answerFirst = () => void res.end("whole");
  };
  const { port } = await startAttached(
    "node:http",
    { routes: { "/slow": slow, "/files": [guard, begun] } },
    { logger: silent },
  );
  const wire = await WireClient.connect(port);
  wire.send(`GET /slow HTTP/1.1\r\nHost: test\r\n\r\n${CHUNKED}${chunk(20)}0\r\n\r\n`);
  await wire.fin();
  expect(await wire.final()).toMatchObject({ status: 200, body: "whole" });
  expect(wire.statuses).toEqual([200]);
});

test("a listener of checkContinue that is added later is told of once in the log", async () => {
  const logger = recordingLogger();
  const server = http.createServer(plainApp({ routes: { "/files": store } }));
  attach(server, { logger });
  let called = 0;
  for (let i = 0; i < 2; i++) server.on("checkContinue", () => called++);
  const { port } = await listen(server);
  const wire = await WireClient.connect(port);
  wire.send(UPLOAD);
  await wire.status(100);
  wire.send("hello");
  await wire.status(201);
  expect(called).toBe(0);
  expect(logger.records).toMatchObject([
    { level: "error", details: { event: "expectation.attach", err: { code: "ERR_EXPECT_LISTENERS" } } },
  ]);
});

describe("an upload's signal, limits and failures", () => {
  test("the signal aborts when the client leaves in mid-upload, and not behind a response", async () => {
    const signals: AbortSignal[] = [];
    const ends: UploadEnd[] = [];
    const guard = expectations({
      logger: silent,
      policies: [
        (_req, { signal, onClose }) => {
          signals.push(signal);
          onClose((end) => ends.push(end));
          return true;
        },
      ],
    }) as Handler;
    const { port } = await startAttached("node:http", { routes: { "/files": [guard, store] } }, { logger: silent });
    const wire = await WireClient.connect(port);
    wire.send(`${PLAIN}hello`);
    await wire.final();
    wire.send(`${PLAIN}he`);
    await until("the second upload is judged", () => signals.length === 2);
    wire.destroy();
    await until("both have ended", () => ends.length === 2);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, true]);
  });

  test("a limit that is set later is logged under the policy that set it", async () => {
    const logger = recordingLogger();
    let limit = () => {};
    function later(_req: unknown, upload: { limitBytes(bytes: number, refusal: ReturnType<typeof refuse>): void }) {
      limit = () => upload.limitBytes(1, refuse(413));
      return true;
    }
    const innocent = () => true;
    const guard = expectations({ logger, policies: [later, innocent] }) as Handler;
    const { port } = await startAttached("node:http", { routes: { "/files": [guard, store] } }, { logger: silent });
    const wire = await WireClient.connect(port);
    wire.send("PUT /files HTTP/1.1\r\nHost: test\r\nContent-Length: 50\r\n\r\n", "hello");
    await until("the policy has run", () => {
      limit();
      return logger.records.length > 0;
    });
    expect(logger.records).toMatchObject([{ details: { policy: "later", status: 413 } }]);
  });

  test("a policy that fails when the request is decided already is logged", async () => {
    const logger = recordingLogger();
    let fail = () => {};
    function broken(_req: unknown, upload: { limitBytes(bytes: number, refusal: ReturnType<typeof refuse>): void }) {
      upload.limitBytes(1, refuse(413));
      return new Promise<boolean>((_resolve, reject) => {
        fail = () => reject(new Error("the database is down"));
      });
    }
    const guard = expectations({ logger, policies: [broken] }) as Handler;
    const { port } = await startAttached("node:http", { routes: { "/files": [guard, store] } }, { logger: silent });
    const wire = await WireClient.connect(port);
    wire.send(`${PLAIN}hello`);
    expect((await wire.final()).status).toBe(413);
    fail();
    await until("the failure is logged", () => logger.records.length === 2);
    expect(logger.records[1]).toMatchObject({
      level: "error",
      details: { policy: "broken" },
      message: "policy broken failed after the request was decided: the database is down",
    });
  });
});
