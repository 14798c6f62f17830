import type { Server } from "node:http";
import { afterEach, describe, expect, test } from "@jest/globals";
import { detach, handshakeOf, silent } from "../../src/index.js";
import { closeServers, type Handler, HTTP1_KINDS, isTlsKind, startAttached, store } from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";

afterEach(closeServers);

const UPLOAD = "PUT /files HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";

describe.each(HTTP1_KINDS)("%s", (kind) => {
  test("what detach leaves under a later wrapper watches no request", async () => {
    const seen: unknown[] = [];
    const tell: Handler = (req, res, next) => {
      seen.push(handshakeOf(req).expectations);
      store(req, res, next);
    };
    const running = await startAttached(kind, { routes: { "/files": tell } }, { logger: silent });
    const server = running.server as Server;
    const { emit } = server;
    server.emit = function (this: Server, ...args: [string, ...unknown[]]) {
      return Reflect.apply(emit, this, args);
    } as typeof emit;
    detach(server);
    const wire = await WireClient.connect(running.port, { tls: isTlsKind(kind) });
    wire.send(UPLOAD, "hello");
    await wire.final();
    expect(wire.statuses).toEqual([100, 201]);
    expect(seen).toEqual([[]]);
  });
});
