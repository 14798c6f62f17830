import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { afterEach, describe, expect, test } from "@jest/globals";
import { expectations, knownLength, refuse, silent, type Upload } from "../../src/index.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { closeSessions, exchange, openSession } from "../helpers/http2.js";
import {
  closeServers,
  type Handler,
  HTTP1_KINDS,
  HTTP2_KINDS,
  isTlsKind,
  next,
  startAttached,
  store,
} from "../helpers/servers.js";
import { CHUNKED, WireClient } from "../helpers/wire.js";

expectNothingDeadly();
afterEach(closeSessions);
afterEach(closeServers);

const limit = (bytes: number, status: number) => (_req: IncomingMessage, upload: Upload) => {
  upload.limitBytes(bytes, refuse(status));
  return true;
};
const wide = limit(100, 422);
const narrow = limit(3, 413);

describe.each(HTTP1_KINDS)("%s", (kind) => {
  describe.each([
    ["behind a wider one", [wide, narrow]],
    ["in front of a wider one", [narrow, wide]],
  ])("the narrowest of several limits, %s", (_name, policies) => {
    async function connect(guards: Handler[]) {
      const routes = { "/files": [...guards, store] };
      const { port } = await startAttached(kind, { routes }, { logger: silent, lingerMs: 50 });
      return WireClient.connect(port, { tls: isTlsKind(kind) });
    }
    const guardOf = (...of: typeof policies) => expectations({ logger: silent, policies: of }) as Handler;

    test.each([
      ["one guard", [guardOf(...policies)]],
      ["two guards", policies.map((policy) => guardOf(policy))],
    ])("cuts the content off, under %s", async (_guards, guards) => {
      const wire = await connect(guards);
      wire.send(`${CHUNKED}5\r\nhello\r\n`);
      expect((await wire.final()).status).toBe(413);
      await wire.fin();
      expect(wire.statuses).toEqual([413]);
    });

    test("lets content of its own length pass", async () => {
      const wire = await connect([guardOf(...policies)]);
      wire.send(`${CHUNKED}3\r\nhel\r\n0\r\n\r\n`);
      expect(await wire.final()).toMatchObject({ status: 201, body: "stored 3" });
    });
  });
});

describe.each(HTTP2_KINDS)("%s", (kind) => {
  async function open(...handlers: Handler[]) {
    const guard = expectations({ logger: silent, policies: [knownLength()] }) as Handler;
    const routes = { "/files": [guard, ...handlers] };
    return openSession(await startAttached(kind, { routes }, { logger: silent }));
  }

  test("a request that ends with its header section is none of unknown length", async () => {
    const session = await open(next);
    const stream = session.request({ ":method": "DELETE", ":path": "/files" }, { endStream: true });
    stream.resume();
    const [response] = (await once(stream, "response")) as [{ ":status": number }];
    expect(response[":status"]).toBe(200);
  });

  test("a request that goes on behind its header section without Content-Length is one", async () => {
    const session = await open(store);
    const request = { ":method": "DELETE", ":path": "/files" };
    expect((await exchange(session, request, { content: "hello", sendAtOnce: true })).status).toBe(411);
  });
});
