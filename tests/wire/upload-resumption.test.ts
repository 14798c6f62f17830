import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import { afterEach, describe, expect, test } from "@jest/globals";
import { attach, expectations, maxSize, silent } from "../../src/index.js";
import { closeSessions, openSession } from "../helpers/http2.js";
import {
  closeServers,
  type Handler,
  HTTP1_KINDS,
  isTlsKind,
  listen,
  startAttached,
  store,
} from "../helpers/servers.js";
import { CHUNKED, UPLOAD, WireClient } from "../helpers/wire.js";

// Fields and statuses of draft-ietf-httpbis-resumable-upload.

afterEach(closeSessions);
afterEach(closeServers);

type Informing = http.ServerResponse & { writeInformation?: (status: number, fields: object) => void };

const LOCATION = "/uploads/7";

/** The ways in which applications send a 104 (Upload Resumption Supported). */
const WAYS: Record<string, ((res: http.ServerResponse) => void) | undefined> = {
  "bytes on the socket": ({ socket }) =>
    void socket?.write(`HTTP/1.1 104 Upload Resumption Supported\r\nLocation: ${LOCATION}\r\n\r\n`),
  // Since Node 24.
  ...("writeInformation" in http.ServerResponse.prototype && {
    writeInformation: (res: http.ServerResponse) => (res as Informing).writeInformation?.(104, { Location: LOCATION }),
  }),
};

describe.each(HTTP1_KINDS)("%s", (kind) => {
  async function serve(handler: Handler, limit = 1_000) {
    const guard = expectations({ logger: silent, policies: [maxSize(limit)] }) as Handler;
    const { port } = await startAttached(kind, { routes: { "/files": [guard, handler] } }, { logger: silent });
    return WireClient.connect(port, { tls: isTlsKind(kind) });
  }

  test.each(Object.entries(WAYS))(
    "a 104 by %s passes as it is, and the 100 follows all the same",
    async (_name, inform) => {
      const wire = await serve((req, res, done) => {
        inform?.(res);
        store(req, res, done);
        inform?.(res);
      });
      wire.send(UPLOAD);
      await wire.status(100);
      wire.send("hello");
      expect((await wire.final()).body).toBe("stored 5");
      // The order of the second 104 and the 100 is the application's.
      expect([...wire.statuses].sort()).toEqual([100, 104, 104, 201]);
      expect(wire.statuses[0]).toBe(104);
      expect(wire.responses[0]?.headers).toMatchObject({ location: LOCATION });
    },
  );

  test("a client that sends after the 104 is served, and gets one 100 at most", async () => {
    const wire = await serve((req, res, done) => {
      WAYS["bytes on the socket"]?.(res);
      setTimeout(() => store(req, res, done), 20);
    });
    wire.send(UPLOAD);
    await wire.status(104);
    wire.send("hello");
    expect((await wire.final()).body).toBe("stored 5");
    expect(wire.statuses.filter((status) => status === 100).length).toBeLessThanOrEqual(1);
  });

  test("a 413 of maxSize says how large an upload may be, before and in the middle of the content", async () => {
    const early = await serve(store, 4);
    early.send(UPLOAD);
    expect(await early.final()).toMatchObject({ status: 413, headers: { "upload-limit": "max-size=4" } });
    const late = await serve(store, 4);
    late.send(CHUNKED, "5\r\nhello\r\n0\r\n\r\n");
    expect(await late.final()).toMatchObject({ status: 413, headers: { "upload-limit": "max-size=4" } });
  });
});

test("HTTP/2: a 104 passes as it is, and the 100 follows all the same", async () => {
  const guard = expectations({ logger: silent, policies: [maxSize(5)] });
  const server = http2.createServer((req, res) => {
    guard(req as never, res as never, () => {
      req.stream.additionalHeaders({ ":status": 104, location: LOCATION });
      req.on("data", () => {});
      req.on("end", () => void res.end("stored"));
    });
  });
  const session = await openSession(await listen(attach(server, { logger: silent })));
  const fields = { ":method": "PUT", ":path": "/files", expect: "100-continue" };
  const stream = session.request(fields, { endStream: false });
  const interim: unknown[] = [];
  stream.on("headers", (head) => {
    interim.push([head[":status"], head.location]);
    if (head[":status"] === 100) stream.end("hello");
  });
  const [head] = (await once(stream, "response")) as [{ ":status": number }];
  expect(head[":status"]).toBe(200);
  expect(interim).toEqual([
    [104, LOCATION],
    [100, undefined],
  ]);

  const large = session.request({ ...fields, "content-length": "6" }, { endStream: false });
  const [refusal] = (await once(large, "response")) as [http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader];
  expect(refusal).toMatchObject({ ":status": 413, "upload-limit": "max-size=5" });
});
