import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Writable } from "node:stream";
import fastifyExpress from "@fastify/express";
import { afterAll, describe, expect, test } from "@jest/globals";
import type express from "express";
import fastify from "fastify";
import morgan from "morgan";
import pino from "pino";
import { pinoHttp } from "pino-http";
import { type AttachOptions, attach, type ExpectationOptions, expectations, maxSize } from "../../src/index.js";
import { deadline } from "../helpers/deadline.js";
import { closeSessions, exchange, openSession } from "../helpers/http2.js";
import {
  closeServers,
  type Handler,
  isTlsKind,
  listen,
  recordingLogger,
  type ServerKind,
  startAttached,
  store,
} from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";

// The tests wait for lingering connections most of the time: they run side by side, each with a server of its own.
afterAll(async () => {
  closeSessions();
  await closeServers();
});

/** A stream that keeps all it is written, and lets others wait for it. */
class Sink extends Writable {
  text = "";

  override _write(chunk: unknown, _encoding: string, done: () => void): void {
    this.text += String(chunk);
    this.emit("kept");
    done();
  }

  get lines(): Record<string, unknown>[] {
    return this.text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  }

  async until(what: string, isTrue: () => boolean): Promise<void> {
    const deadlineMs = deadline(8_000);
    const signal = AbortSignal.timeout(deadlineMs);
    while (!isTrue()) {
      await once(this, "kept", { signal }).catch(() => {
        throw new Error(`not within ${deadlineMs} ms: ${what}; kept: ${this.text}`);
      });
    }
  }
}

/** What an access log tells about one request. */
interface AccessLine {
  readonly method: unknown;
  readonly url: unknown;
  /** `null` where the client left without an answer. */
  readonly status: unknown;
  readonly headersSent: unknown;
}

interface AccessLog {
  readonly make: (sink: Sink) => Handler;
  readonly read: (line: Record<string, unknown>) => AccessLine;
}

morgan.token("headers-sent", (_req, res) => String(res.headersSent));

type PinoLine = { req: { method: string; url: string }; res: { statusCode: number | null }; headersSent: boolean };

const ACCESS_LOGS: Record<string, AccessLog> = {
  "pino-http": {
    make: (sink) =>
      pinoHttp(
        {
          customSuccessObject: (_req, res, object) => ({ ...object, headersSent: res.headersSent }),
          customErrorObject: (_req, res, _error, object) => ({ ...object, headersSent: res.headersSent }),
        },
        sink,
      ) as Handler,
    read: (line) => {
      const { req, res, headersSent } = line as unknown as PinoLine;
      return { method: req.method, url: req.url, status: res.statusCode, headersSent };
    },
  },
  morgan: {
    make: (stream) =>
      morgan('{"method":":method","url":":url","status":":status","ms":":response-time","sent":":headers-sent"}', {
        stream,
      }) as Handler,
    read: ({ method, url, status, ms, sent }) => {
      // Without a head there is no time to it.
      expect(ms === "-").toBe(status === "-");
      return { method, url, status: status === "-" ? null : Number(status), headersSent: sent === "true" };
    },
  },
};

const KINDS = ["node:http", "Connect", "Express 4", "Express 5"] as const;

interface Served {
  readonly sink: Sink;
  readonly log: ReturnType<typeof recordingLogger>;
  readonly connect: () => Promise<WireClient>;
  /** What the access log says, when all is over. */
  readonly accessLines: (count: number) => Promise<AccessLine[]>;
}

async function serve(
  kind: ServerKind,
  { make, read }: AccessLog,
  {
    handler = store,
    guard: guardOptions = {},
    attach: attachOptions = {},
  }: { handler?: Handler; guard?: ExpectationOptions; attach?: AttachOptions } = {},
): Promise<Served> {
  const sink = new Sink();
  const log = recordingLogger();
  const guard = expectations({ logger: log, policies: [maxSize(10)], ...guardOptions }) as Handler;
  const server = await startAttached(
    kind,
    { use: [make(sink), guard], routes: { "/files": handler } },
    { logger: log, ...attachOptions },
  );
  return {
    sink,
    log,
    connect: () => WireClient.connect(server.port, { tls: isTlsKind(kind) }),
    async accessLines(count) {
      await sink.until(`${count} lines`, () => sink.lines.length >= count);
      await server.close();
      return sink.lines.map(read);
    },
  };
}

const put = (...fields: string[]) =>
  `PUT /files?token=t0ken HTTP/1.1\r\n${["Host: test", ...fields].map((field) => `${field}\r\n`).join("")}\r\n`;

const WAITING = "Expect: 100-continue";
const lineOf = (status: number | null) => ({
  method: "PUT",
  url: "/files?token=t0ken",
  status,
  headersSent: status !== null,
});

describe.each(Object.entries(ACCESS_LOGS))("%s", (_name, accessLog) => {
  describe.each(KINDS)("%s", (kind) => {
    test.concurrent("an accepted upload: one line, with the status behind the 100", async () => {
      const { connect, accessLines, log } = await serve(kind, accessLog);
      const wire = await connect();
      wire.send(put(WAITING, "Content-Length: 5"));
      await wire.status(100);
      wire.send("hello");
      await wire.final();
      expect(wire.statuses).toEqual([100, 201]);
      expect(await accessLines(1)).toEqual([lineOf(201)]);
      expect(log.records).toEqual([]);
    });

    test.concurrent.each([
      ["waits", [WAITING], 413],
      ["does not wait", [], 413],
    ] as const)("refused before the content, a client that %s: one line", async (_what, fields, status) => {
      const { connect, accessLines, log } = await serve(kind, accessLog);
      const wire = await connect();
      wire.send(put(...fields, "Content-Length: 11"));
      expect((await wire.final()).status).toBe(status);
      await wire.closed();
      expect(wire.statuses).toEqual([status]);
      expect(await accessLines(1)).toEqual([lineOf(status)]);
      expect(log.records).toHaveLength(1);
    });

    const heedless: Handler = (req, res) => {
      req.on("error", () => {
        res.statusCode = 200;
        res.end("never mind");
      });
      req.resume().on("data", () => {});
    };

    test.concurrent.each([
      ["does nothing more", store],
      ["answers 200 all the same", heedless],
    ])(
      "refused in the midst of the content, an application that %s: one line, with the refusal's status",
      async (_what, handler) => {
        const { connect, accessLines, log } = await serve(kind, accessLog, { handler });
        const wire = await connect();
        wire.send(put(WAITING, "Transfer-Encoding: chunked"));
        await wire.status(100);
        wire.send("6\r\n012345\r\n", "6\r\n012345\r\n");
        await wire.final();
        await wire.closed();
        expect(wire.statuses).toEqual([100, 413]);
        expect(await accessLines(1)).toEqual([lineOf(413)]);
        expect(log.records).toHaveLength(1);
      },
    );

    test.concurrent("content that stops coming: one line, 408", async () => {
      const { connect, accessLines, log } = await serve(kind, accessLog, { attach: { bodyTimeoutMs: 80 } });
      const wire = await connect();
      wire.send(put(WAITING, "Content-Length: 10"));
      await wire.status(100);
      wire.send("hello");
      await wire.status(408);
      await wire.closed();
      expect(await accessLines(1)).toEqual([lineOf(408)]);
      expect(log.records).toHaveLength(1);
    });

    test.concurrent("a policy that throws: one line, 500", async () => {
      const broken = () => {
        throw new Error("broken");
      };
      const { connect, accessLines, log } = await serve(kind, accessLog, { guard: { policies: [broken] } });
      const wire = await connect();
      wire.send(put(WAITING, "Content-Length: 10"));
      await wire.status(500);
      await wire.closed();
      expect(await accessLines(1)).toEqual([lineOf(500)]);
      expect(log.records).toHaveLength(1);
    });

    test.concurrent("a client that leaves before the verdict: one line without a status, no record", async () => {
      let ask: () => void = () => {};
      const asked = new Promise<void>((resolve) => {
        ask = resolve;
      });
      const never = () => {
        ask();
        return new Promise<boolean>(() => {});
      };
      const { connect, accessLines, log } = await serve(kind, accessLog, { guard: { policies: [never] } });
      const wire = await connect();
      wire.send(put(WAITING, "Content-Length: 5"));
      await asked;
      wire.destroy();
      expect(await accessLines(1)).toEqual([lineOf(null)]);
      expect(log.records).toEqual([]);
    });

    test.concurrent("a client that leaves in the midst of its content: one line without a status, no record", async () => {
      const { connect, accessLines, log } = await serve(kind, accessLog);
      const wire = await connect();
      wire.send(put(WAITING, "Content-Length: 10"));
      await wire.status(100);
      wire.send("hello");
      wire.destroy();
      expect(await accessLines(1)).toEqual([lineOf(null)]);
      expect(log.records).toEqual([]);
    });

    test.concurrent("a client that leaves at the refusal: one line, with the refusal's status", async () => {
      const { connect, accessLines, log } = await serve(kind, accessLog);
      const wire = await connect();
      wire.send(put("Content-Length: 1000000"), "x".repeat(100_000));
      await wire.status(413);
      wire.destroy();
      expect(await accessLines(1)).toEqual([lineOf(413)]);
      expect(log.records).toHaveLength(1);
    });

    test.concurrent("what the server refuses by itself never gets as far as the access log: the record alone tells of it", async () => {
      const { connect, accessLines, log } = await serve(kind, accessLog);
      const wire = await connect();
      wire.send(put("Expect: tea", "Content-Length: 5"), "hello");
      await wire.status(417);
      await wire.closed();
      expect(await accessLines(0)).toEqual([]);
      expect(log.records.map(({ details }) => details)).toEqual([
        expect.objectContaining({ status: 417, policy: "unknown-expectation", url: "/files?token=" }),
      ]);
    });

    test.concurrent("a guard at the server: refusals have a record and no line, accepted uploads a line", async () => {
      const log = recordingLogger();
      const guard = expectations({ logger: log, policies: [maxSize(10)] }) as Required<AttachOptions>["guard"];
      const { connect, accessLines } = await serve(kind, accessLog, { guard: { policies: [] }, attach: { guard } });
      const refused = await connect();
      refused.send(put(WAITING, "Content-Length: 11"));
      await refused.status(413);
      await refused.closed();
      const accepted = await connect();
      accepted.send(put(WAITING, "Content-Length: 5"));
      await accepted.status(100);
      accepted.send("hello");
      await accepted.status(201);
      expect(await accessLines(1)).toEqual([lineOf(201)]);
      expect(log.records.map(({ details }) => details)).toEqual([
        expect.objectContaining({ status: 413, policy: "maxSize", url: "/files?token=" }),
      ]);
    });

    test.concurrent("a guard at the server that refuses in the midst of the content: a line and a record", async () => {
      const log = recordingLogger();
      const guard = expectations({ logger: log, policies: [maxSize(10)] }) as Required<AttachOptions>["guard"];
      const { connect, accessLines } = await serve(kind, accessLog, { guard: { policies: [] }, attach: { guard } });
      const wire = await connect();
      wire.send(put(WAITING, "Transfer-Encoding: chunked"));
      await wire.status(100);
      wire.send("b\r\n0123456789x\r\n");
      await wire.status(413);
      await wire.closed();
      expect(await accessLines(1)).toEqual([lineOf(413)]);
      expect(log.records).toHaveLength(1);
    });

    test.concurrent("each request of a connection has its line", async () => {
      const { connect, accessLines, log } = await serve(kind, accessLog);
      const wire = await connect();
      const accepted = put("Content-Length: 5");
      wire.send(accepted, "hello", accepted, "hello");
      await wire.final(2);
      wire.send(put(WAITING, "Content-Length: 11"), accepted, "hello");
      await wire.final(3);
      await wire.closed();
      expect(wire.statuses).toEqual([201, 201, 413]);
      expect(await accessLines(3)).toEqual([lineOf(201), lineOf(201), lineOf(413)]);
      expect(log.records).toHaveLength(1);
    });
  });

  test.concurrent.each(["h2c", "h2", "h2c Connect"] as const)("%s: the same over HTTP/2", async (kind) => {
    const { make, read } = accessLog;
    const sink = new Sink();
    const log = recordingLogger();
    const guard = expectations({ logger: log, policies: [maxSize(10)] }) as Handler;
    const server = await startAttached(
      kind,
      { use: [make(sink), guard], routes: { "/files": store } },
      { logger: log },
    );
    const session = await openSession(server);
    const request = { ":method": "PUT", ":path": "/files?token=t0ken", expect: "100-continue" };
    const exchanges = [
      await exchange(session, { ...request, "content-length": 5 }, { content: "hello" }),
      await exchange(session, { ...request, "content-length": 11 }),
      await exchange(session, request, { content: "x".repeat(11) }),
    ];
    expect(exchanges.map(({ status }) => status)).toEqual([201, 413, 413]);
    await sink.until("3 lines", () => sink.lines.length >= 3);
    session.destroy();
    await server.close();
    expect(sink.lines.map(read)).toEqual([lineOf(201), lineOf(413), lineOf(413)]);
    expect(log.records).toHaveLength(2);
  });
});

describe("request ids of pino-http", () => {
  type GenReqId = (req: IncomingMessage, res: ServerResponse) => string | number;

  async function idsOf(genReqId: GenReqId | undefined, ...fields: string[]) {
    const sink = new Sink();
    const middleware = pinoHttp({ ...(genReqId ? { genReqId } : {}) }, sink);
    const guard = expectations({ logger: middleware.logger, policies: [maxSize(10)] }) as Handler;
    const server = await startAttached(
      "Express 5",
      { use: [middleware as Handler, guard], routes: { "/files": store } },
      { logger: middleware.logger },
    );
    for (let i = 0; i < 2; i++) {
      const wire = await WireClient.connect(server.port);
      wire.send(put(WAITING, "Content-Length: 11", ...fields));
      await wire.status(413);
      await wire.closed();
    }
    await sink.until("4 lines", () => sink.lines.length >= 4);
    await server.close();
    const records = sink.lines.filter(({ event }) => event === "expectation.refused");
    const access = sink.lines.filter(({ res }) => res !== undefined);
    expect([records.length, access.length]).toEqual([2, 2]);
    expect(access.map(({ res }) => (res as PinoLine["res"]).statusCode)).toEqual([413, 413]);
    return {
      ofRecords: records.map(({ requestId }) => requestId),
      ofAccessLog: access.map(({ req }) => (req as { id: unknown }).id),
    };
  }

  test.concurrent("its own numbers", async () => {
    const ids = await idsOf(undefined);
    expect(ids).toEqual({ ofRecords: ["1", "2"], ofAccessLog: [1, 2] });
  });

  test.concurrent("its own number goes before an X-Request-Id that it does not heed", async () => {
    expect(await idsOf(undefined, "X-Request-Id: r-7")).toEqual({ ofRecords: ["1", "2"], ofAccessLog: [1, 2] });
  });

  test.concurrent("those that genReqId takes from X-Request-Id", async () => {
    const taken: GenReqId = (req) => String(req.headers["x-request-id"]);
    const ids = ["r-7", "r-7"];
    expect(await idsOf(taken, "X-Request-Id: r-7")).toEqual({ ofRecords: ids, ofAccessLog: ids });
  });

  test.concurrent("those that genReqId makes up, and sends to the client", async () => {
    let count = 0;
    const made: GenReqId = (_req, res) => {
      const id = `made-${++count}`;
      res.setHeader("X-Request-Id", id);
      return id;
    };
    const ids = ["made-1", "made-2"];
    expect(await idsOf(made, "X-Request-Id: r-7")).toEqual({ ofRecords: ids, ofAccessLog: ids });
  });

  test.concurrent("none: X-Request-Id itself, at the server where pino-http never runs", async () => {
    const sink = new Sink();
    const middleware = pinoHttp({}, sink);
    const server = await startAttached(
      "Express 5",
      { use: [middleware as Handler], routes: { "/files": store } },
      { logger: middleware.logger },
    );
    const wire = await WireClient.connect(server.port);
    wire.send(put("Expect: tea", "Content-Length: 5", "X-Request-Id: r-7"), "hello");
    await wire.status(417);
    await wire.closed();
    await server.close();
    expect(sink.lines).toEqual([expect.objectContaining({ status: 417, requestId: "r-7" })]);
  });
});

test("a child of pino adds its bindings to the record, and redacts in it", async () => {
  const sink = new Sink();
  const logger = pino({ redact: ["client"] }, sink).child({ app: "uploads" });
  const guard = expectations({ logger, policies: [maxSize(10)] }) as Handler;
  const { port } = await startAttached("Express 5", { use: [guard], routes: { "/files": store } }, { logger });
  const wire = await WireClient.connect(port);
  wire.send(put(WAITING, "Content-Length: 11"));
  await wire.status(413);
  await wire.closed();
  expect(sink.lines).toEqual([expect.objectContaining({ app: "uploads", status: 413, client: "[Redacted]" })]);
});

test("Fastify's own access log: one line a request, with the refusal's status", async () => {
  const sink = new Sink();
  const app = fastify({ logger: { stream: sink } });
  await app.register(fastifyExpress);
  app.use("/files", expectations({ policies: [maxSize(10)], logger: app.log }) as express.RequestHandler);
  app.addContentTypeParser("*", (_request, content, done) => done(null, content));
  app.put("/files", async (request, reply) => {
    let length = 0;
    for await (const chunk of request.body as AsyncIterable<Buffer>) length += chunk.length;
    return reply.code(201).send(`stored ${length}`);
  });
  await app.ready();
  const { port } = await listen(attach(app.server, { logger: app.log }));
  const statuses: number[][] = [];
  for (const [length, content] of [
    ["Content-Length: 11", []],
    ["Transfer-Encoding: chunked", ["b\r\n0123456789x\r\n"]],
    ["Content-Length: 5", ["hello"]],
  ] as const) {
    const wire = await WireClient.connect(port);
    wire.send(put(WAITING, "Content-Type: text/x", length));
    if (content.length > 0) await wire.status(100);
    wire.send(...content);
    await wire.final();
    statuses.push(wire.statuses);
    wire.destroy();
  }
  expect(statuses).toEqual([[413], [100, 413], [100, 201]]);
  const completed = () => sink.lines.filter(({ msg }) => msg === "request completed");
  await sink.until("three requests completed", () => completed().length >= 3);
  await app.close();
  expect(completed().map(({ reqId, res }) => [reqId, (res as PinoLine["res"]).statusCode])).toEqual([
    ["req-1", 413],
    ["req-2", 413],
    ["req-3", 201],
  ]);
  const records = sink.lines.filter(({ event }) => event === "expectation.refused");
  expect(records.map(({ requestId }) => requestId)).toEqual(["req-1", "req-2"]);
});
