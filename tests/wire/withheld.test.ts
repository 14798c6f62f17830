import { afterEach, describe, expect, test } from "@jest/globals";
import { expectations, maxSize, silent } from "../../src/index.js";
import { closeSessions, exchange, openSession } from "../helpers/http2.js";
import {
  closeServers,
  type Handler,
  HTTP1_KINDS,
  HTTP2_KINDS,
  isTlsKind,
  recordingLogger,
  type ServerKind,
  startAttached,
  store,
} from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";

afterEach(async () => {
  closeSessions();
  await closeServers();
});

async function serve(kind: ServerKind) {
  const logger = recordingLogger();
  const guard = expectations({ logger, policies: [maxSize(4)] }) as Handler;
  const server = await startAttached(kind, { use: [guard], routes: { "/files": store } }, { logger: silent });
  return { server, withheld: () => logger.records.map(({ details }) => details.withheld) };
}

const put = (...lines: string[]) => ["PUT /files HTTP/1.1", "Host: test", ...lines, "", ""].join("\r\n");

describe.each(HTTP1_KINDS)("%s", (kind) => {
  test.each<[what: string, send: string, expected: true | undefined]>([
    ["waits for the decision", put("Expect: 100-continue", "Content-Length: 5"), true],
    ["does not wait", `${put("Content-Length: 5")}hello`, undefined],
  ])("the record of a refusal tells whether the client %s", async (_what, send, expected) => {
    const { server, withheld } = await serve(kind);
    const wire = await WireClient.connect(server.port, { tls: isTlsKind(kind) });
    wire.send(send);
    await wire.final();
    expect(withheld()).toEqual([expected]);
  });

  test("a client that was told to send did not hold its content back", async () => {
    const { server, withheld } = await serve(kind);
    const wire = await WireClient.connect(server.port, { tls: isTlsKind(kind) });
    wire.send(put("Expect: 100-continue", "Transfer-Encoding: chunked"));
    await wire.until("the 100", () => wire.statuses.length > 0);
    wire.send("5\r\nhello\r\n0\r\n\r\n");
    await wire.final();
    expect(wire.statuses).toEqual([100, 413]);
    expect(withheld()).toEqual([undefined]);
  });
});

describe.each(HTTP2_KINDS)("%s", (kind) => {
  test("the record of a refusal tells whether the client waits", async () => {
    const { server, withheld } = await serve(kind);
    const session = await openSession(server);
    const fields = { ":method": "PUT", ":path": "/files", "content-length": 5 };
    expect((await exchange(session, { ...fields, expect: "100-continue" })).status).toBe(413);
    expect((await exchange(session, fields, { content: "hello" })).status).toBe(413);
    expect(withheld()).toEqual([true, undefined]);
  });
});
