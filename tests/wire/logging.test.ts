import { spawn } from "node:child_process";
import { Console } from "node:console";
import { once } from "node:events";
import * as fs from "node:fs";
import * as http from "node:http";
import * as path from "node:path";
import { Writable } from "node:stream";
import * as vm from "node:vm";
import fastifyExpress from "@fastify/express";
import { afterAll, afterEach, describe, expect, test } from "@jest/globals";
import bunyan from "bunyan";
import express from "express";
import fastify from "fastify";
import pino from "pino";
import winston from "winston";
import {
  type AttachOptions,
  attach,
  type ExpectationOptions,
  expectations,
  fromWinston,
  type Logger,
  maxSize,
  type Policy,
  refuse,
  silent,
} from "../../src/index.js";
import { deadline } from "../helpers/deadline.js";
import { closeSessions, exchange, openSession } from "../helpers/http2.js";
import { closeServers, type Handler, listen, next, startAttached, store } from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";
import { transpiled } from "../redis/processes.js";

afterEach(async () => {
  closeSessions();
  await closeServers();
});

/** C0, DEL and C1, and what JavaScript and editors take for the end of a line. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u;

/** One record as a library wrote it; `fields` without what the library adds of its own. */
interface Line {
  readonly level: unknown;
  readonly message: string;
  readonly fields: Record<string, unknown>;
}

interface Library {
  readonly make: (sink: Writable) => Logger;
  readonly levels: { readonly warn: unknown; readonly error: unknown };
  readonly read: (text: string) => Line[];
}

/** A stream that keeps all it is written. */
class Sink extends Writable {
  text = "";

  override _write(chunk: unknown, _encoding: string, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}

function jsonLines(messageKey: string): Library["read"] {
  return (text) =>
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const { level, time, timestamp, pid, hostname, name, v, [messageKey]: message, ...fields } = JSON.parse(line);
        return { level, message, fields };
      });
}

// What console prints is a literal of JavaScript and the message behind it; an error among the fields is none.
function inspected(text: string): Line[] {
  return [...text.matchAll(/^(\{\n.*?^\}|\{ .*? \}) ([^\n]*)$/gmsu)].map(([, literal = "", message = ""]) => ({
    level: undefined,
    message,
    fields: vm.runInNewContext(`(${literal.replace(/^ {2}err: .*(?=\n\})/msu, "  err: 'an error'")})`),
  }));
}

const NUMBERS = { warn: 40, error: 50 };

const LIBRARIES: Record<string, Library> = {
  pino: { make: (sink) => pino({}, sink), levels: NUMBERS, read: jsonLines("msg") },
  bunyan: {
    make: (stream) => bunyan.createLogger({ name: "test", stream, serializers: bunyan.stdSerializers }),
    levels: NUMBERS,
    read: jsonLines("msg"),
  },
  "winston through fromWinston": {
    make: (stream) =>
      fromWinston(
        winston.createLogger({
          format: winston.format.json(),
          transports: [new winston.transports.Stream({ stream })],
        }),
      ),
    levels: { warn: "warn", error: "error" },
    read: jsonLines("message"),
  },
  "Fastify's logger": {
    make: (stream) => fastify({ logger: { stream } }).log,
    levels: NUMBERS,
    read: jsonLines("msg"),
  },
  console: {
    make: (sink) => new Console(sink),
    levels: { warn: undefined, error: undefined },
    read: inspected,
  },
};

type AnyPolicy = Policy<http.IncomingMessage>;

interface Site {
  readonly port: number;
  readonly sink: Sink;
  readonly lines: () => Line[];
}

/** Express 5, attached, with one guard on PUT /files/:id and one logger for all of it. */
async function serve(
  library: Library,
  policies: readonly AnyPolicy[],
  {
    guard: guardOptions = {},
    attach: attachOptions = {},
    server: serverOptions = {},
    setUp = () => {},
  }: {
    guard?: Omit<ExpectationOptions, "policies" | "logger">;
    attach?: Omit<AttachOptions, "logger">;
    server?: http.ServerOptions;
    setUp?: (app: express.Express, guard: express.RequestHandler, logger: Logger) => void;
  } = {},
): Promise<Site> {
  const sink = new Sink();
  const logger = library.make(sink);
  const app = express();
  app.set("env", "test");
  const guard = expectations({ policies, logger, ...guardOptions });
  setUp(app, guard as unknown as express.RequestHandler, logger);
  app.put("/files/:id", guard as unknown as express.RequestHandler, store as unknown as express.RequestHandler);
  const server = attach(http.createServer(serverOptions, app), { logger, ...attachOptions });
  const { port } = await listen(server);
  return { port, sink, lines: () => library.read(sink.text) };
}

const head = (target: string, ...fields: string[]) =>
  `${["PUT", target, "HTTP/1.1"].join(" ")}\r\n${["Host: test", ...fields].map((field) => `${field}\r\n`).join("")}\r\n`;

/** Sends a request, and waits until the server has ended the connection behind its answer. */
async function answerOf(port: number, ...pieces: string[]): Promise<WireClient> {
  const wire = await WireClient.connect(port);
  wire.send(...pieces);
  await wire.final();
  await wire.closed();
  return wire;
}

const broken: AnyPolicy = function broken() {
  throw new TypeError("the store is gone");
};

const milliseconds = (line: Line | undefined) => line?.fields.durationMs as number;

const REFUSED = {
  event: "expectation.refused",
  method: "PUT",
  url: "/files/7?token=&x=",
  route: "/files/:id",
  status: 413,
  policy: "maxSize",
  reason: "larger than 10 bytes",
  expectation: "100-continue",
  declaredLength: 11,
  bytesSpared: 11,
  withheld: true,
  client: "127.0.0.1",
  userAgent: "curl/8.14",
  durationMs: expect.any(Number),
  httpVersion: "1.1",
  requestId: "r-1",
};

const UPLOAD = head(
  "/files/7?token=t0ken&x=1",
  "Expect: 100-continue",
  "Content-Length: 11",
  "User-Agent: curl/8.14",
  "X-Request-Id: r-1",
);

describe.each(Object.entries(LIBRARIES))("%s", (_name, library) => {
  test("gets one record of a refusal by a guard: message, level and every field", async () => {
    const { port, lines } = await serve(library, [maxSize(10)]);
    const startedAt = performance.now();
    const { statuses } = await answerOf(port, UPLOAD);
    await closeServers();
    expect(statuses).toEqual([413]);
    expect(lines()).toEqual([
      { level: library.levels.warn, message: "PUT /files/7?token=&x= refused with 413 by maxSize", fields: REFUSED },
    ]);
    expect(milliseconds(lines()[0])).toBeGreaterThan(0);
    expect(milliseconds(lines()[0])).toBeLessThan(performance.now() - startedAt);
  });

  test("gets one record of a fault, at error, with the error", async () => {
    const { port, sink, lines } = await serve(library, [broken]);
    const { statuses } = await answerOf(port, UPLOAD);
    await closeServers();
    expect(statuses).toEqual([500]);
    const { reason, ...fields } = { ...REFUSED, event: "expectation.error", status: 500, policy: "broken" };
    expect(lines()).toEqual([
      {
        level: library.levels.error,
        message: "PUT /files/7?token=&x= refused with 500: the store is gone",
        fields: { ...fields, err: expect.anything() },
      },
    ]);
    expect(sink.text).toContain("TypeError");
    expect(sink.text).toContain("logging.test");
  });

  test("gets the error of a policy that repeats what a client sent: escaped in its message and stack", async () => {
    const repeating: AnyPolicy = (req) => {
      throw new TypeError(`nobody is called ${req.headers["x-name"]}`, {
        cause: new Error(req.headers["x-name"] as string),
      });
    };
    const { port, sink, lines } = await serve(library, [repeating], { server: { insecureHTTPParser: true } });
    await answerOf(port, UPLOAD.replace("\r\n\r\n", "\r\nX-Name: a\u009b2J\u0085\u00ad\u001bb\r\n\r\n"));
    await closeServers();
    const escaped = "nobody is called a\\u009b2J\\u0085\\u00ad\\u001bb";
    expect(lines()).toMatchObject([{ message: `PUT /files/7?token=&x= refused with 500: ${escaped}` }]);
    expect(sink.text.replaceAll("\n", "")).not.toMatch(UNPRINTABLE);
    expect(JSON.stringify(lines()[0]?.fields.err)).not.toMatch(/(?<!\\)\\u00/);
  });

  test("gets one record of a refusal by the server itself", async () => {
    const { port, lines } = await serve(library, [maxSize(10)]);
    const { statuses } = await answerOf(port, UPLOAD.replace("100-continue", "tea; q=1"));
    await closeServers();
    expect(statuses).toEqual([417]);
    const { route, withheld, ...fields } = REFUSED;
    expect(lines()).toEqual([
      {
        level: library.levels.warn,
        message: "PUT /files/7?token=&x= refused with 417 by unknown-expectation",
        fields: {
          ...fields,
          status: 417,
          policy: "unknown-expectation",
          reason: "an expectation that this server does not know",
          expectation: "tea; q=1",
        },
      },
    ]);
  });

  test("gets one record for each of many refusals at the same time, each with its own values", async () => {
    const { port, lines } = await serve(library, [maxSize(10)]);
    const lengths = Array.from({ length: 40 }, (_, i) => i + 100);
    await Promise.all(
      lengths.map((length) =>
        answerOf(port, head(`/files/${length}`, "Expect: 100-continue", `Content-Length: ${length}`)),
      ),
    );
    await closeServers();
    const told = lines().map(({ fields }) => [fields.url, fields.declaredLength, fields.bytesSpared]);
    expect(told.sort()).toEqual(lengths.map((length) => [`/files/${length}`, length, length]));
  });

  test("is told nothing of what a client or a proxy keeps secret, and nothing that breaks a line", async () => {
    const { port, sink, lines } = await serve(library, [maxSize(10)], {
      server: { insecureHTTPParser: true },
      setUp: (app, guard) => void app.use("/raw", guard),
    });
    const secrets = [
      "Authorization: Basic s3cr3t-1",
      "Proxy-Authorization: Bearer s3cr3t-2",
      "Cookie: sid=s3cr3t-3",
      "Cookie: theme=s3cr3t-4",
      "X-Api-Key: s3cr3t-5",
      "Referer: http://test/?code=s3cr3t-6",
    ];
    const hostile = [
      ...secrets,
      "User-Agent: a\u001b[31m\u0000\u0008\u007f\u0085\u009b2Jb\xe2\x80\xa8c %s%d%o%j",
      'X-Request-Id: r\u0000\u001b]0;x\u0007\u0090 {"level":60}',
      "Expect: 100-continue",
      "Content-Length: 11",
    ];
    const targets = [
      "http://alice:s3cr3t-7@test/raw/a?token=s3cr3t-8&s3cr3t-9&x=1=s3cr3t-10",
      "/raw/%0d%0aa%s%o?t%09=1&token=s3cr3t-11#s3cr3t-12",
      "/raw/a?%0a=s3cr3t-13&;x=s3cr3t-14?y=s3cr3t-15&s3cr3t-16",
      "/raw/a#?token=s3cr3t-17",
    ];
    for (const target of targets) expect((await answerOf(port, head(target, ...hostile))).statuses).toEqual([413]);
    await closeServers();
    expect(lines().map(({ message }) => message)).toEqual([
      "PUT http://test/raw/a?token=&x= refused with 413 by maxSize",
      "PUT /raw/%0d%0aa%s%o?t%09=&token= refused with 413 by maxSize",
      "PUT /raw/a?%0a=&;x= refused with 413 by maxSize",
      "PUT /raw/a refused with 413 by maxSize",
    ]);
    for (const { fields } of lines()) {
      expect(fields.userAgent).toBe("a\\u001b[31m\\u0000\\u0008\\u007f\\u0085\\u009b2Jb\xe2\\u0080\xa8c %s%d%o%j");
      expect(fields.requestId).toBe('r\\u0000\\u001b]0;x\\u0007\\u0090 {"level":60}');
    }
    expect(sink.text).not.toContain("s3cr3t");
    expect(sink.text).not.toContain("alice");
    expect(sink.text.replaceAll("\n", "")).not.toMatch(UNPRINTABLE);
  });
});

const PINO = LIBRARIES.pino as Library;

describe("one record, whatever refuses, and none where nothing does", () => {
  const CHUNKED = head("/files/7", "Expect: 100-continue", "Transfer-Encoding: chunked");
  const never: AnyPolicy = function never() {
    return new Promise<boolean>(() => {});
  };

  interface Case {
    readonly policies?: readonly AnyPolicy[];
    readonly options?: Parameters<typeof serve>[2];
    readonly send: readonly string[];
    readonly sendAfter100?: readonly string[];
    readonly statuses: readonly number[];
    readonly told: readonly object[];
  }

  const CASES: Record<string, Case> = {
    "a guard, a client that waits": {
      send: [UPLOAD],
      statuses: [413],
      told: [{ status: 413, policy: "maxSize", bytesSpared: 11, withheld: true }],
    },
    "a guard, a client that does not wait": {
      send: [head("/files/7", "Content-Length: 11"), "hello"],
      statuses: [413],
      told: [{ status: 413, policy: "maxSize" }],
    },
    "a guard, a client that sends all of a megabyte all the same": {
      send: [head("/files/7", "Expect: 100-continue", "Content-Length: 1048576"), "x".repeat(2 ** 20)],
      statuses: [413],
      told: [{ status: 413, policy: "maxSize" }],
    },
    "a guard, a client with another upload behind the first": {
      send: [UPLOAD, UPLOAD],
      statuses: [413],
      told: [{ status: 413, policy: "maxSize" }],
    },
    "the second of two guards": {
      options: { setUp: (app, _guard, logger) => void app.use(expectations({ logger, policies: [() => true] })) },
      send: [UPLOAD],
      statuses: [413],
      told: [{ status: 413, policy: "maxSize" }],
    },
    "a guard whose onRefusal hands an error to Express": {
      options: { guard: { onRefusal: (_refusal, _req, _res, next) => next(new Error("refused")) } },
      send: [UPLOAD],
      statuses: [500],
      told: [{ status: 413, policy: "maxSize" }],
    },
    "a guard with a status for all refusals": {
      options: { guard: { expectationStatus: 417 } },
      send: [UPLOAD],
      statuses: [417],
      told: [{ status: 417, policy: "maxSize" }],
    },
    "a policy that answers false to a request without Expect": {
      policies: [() => false],
      send: [head("/files/7", "Connection: close", "Content-Length: 0")],
      statuses: [403],
      told: [{ status: 403, policy: "anonymous", declaredLength: 0, bytesSpared: 0 }],
    },
    "a policy that does not answer": {
      policies: [never],
      options: { guard: { policyTimeoutMs: 50 } },
      send: [UPLOAD],
      statuses: [503],
      told: [{ event: "expectation.error", status: 503, policy: "never" }],
    },
    "an expectation that the server does not know": {
      send: [head("/files/7", "Expect: tea", "Content-Length: 5")],
      statuses: [417],
      told: [{ status: 417, policy: "unknown-expectation", expectation: "tea" }],
    },
    "an expectation left to guards, on a route whose guard does not know it": {
      options: { attach: { extensions: ["tea"] } },
      send: [head("/files/7", "Expect: 100-continue, tea", "Content-Length: 5")],
      statuses: [417],
      told: [{ status: 417, policy: "unknown-expectation", expectation: "100-continue, tea", route: "/files/:id" }],
    },
    "an expectation left to guards, on a route without one": {
      options: {
        attach: { extensions: ["tea"] },
        setUp: (app) => void app.put("/open", store as unknown as express.RequestHandler),
      },
      send: [head("/open", "Expect: tea", "Content-Length: 5"), "hello"],
      statuses: [417],
      told: [
        { status: 417, policy: "unknown-expectation", reason: "an expectation that nothing on this route accepts" },
      ],
    },
    "framing that cannot be trusted": {
      options: { server: { insecureHTTPParser: true } },
      send: [head("/files/7", "Expect: 100-continue", "Content-Length: 5", "Transfer-Encoding: chunked")],
      statuses: [400],
      told: [{ status: 400, policy: "framing" }],
    },
    "content that stops coming": {
      options: { attach: { bodyTimeoutMs: deadline(80) } },
      send: [UPLOAD.replace(": 11", ": 10")],
      sendAfter100: ["four"],
      statuses: [100, 408],
      told: [{ status: 408, policy: "body-timeout", declaredLength: 10, bytesSpared: 6 }],
    },
    "content of unknown length that passes the limit": {
      send: [CHUNKED],
      sendAfter100: ["a\r\n0123456789\r\n", "1\r\nx\r\n", "5\r\nagain\r\n"],
      statuses: [100, 413],
      told: [{ status: 413, policy: "maxSize", reason: "larger than 10 bytes" }],
    },
    "nothing: an upload that is accepted": {
      send: [UPLOAD.replace(": 11", ": 10").replace("Host", "Connection: close\r\nHost")],
      sendAfter100: ["0123456789"],
      statuses: [100, 201],
      told: [],
    },
    "nothing: a path that is not there": {
      send: [UPLOAD.replace("/files", "/nowhere")],
      statuses: [404],
      told: [],
    },
  };

  test.each(Object.entries(CASES))("%s", async (_name, { policies = [maxSize(10)], options, ...exchange }) => {
    const { port, lines } = await serve(PINO, policies, options);
    const wire = await WireClient.connect(port);
    wire.send(...exchange.send);
    if (exchange.sendAfter100) {
      await wire.status(100);
      wire.send(...exchange.sendAfter100);
    }
    await wire.final();
    await wire.closed();
    await closeServers();
    expect(wire.statuses).toEqual(exchange.statuses);
    expect(lines().map(({ fields }) => fields)).toEqual(exchange.told.map((fields) => expect.objectContaining(fields)));
  });

  test("nothing where the client leaves before the verdict", async () => {
    let hasLeft: (() => void) | undefined;
    const left = new Promise<void>((resolve) => {
      hasLeft = resolve;
    });
    let verdict: (() => void) | undefined;
    const asked = new Promise<void>((resolveAsked) => {
      verdict = resolveAsked;
    });
    const { port, lines } = await serve(PINO, [
      async (_req, { signal }) => {
        verdict?.();
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        hasLeft?.();
        return refuse(403);
      },
    ]);
    const wire = await WireClient.connect(port);
    wire.send(UPLOAD);
    await asked;
    wire.destroy();
    await left;
    await closeServers();
    await new Promise(setImmediate);
    expect(lines()).toEqual([]);
  });

  test.each(["h2", "h2c"] as const)("%s: a refusal before the content, and one in its midst", async (kind) => {
    const sink = new Sink();
    const logger = PINO.make(sink);
    const guard = expectations({ policies: [maxSize(10)], logger }) as Handler;
    const server = await startAttached(kind, { routes: { "/files": [guard, store], "/next": next } }, { logger });
    const session = await openSession(server);
    const put = { ":method": "PUT", ":path": "/files?token=t0ken", expect: "100-continue", "user-agent": "test" };
    expect((await exchange(session, { ...put, "content-length": 11 })).status).toBe(413);
    expect((await exchange(session, put, { content: "x".repeat(11) })).status).toBe(413);
    expect((await exchange(session, { ...put, "content-length": 5 }, { content: "hello" })).status).toBe(201);
    expect((await exchange(session, { ...put, expect: "tea" })).status).toBe(417);
    closeSessions();
    await closeServers();
    const common = { method: "PUT", url: "/files?token=", userAgent: "test", httpVersion: "2.0", client: "127.0.0.1" };
    expect(PINO.read(sink.text).map(({ fields }) => fields)).toEqual([
      {
        ...common,
        ...refusalBy("maxSize"),
        expectation: "100-continue",
        declaredLength: 11,
        bytesSpared: 11,
        withheld: true,
      },
      { ...common, ...refusalBy("maxSize"), expectation: "100-continue", cutOffAfter: 11 },
      { ...common, ...refusalBy("unknown-expectation"), status: 417, expectation: "tea" },
    ]);
  });

  function refusalBy(policy: string) {
    return {
      event: "expectation.refused",
      status: 413,
      policy,
      reason: expect.any(String),
      durationMs: expect.any(Number),
    };
  }
});

describe("what a client can put into a record", () => {
  const CODES = Array.from({ length: 256 }, (_, code) => code).filter((code) => code <= 0x20 || code >= 0x7f);
  const LET_THROUGH = {
    "Node's own parser": CODES.filter((code) => code === 0x09 || code === 0x20 || code >= 0x80),
    insecureHTTPParser: CODES.filter((code) => code !== 0x0a && code !== 0x0d),
  };
  const FIELDS = {
    "User-Agent": "userAgent",
    "X-Request-Id": "requestId",
    Expect: "expectation",
    "X-Forwarded-For": "client",
  };

  const escaped = (character: string) =>
    UNPRINTABLE.test(character) ? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}` : character;

  async function loggedOf(insecureHTTPParser: boolean, request: (code: number) => string) {
    const { port, sink, lines } = await serve(PINO, [maxSize(10)], {
      server: { insecureHTTPParser },
      setUp: (app) => void app.set("trust proxy", true),
    });
    await Promise.all(CODES.map((code) => answerOf(port, request(code), "0123456789x")));
    await closeServers();
    expect(sink.text.replaceAll("\n", "")).not.toMatch(UNPRINTABLE);
    return lines();
  }

  describe.each(Object.entries(LET_THROUGH))("%s", (parser, letThrough) => {
    test.each(Object.entries(FIELDS))("each byte in %s is refused by Node, or escaped in `%s`", async (field, key) => {
      const lines = await loggedOf(parser === "insecureHTTPParser", (code) =>
        head(`/files/${code}`, "Content-Length: 11", `${field}: a${String.fromCharCode(code)}b`),
      );
      expect(Object.fromEntries(lines.map(({ fields }) => [fields.url, fields[key]]))).toEqual(
        Object.fromEntries(letThrough.map((code) => [`/files/${code}`, `a${escaped(String.fromCharCode(code))}b`])),
      );
      expect(lines).toHaveLength(letThrough.length);
    });

    test.each(["/files/a#b", "/files/7?a#b=1"])(
      "each such byte in the target %s is refused by Node",
      async (target) => {
        const lines = await loggedOf(parser === "insecureHTTPParser", (code) =>
          head(target.replace("#", String.fromCharCode(code)), "Content-Length: 11"),
        );
        expect(lines).toEqual([]);
      },
    );
  });

  test("HTTP/2 lets C1 through in the path: escaped", async () => {
    const sink = new Sink();
    const logger = PINO.make(sink);
    const guard = expectations({ policies: [maxSize(10)], logger }) as Handler;
    const session = await openSession(await startAttached("h2c", { use: [guard] }, { logger }));
    const put = { ":method": "PUT", "content-length": 11, "user-agent": "a\x9bb", "x-request-id": "\x85" };
    await exchange(session, { ...put, ":path": "/\x9b31m\x85\xe9?\x9ba=t0ken" });
    expect(sink.text.replaceAll("\n", "")).not.toMatch(UNPRINTABLE);
    expect(PINO.read(sink.text).map(({ fields }) => fields)).toEqual([
      expect.objectContaining({
        url: "/\\u009b31m\\u0085\xe9?\\u009ba=",
        userAgent: "a\\u009bb",
        requestId: "\\u0085",
      }),
    ]);
  });

  const LONG = "x".repeat(60_000);
  const CUT = /^.{1024}…$/u;

  test("values of 60,000 characters are cut, wherever they stand", async () => {
    const { port, sink, lines } = await serve(
      PINO,
      [(req) => refuse(403, { reason: String(req.headers["x-reason"]) })],
      {
        server: { maxHeaderSize: 2 ** 20 },
        attach: { unknownExpectations: "ignore" },
        guard: { unknownExpectations: "ignore" },
        setUp: (app, guard) => {
          app.set("trust proxy", true);
          app.use("/:tenant/files", express.Router().put("/:id", guard));
        },
      },
    );
    const fields = ["Expect", "User-Agent", "X-Request-Id", "X-Forwarded-For", "X-Reason"];
    const long = fields.map((name) => `${name}: ${LONG}`);
    await answerOf(port, head(`/${LONG}/files/7?${LONG}=t0ken`, "Content-Length: 0", ...long));
    await closeServers();
    expect(lines()).toHaveLength(1);
    const { url, route, expectation, userAgent, requestId, client, reason } = lines()[0]!.fields;
    for (const value of [url, expectation, userAgent, requestId, client, reason]) expect(value).toMatch(CUT);
    expect((route as string).length).toBeLessThanOrEqual(1_100);
    expect(sink.text.length).toBeLessThan(12_000);
  });

  test("a method of HTTP/2 may be any token: cut", async () => {
    const sink = new Sink();
    const logger = PINO.make(sink);
    const guard = expectations({ policies: [maxSize(10)], logger }) as Handler;
    const session = await openSession(await startAttached("h2c", { use: [guard] }, { logger }));
    await exchange(session, { ":method": "X".repeat(5_000), ":path": "/files", "content-length": 11 });
    expect(PINO.read(sink.text).map(({ fields }) => fields.method)).toEqual([expect.stringMatching(CUT)]);
    expect(sink.text.length).toBeLessThan(4_000);
  });

  test("the word about a guard that came too late tells no query value and no userinfo", async () => {
    const { port, sink, lines } = await serve(PINO, [() => true], {
      setUp: (app, guard) => void app.put("/late", express.raw(), guard, (_req, res) => void res.end()),
    });
    const target = "http://alice:s3cr3t-1@test/late?token=s3cr3t-2#s3cr3t-3";
    const fields = ["Connection: close", "Content-Type: application/octet-stream", "Content-Length: 5"];
    expect((await answerOf(port, head(target, ...fields), "hello")).statuses).toEqual([200]);
    await closeServers();
    expect(lines()).toEqual([
      {
        level: 40,
        message: expect.stringMatching(/^a guard came too late/),
        fields: { event: "expectation.late", url: "http://test/late?token=" },
      },
    ]);
    expect(sink.text).not.toMatch(/s3cr3t|alice/);
  });
});

describe("in a process of its own", () => {
  const folder = { path: "" };

  afterAll(() => fs.rmSync(folder.path, { recursive: true }));

  // The port stands alone on the standard output.
  async function run(logger: string) {
    folder.path ||= transpiled(path.join(__dirname, "logging-server.mjs"));
    const child = spawn(process.execPath, [path.join(folder.path, "logging-server.mjs"), logger], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => {
        output[name] += text;
      });
    }
    await once(child.stdout, "data", { signal: AbortSignal.timeout(15_000) });
    return {
      port: Number(output.stdout),
      async end() {
        const closed = once(child, "close", { signal: AbortSignal.timeout(8_000) });
        child.kill();
        await closed;
        expect(output.stdout).toMatch(/^\d+\n$/);
        return output.stderr;
      },
    };
  }

  async function provoke(logger: string): Promise<string> {
    const { port, end } = await run(logger);
    const wires = [
      await answerOf(port, UPLOAD),
      await answerOf(port, UPLOAD.replace("/files/7", "/broken")),
      await answerOf(port, UPLOAD.replace("100-continue", "tea")),
    ];
    expect(wires.map(({ statuses }) => statuses)).toEqual([[413], [500], [417]]);
    return end();
  }

  const MESSAGES = [
    "PUT /files/7?token=&x= refused with 413 by maxSize",
    "PUT /broken?token=&x= refused with 500: the store\\u000ais gone\\u009b",
    "PUT /files/7?token=&x= refused with 417 by unknown-expectation",
  ];

  test("the default logger writes one line of JSON each, to standard error alone", async () => {
    const text = await provoke("default");
    expect(text.replaceAll("\n", "")).not.toMatch(UNPRINTABLE);
    const lines = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ level, msg }) => [level, msg])).toEqual(MESSAGES.map((text, i) => [LEVELS[i], text]));
    const { level, time, msg, ...fields } = lines[0];
    expect(fields).toEqual(REFUSED);
    expect(lines[1].err).toEqual({
      name: "TypeError",
      message: "the store\\u000ais gone\\u009b",
      stack: expect.stringContaining("logging-server.mjs"),
    });
  });

  const LEVELS = ["warn", "error", "warn"];

  test("console, handed over as it is, writes details and message, to standard error alone", async () => {
    const text = await provoke("console");
    expect(inspected(text).map(({ message }) => message)).toEqual(MESSAGES);
    expect(inspected(text)[0]?.fields).toEqual(REFUSED);
  });
});

test("Fastify with @fastify/express: one record, in Fastify's log, with Fastify's request id", async () => {
  const sink = new Sink();
  const app = fastify({ logger: { stream: sink }, genReqId: () => "f-1" });
  await app.register(fastifyExpress);
  app.use("/files", expectations({ policies: [maxSize(10)], logger: app.log }) as express.RequestHandler);
  app.addContentTypeParser("*", (_request, content, done) => done(null, content));
  let ran = 0;
  app.put("/files/:id", () => {
    ran++;
    return "no";
  });
  await app.ready();
  const { port } = await listen(attach(app.server, { logger: app.log }));
  expect((await answerOf(port, UPLOAD)).statuses).toEqual([413]);
  await app.close();
  expect(ran).toBe(0);
  const lines = jsonLines("msg")(sink.text);
  const { route, ...fields } = REFUSED;
  expect(lines.filter(({ fields }) => "event" in fields)).toEqual([
    {
      level: 40,
      message: "PUT /files/7?token=&x= refused with 413 by maxSize",
      fields: { ...fields, requestId: "f-1" },
    },
  ]);
});

test("a logger without a voice hears nothing and costs no refusal", async () => {
  const { port, sink } = await serve({ ...PINO, make: () => silent }, [maxSize(10)]);
  expect((await answerOf(port, UPLOAD)).statuses).toEqual([413]);
  expect(sink.text).toBe("");
});
