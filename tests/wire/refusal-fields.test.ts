import { afterEach, describe, expect, test } from "@jest/globals";
import { expectations, type Refusal, refuse, silent } from "../../src/index.js";
import { closeSessions, exchange, openSession } from "../helpers/http2.js";
import { closeServers, type Handler, HTTP1_KINDS, HTTP2_KINDS, isTlsKind, startAttached } from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";

afterEach(closeSessions);
afterEach(closeServers);

const UPLOAD = "PUT /files HTTP/1.1\r\nHost: test\r\nContent-Length: 5000\r\n\r\n";

const prepare: Handler = (_req, res, go) => {
  res.setHeader("Content-Encoding", "gzip");
  res.setHeader("Content-Language", "en");
  res.setHeader("Content-Length", "77");
  res.setHeader("ETag", '"a"');
  res.setHeader("Last-Modified", "Sat, 01 Aug 2026 00:00:00 GMT");
  res.setHeader("Vary", "Origin");
  go();
};

const STALE = ["content-encoding", "content-language", "etag", "last-modified"];

const guard = (verdict: Refusal) => expectations({ logger: silent, policies: [() => verdict] }) as Handler;

describe.each(HTTP1_KINDS)("%s", (kind) => {
  async function answer(use: Handler[], verdict: Refusal) {
    const parts = { use: [...use, guard(verdict)] };
    const { port } = await startAttached(kind, parts, { logger: silent });
    const wire = await WireClient.connect(port, { tls: isTlsKind(kind) });
    wire.send(UPLOAD);
    return wire;
  }

  test("a refusal does not carry what describes the application's body, and keeps all else", async () => {
    const wire = await answer([prepare], refuse(403, { body: "no" }));
    const { headers, body } = await wire.final();
    expect(body).toBe("no");
    expect(headers).toMatchObject({ "content-length": "2", vary: "Origin" });
    for (const name of STALE) expect(headers[name]).toBeUndefined();
  });

  test("a refusal's length is that of its body, whatever its fields say", async () => {
    for (const use of [[], [prepare]]) {
      const headers = { "content-length": "99", "Transfer-Encoding": "chunked", "X-Kept": "yes" };
      const wire = await answer(use, refuse(403, { headers, body: "no" }));
      const refusal = await wire.final();
      expect(refusal).toMatchObject({ status: 403, body: "no", headers: { "content-length": "2", "x-kept": "yes" } });
      expect(refusal.headers["transfer-encoding"]).toBeUndefined();
    }
  });

  test.each([204, 304])("a refusal with %d has neither content nor fields about it", async (status) => {
    const wire = await answer([prepare], refuse(status, { body: "no", headers: { "Content-Length": "2" } }));
    await wire.closed();
    const [refusal] = wire.finals;
    expect(refusal).toMatchObject({ status, body: "", headers: { vary: "Origin" } });
    expect(refusal?.headers).not.toHaveProperty("content-length");
    expect(refusal?.headers).not.toHaveProperty("content-type");
    expect(wire.text.endsWith("\r\n\r\n")).toBe(true);
  });

  const breakingHead =
    (times: number): Handler =>
    (_req, res, go) => {
      const { writeHead } = res;
      let left = times;
      res.setHeader("Access-Control-Allow-Origin", "*");
      res.writeHead = ((...args: unknown[]) => {
        if (left-- > 0) throw new Error("planned");
        return Reflect.apply(writeHead, res, args) as unknown;
      }) as typeof writeHead;
      go();
    };

  test("the 500 in place of a refusal that could not be written carries none of its fields", async () => {
    const wire = await answer([breakingHead(1)], refuse(429, { headers: { "Retry-After": "5" } }));
    const { status, headers } = await wire.final();
    expect({ status, ...headers }).toMatchObject({ status: 500, "access-control-allow-origin": "*" });
    expect(headers["retry-after"]).toBeUndefined();
  });

  test("the connection is cut where no refusal can be written at all", async () => {
    const wire = await answer([breakingHead(Number.POSITIVE_INFINITY)], refuse(429));
    await wire.fin();
    expect(wire.text).toBe("");
  });
});

describe.each(HTTP2_KINDS)("%s", (kind) => {
  test("a refusal does not carry what describes the application's body, and has a length of its own", async () => {
    const verdict = refuse(403, { headers: { "content-length": "99" }, body: "no" });
    const running = await startAttached(kind, { use: [prepare, guard(verdict)] }, { logger: silent });
    const session = await openSession(running);
    const { status, headers, body } = await exchange(session, { ":method": "PUT", ":path": "/files" });
    expect({ status, body }).toEqual({ status: 403, body: "no" });
    expect(headers).toMatchObject({ "content-length": "2", vary: "Origin" });
    for (const name of STALE) expect(headers[name]).toBeUndefined();
  });
});
