import { EventEmitter } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import { Duplex, Readable, Stream, Writable } from "node:stream";
import { afterEach, describe, expect, test } from "@jest/globals";
import { expectations, maxSize, silent } from "../../src/index.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { closeSessions, exchange, openSession } from "../helpers/http2.js";
import { closeServers, type Handler, listen, startAttached } from "../helpers/servers.js";
import { CHUNKED, WireClient } from "../helpers/wire.js";

// What a version of Node can do to a message. A method that a newer one adds may be another way past the package's rules,
// so that the first test fails until somebody has said what the method does, and whether the package has to watch it.

expectNothingDeadly();
afterEach(closeSessions);
afterEach(closeServers);

type Kind = "writes an interim response" | "writes or ends the final response" | "sets a field" | "reads" | "neither";

type Table = Partial<Record<Kind, readonly string[]>>;

// The methods of `http.OutgoingMessage`, and `http.ServerResponse` behind them.
const OUTGOING: Table = {
  "writes or ends the final response": [
    "_finish",
    "_flush",
    "_flushOutput",
    "_implicitHeader",
    "_send",
    "_storeHeader",
    "_writeRaw",
    "destroy",
    "end",
    "flushHeaders",
    "write",
  ],
  "sets a field": ["addTrailers", "appendHeader", "removeHeader", "setHeader", "setHeaders"],
  reads: [
    "_isLenientHeaderValidation",
    "_renderHeaders",
    "getHeader",
    "getHeaderNames",
    "getHeaders",
    "getRawHeaderNames",
    "hasHeader",
  ],
  // `pipe` of what is written only: it fails.
  neither: ["cork", "pipe", "setTimeout", "uncork"],
};

const RESPONSE: Table = {
  "writes an interim response": ["writeContinue", "writeEarlyHints", "writeInformation", "writeProcessing"],
  "writes or ends the final response": ["_implicitHeader", "writeHead", "writeHeader"],
  neither: ["assignSocket", "detachSocket"],
};

const REQUEST: Table = {
  "sets a field": ["_addHeaderLine", "_addHeaderLineDistinct", "_addHeaderLines"],
  reads: ["_destroy", "_dump", "_dumpAndCloseReadable", "_read"],
  neither: ["setTimeout"],
};

const HTTP2_RESPONSE: Table = {
  "writes an interim response": ["writeContinue", "writeEarlyHints", "writeInformation"],
  "writes or ends the final response": ["destroy", "end", "flushHeaders", "write", "writeHead"],
  "sets a field": ["addTrailers", "appendHeader", "removeHeader", "setHeader", "setTrailer"],
  reads: ["getHeader", "getHeaderNames", "getHeaders", "hasHeader"],
  neither: ["cork", "createPushResponse", "setTimeout", "uncork"],
};

const HTTP2_STREAM: Table = {
  "writes an interim response": ["additionalHeaders"],
  "writes or ends the final response": [
    "_destroy",
    "_final",
    "_write",
    "_writev",
    "close",
    "respond",
    "respondWithFD",
    "respondWithFile",
    "sendTrailers",
  ],
  reads: ["_read"],
  neither: ["_onTimeout", "priority", "pushStream", "setTimeout"],
};

const TABLES: readonly [name: string, of: () => object | Promise<object>, tables: readonly Table[]][] = [
  ["http.OutgoingMessage", () => http.OutgoingMessage.prototype, [OUTGOING]],
  ["http.ServerResponse", () => http.ServerResponse.prototype, [OUTGOING, RESPONSE]],
  ["http.IncomingMessage", () => http.IncomingMessage.prototype, [REQUEST]],
  ["http2.Http2ServerResponse", () => http2.Http2ServerResponse.prototype, [HTTP2_RESPONSE]],
  [
    "http2.Http2ServerRequest",
    () => http2.Http2ServerRequest.prototype,
    [{ reads: ["_read"], neither: ["setTimeout"] }],
  ],
  ["http2.ServerHttp2Stream", streamPrototype, [HTTP2_STREAM]],
];

/** Streams and emitters are older than HTTP in Node; their methods are those of every stream. */
const GENERAL = new Set<object | null>(
  [Readable, Writable, Duplex, Stream, EventEmitter, Object].map(({ prototype }) => prototype),
);

function methodsOf(prototype: object): string[] {
  const names = new Set<string>();
  for (let at: object | null = prototype; at !== null && !GENERAL.has(at); at = Object.getPrototypeOf(at)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (name !== "constructor" && typeof value === "function") names.add(name);
    }
  }
  return [...names];
}

// Its class is private.
async function streamPrototype(): Promise<object> {
  const server = http2.createServer();
  const opened = new Promise<object>((resolve) => {
    server.on("stream", (stream) => {
      resolve(Object.getPrototypeOf(stream));
      stream.respond();
      stream.end();
    });
  });
  const session = await openSession(await listen(server));
  await exchange(session, { ":path": "/" });
  return opened;
}

test.each(TABLES)("somebody has said what each method of %s does", async (_name, of, tables) => {
  const known = new Set(tables.flatMap((table) => Object.values(table).flat()));
  const methods = methodsOf(await of());
  expect(methods.filter((method) => !known.has(method))).toEqual([]);
  expect(methods.length).toBeGreaterThan(1);
});

/** Arguments with which a method would do something. */
const ARGUMENTS: Readonly<Record<string, readonly unknown[]>> = {
  addTrailers: [{ "X-A": "1" }],
  appendHeader: ["X-A", "1"],
  end: ["more"],
  removeHeader: ["Content-Length"],
  setHeader: ["X-A", "1"],
  setHeaders: [new Map([["X-A", "1"]])],
  setTrailer: ["X-A", "1"],
  write: ["more"],
  writeEarlyHints: [{ link: "</a.css>; rel=preload" }],
  writeHead: [200, { "X-A": "1" }],
  writeHeader: [200, { "X-A": "1" }],
  writeInformation: [103],
};

function writersOf(...tables: readonly Table[]): [string][] {
  const kinds = ["writes an interim response", "writes or ends the final response", "sets a field"] as const;
  const names = tables.flatMap((table) => kinds.flatMap((kind) => table[kind] ?? []));
  // A method of Node's own inside is out of reach.
  return [...new Set(names)].filter((name) => !name.startsWith("_")).map((name) => [name]);
}

/** An application that calls a method as soon as its content has been cut off. */
function calling(method: string) {
  const thrown: unknown[] = [];
  const handler: Handler = (req, res) => {
    req.on("data", () => {});
    req.on("error", () => {
      try {
        (res as unknown as Record<string, (...args: readonly unknown[]) => void>)[method]?.(
          ...(ARGUMENTS[method] ?? []),
        );
      } catch (error) {
        thrown.push(error);
      }
    });
  };
  const guard = expectations({ policies: [maxSize(3)], logger: silent }) as Handler;
  return { parts: { use: [guard], routes: { "/files": handler } }, thrown };
}

describe("behind a refusal, nothing comes of", () => {
  test.each(writersOf(OUTGOING, RESPONSE))("http.ServerResponse's %s", async (method) => {
    const { parts, thrown } = calling(method);
    const { port } = await startAttached("node:http", parts, { logger: silent });
    const wire = await WireClient.connect(port);
    wire.send(CHUNKED, "5\r\nhello\r\n");
    const refusal = await wire.final();
    await wire.closed();
    expect(wire.statuses).toEqual([413]);
    expect(refusal.headers).not.toHaveProperty("x-a");
    expect(wire.text.endsWith(refusal.body)).toBe(true);
    expect(thrown).toEqual([]);
  });

  test.each(writersOf(HTTP2_RESPONSE))("http2.Http2ServerResponse's %s", async (method) => {
    const { parts, thrown } = calling(method);
    const session = await openSession(await startAttached("h2c", parts, { logger: silent }));
    const headers = { ":method": "PUT", ":path": "/files" };
    const { status, headers: fields, body } = await exchange(session, headers, { content: "hello", sendAtOnce: true });
    expect(status).toBe(413);
    expect(fields).not.toHaveProperty("x-a");
    expect(JSON.parse(body)).toMatchObject({ status: 413 });
    expect(thrown).toEqual([]);
  });
});
