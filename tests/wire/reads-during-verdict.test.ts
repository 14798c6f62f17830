import type { IncomingMessage } from "node:http";
import { afterEach, describe, expect, test } from "@jest/globals";
import { expectations, handshakeOf, maxSize, refuse, silent, type Verdict } from "../../src/index.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { closeServers, type Handler, HTTP1_KINDS, isTlsKind, next, startAttached, store } from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { WireClient } from "../helpers/wire.js";

expectNothingDeadly();
afterEach(closeServers);

const UPLOAD = "PUT /files HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
const CHUNKED = "PUT /files HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n";

describe.each(HTTP1_KINDS)("%s", (kind) => {
  /** A reader that begins while the guard behind it waits for its verdict, which comes after the first read. */
  async function readEarly(verdict: Verdict, read: (req: IncomingMessage) => void) {
    let decide = (_verdict: Verdict) => {};
    const policy = () =>
      new Promise<Verdict>((resolve) => {
        decide = resolve;
      });
    const early: Handler = (req, _res, next) => {
      next();
      read(req);
      setImmediate(() => decide(verdict));
    };
    const guard = expectations({ logger: silent, policies: [policy] }) as Handler;
    const end: Handler = (req, res) => void req.on("end", () => res.end("read"));
    const parts = { use: [early], routes: { "/files": [guard, end], "/next": next } };
    const { port } = await startAttached(kind, parts, { logger: silent });
    return WireClient.connect(port, { tls: isTlsKind(kind) });
  }

  test("a read that came during the verdict is served when the guard accepts", async () => {
    let content = "";
    const wire = await readEarly(true, (req) => {
      req.on("data", (chunk) => {
        content += chunk;
      });
    });
    wire.send(UPLOAD);
    await wire.status(100);
    wire.send("hello");
    expect((await wire.final()).body).toBe("read");
    expect(content).toBe("hello");
    expect(wire.statuses).toEqual([100, 200]);
  });

  test("a reader that came during the verdict is told of the refusal", async () => {
    const events: string[] = [];
    const wire = await readEarly(refuse(403), (req) => {
      req.on("error", (error: NodeJS.ErrnoException) => events.push(String(error.code)));
      req.on("data", () => events.push("data"));
    });
    wire.send(UPLOAD);
    expect((await wire.final()).status).toBe(403);
    await until("the reader is told", () => events.length > 0);
    expect(events).toEqual(["ERR_EXPECT_REFUSED"]);
    expect(wire.statuses).toEqual([403]);
  });

  test("no 100 is owed once all content has come during the verdict", async () => {
    const states: string[] = [];
    const policy = async (req: IncomingMessage) => {
      await until("all content has come", () => req.complete);
      states.push(handshakeOf(req).state);
    };
    const guard = expectations({ logger: silent, policies: [policy] }) as Handler;
    const tell: Handler = (req, res, next) => {
      states.push(handshakeOf(req).state);
      res.once("finish", () => states.push(handshakeOf(req).state));
      store(req, res, next);
    };
    const { port } = await startAttached(kind, { routes: { "/files": [guard, tell] } }, { logger: silent });
    const wire = await WireClient.connect(port, { tls: isTlsKind(kind) });
    wire.send(`${UPLOAD}hello`);
    await wire.final();
    await until("the response is finished", () => states.length === 3);
    expect(wire.statuses).toEqual([201]);
    expect(states).toEqual(["none", "none", "none"]);
  });

  test.each([
    [4, 413],
    [5, 201],
  ])("content of 5 bytes that came before a guard with a limit of %i gets %i", async (limit, status) => {
    const late: Handler = async (req, _res, next) => {
      await until("all content has come", () => req.complete);
      next();
    };
    const guard = expectations({ logger: silent, policies: [maxSize(limit)] }) as Handler;
    const { port } = await startAttached(kind, { routes: { "/files": [late, guard, store] } }, { logger: silent });
    const wire = await WireClient.connect(port, { tls: isTlsKind(kind) });
    wire.send(`${CHUNKED}5\r\nhello\r\n0\r\n\r\n`);
    expect((await wire.final()).status).toBe(status);
  });
});
