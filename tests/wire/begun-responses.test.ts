import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { constants } from "node:http2";
import { afterEach, describe, expect, test } from "@jest/globals";
import { expectations, maxSize, silent } from "../../src/index.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { deferred } from "../helpers/deferred.js";
import { closeSessions, openSession } from "../helpers/http2.js";
import { closeServers, type Handler, HTTP1_KINDS, HTTP2_KINDS, isTlsKind, startAttached } from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { CHUNKED, WireClient } from "../helpers/wire.js";

expectNothingDeadly();
afterEach(closeSessions);
afterEach(closeServers);

const guard = expectations({ logger: silent, policies: [maxSize(3)] }) as Handler;

const beginnings: [string, (res: ServerResponse) => void][] = [
  ["prepared its head", (res) => void res.writeHead(200)],
  [
    "begun to answer",
    (res) => {
      res.writeHead(200);
      res.write("x");
    },
  ],
];

function beginning(begin: (res: ServerResponse) => void) {
  const begun = deferred();
  const handler: Handler = (req, res) => {
    req.on("data", () => {});
    req.on("error", () => {});
    begin(res);
    begun.resolve();
  };
  return { handler, begun: begun.promise };
}

describe.each(HTTP1_KINDS)("%s", (kind) => {
  async function connect(handler: Handler) {
    const { port } = await startAttached(kind, { routes: { "/files": [guard, handler] } }, { logger: silent });
    return WireClient.connect(port, { tls: isTlsKind(kind) });
  }

  test.each(beginnings)("the connection is cut at the limit where the application has %s", async (_what, begin) => {
    const { handler, begun } = beginning(begin);
    const wire = await connect(handler);
    wire.send(CHUNKED);
    await begun;
    wire.send("5\r\nhello\r\n");
    await wire.fin();
    expect(wire.responses.filter(({ isComplete }) => isComplete)).toEqual([]);
  });

  test("an application that answers the limit's error in its own way hurts nobody", async () => {
    let isDone = false;
    const wire = await connect((req, res) => {
      req.on("data", () => {});
      req.on("error", () => {
        res.writeHead(500, { "X-Own": "yes" });
        res.write("half");
        res.end("whole", () => {
          isDone = true;
        });
      });
    });
    wire.send(CHUNKED, "5\r\nhello\r\n");
    const refusal = await wire.final();
    await until("its callback is called", () => isDone);
    await wire.fin();
    expect(refusal.status).toBe(413);
    expect(refusal.headers["x-own"]).toBeUndefined();
    expect(wire.statuses).toEqual([413]);
    expect(wire.text).not.toContain("whole");
  });
});

describe.each(HTTP2_KINDS)("%s", (kind) => {
  const PUT = { ":method": "PUT", ":path": "/files" };

  test("the stream is reset at the limit where the application has begun to answer", async () => {
    const { handler } = beginning((res) => res.write("x"));
    const parts = { routes: { "/files": [guard, handler] } };
    const session = await openSession(await startAttached(kind, parts, { logger: silent }));
    const stream = session.request(PUT, { endStream: false });
    stream.on("error", () => {});
    stream.resume();
    await once(stream, "response");
    stream.write("hello");
    await until("the stream is closed", () => stream.closed);
    expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
  });
});
