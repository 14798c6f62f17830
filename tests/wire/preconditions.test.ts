import { afterEach, describe, expect, test } from "@jest/globals";
import { expectations, preconditions, type StoredResource, silent } from "../../src/index.js";
import { closeSessions, exchange, openSession } from "../helpers/http2.js";
import {
  closeServers,
  type Handler,
  HTTP1_KINDS,
  HTTP2_KINDS,
  isTlsKind,
  next,
  recordingLogger,
  startAttached,
  store,
} from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";

afterEach(async () => {
  closeSessions();
  await closeServers();
});

const STORED: StoredResource = { etag: '"v1"', lastModified: new Date("2026-01-01T00:00:00Z") };

const head = (method: string, ...fields: string[]) =>
  [`${method} /files HTTP/1.1`, "Host: test", "Expect: 100-continue", "Content-Length: 5", ...fields, "", ""].join(
    "\r\n",
  );

describe.each(HTTP1_KINDS)("%s", (kind) => {
  async function connect(stored: StoredResource | undefined) {
    const logger = recordingLogger();
    const guard = expectations({ logger, policies: [preconditions(async () => stored)] }) as Handler;
    const parts = { use: [guard], routes: { "/files": store, "/next": next } };
    const { port } = await startAttached(kind, parts, { logger: silent });
    return { logger, wire: await WireClient.connect(port, { tls: isTlsKind(kind) }) };
  }

  test.each<[method: string, fields: string[], stored: StoredResource | undefined, status: number]>([
    ["PUT", ["If-None-Match: *"], STORED, 412],
    ["PUT", ['If-Match: "v0"'], STORED, 412],
    ["PATCH", ['If-Match: W/"v1"'], STORED, 412],
    ["DELETE", ["If-Match: *"], undefined, 412],
    ["PUT", ["If-Unmodified-Since: Wed, 31 Dec 2025 23:59:59 GMT"], STORED, 412],
    ["PUT", ['If-None-Match: "v0"', 'If-None-Match: W/"v1"'], STORED, 412],
    ["PUT", ["If-None-Match: v1"], STORED, 400],
    ["PUT", ["If-None-Match:"], STORED, 400],
    ["PUT", ["If-Match: *", 'If-Match: "v1"'], STORED, 400],
  ])("%s with %j is refused before a byte of it is sent", async (method, fields, stored, status) => {
    const { wire, logger } = await connect(stored);
    wire.send(head(method, ...fields));
    expect(await wire.final()).toMatchObject({ status, headers: { connection: "close" } });
    await wire.closed();
    expect(wire.statuses).toEqual([status]);
    expect(logger.records).toMatchObject([{ details: { status, policy: "preconditions", bytesSpared: 5 } }]);
  });

  test.each<[method: string, fields: string[], stored: StoredResource | undefined]>([
    ["PUT", [], STORED],
    ["PUT", ["If-None-Match: *"], undefined],
    ["PUT", ['If-Match: "v0"', 'If-Match: "v1"'], STORED],
    ["POST", ["If-None-Match: *"], STORED],
    ["PUT", ["If-Unmodified-Since: Thu, 01 Jan 2026 00:00:00 GMT"], STORED],
  ])("%s with %j is accepted after one 100", async (method, fields, stored) => {
    const { wire } = await connect(stored);
    wire.send(head(method, ...fields));
    await wire.status(100);
    wire.send("hello");
    expect((await wire.final()).body).toBe("stored 5");
    expect(wire.statuses).toEqual([100, 201]);
  });
});

test.each(HTTP2_KINDS)("%s: a duplicate is refused before a byte of it is sent", async (kind) => {
  const guard = expectations({ logger: silent, policies: [preconditions(() => STORED)] }) as Handler;
  const server = await startAttached(kind, { use: [guard], routes: { "/files": store } }, { logger: silent });
  const session = await openSession(server);
  const put = { ":method": "PUT", ":path": "/files", expect: "100-continue", "content-length": 5 };
  const refused = await exchange(session, { ...put, "if-none-match": "*" }, { content: "hello" });
  expect(refused).toMatchObject({ status: 412, hasContinue: false, bodySent: 0 });
  const accepted = await exchange(session, { ...put, "if-match": '"v1"' }, { content: "hello" });
  expect(accepted).toMatchObject({ status: 201, body: "stored 5", hasContinue: true });
});

test("a lookup that fails accepts nobody", async () => {
  const logger = recordingLogger();
  const lookup = () => Promise.reject(new Error("no database"));
  const guard = expectations({ logger, policies: [preconditions(lookup)] }) as Handler;
  const { port } = await startAttached("node:http", { use: [guard], routes: { "/files": store } }, { logger: silent });
  const wire = await WireClient.connect(port);
  wire.send(head("PUT", "If-None-Match: *"));
  expect((await wire.final()).status).toBe(500);
  expect(wire.statuses).toEqual([500]);
  expect(logger.records).toMatchObject([{ level: "error", details: { err: { message: "no database" } } }]);
});
