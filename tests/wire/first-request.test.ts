import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { afterEach, describe, expect, test } from "@jest/globals";
import { type AcceptMessage, expectations, silent } from "../../src/index.js";
import { closeSessions, openSession } from "../helpers/http2.js";
import {
  closeServers,
  type Handler,
  HTTP1_KINDS,
  HTTP2_KINDS,
  isTlsKind,
  next,
  start,
  startAttached,
  store,
} from "../helpers/servers.js";
import { UPLOAD, WireClient } from "../helpers/wire.js";

const ACCEPT = "express-expectations:accept";
const accepted: AcceptMessage[] = [];
const hear = (message: unknown) => void accepted.push(message as AcceptMessage);

afterEach(closeSessions);
afterEach(closeServers);
afterEach(() => {
  unsubscribe(ACCEPT, hear);
  accepted.length = 0;
});

const guard = expectations({ logger: silent, policies: [() => true] }) as Handler;

describe.each(HTTP1_KINDS)("%s", (kind) => {
  async function upload(port: number) {
    const wire = await WireClient.connect(port, { tls: isTlsKind(kind) });
    wire.send(UPLOAD);
    await wire.status(100);
    wire.send("hello");
    await wire.final();
    expect(await wire.answersNext()).toBe(true);
    return wire;
  }

  test("the 100 that Node sent before a guard attached the server is the only one", async () => {
    const { port } = await start(kind, { routes: { "/files": [guard, store], "/next": next } });
    const wire = await upload(port);
    expect(wire.statuses).toEqual([100, 201, 200]);
  });

  test("a 100 that a route without a guard asked for is told of, once", async () => {
    subscribe(ACCEPT, hear);
    const { port } = await startAttached(kind, { routes: { "/files": store, "/next": next } }, { logger: silent });
    await upload(port);
    expect(accepted.map(({ record }) => [record.url, record.status])).toEqual([["/files", 100]]);
  });
});

describe.each(HTTP2_KINDS)("%s", (kind) => {
  test("the 100 that Node sent before a guard attached the server is the only one", async () => {
    const running = await start(kind, { use: [guard], routes: { "/files": store } });
    const session = await openSession(running);
    const stream = session.request(
      { ":method": "PUT", ":path": "/files", "content-length": "5", expect: "100-continue" },
      { endStream: false },
    );
    const statuses: unknown[] = [];
    stream.on("headers", (fields) => statuses.push(fields[":status"]));
    stream.on("response", (fields) => statuses.push(fields[":status"]));
    stream.once("headers", () => stream.end("hello"));
    stream.resume();
    await once(stream, "close");
    expect(statuses).toEqual([100, 201]);
  });
});
