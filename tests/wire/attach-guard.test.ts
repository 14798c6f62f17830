import { afterEach, describe, expect, test } from "@jest/globals";
import { silent } from "../../src/index.js";
import { closeServers, type Handler, HTTP1_KINDS, isTlsKind, next, startAttached, store } from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";

afterEach(closeServers);

const UPLOAD = "PUT /files HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";

describe.each(HTTP1_KINDS)("%s", (kind) => {
  test.each([undefined, null])("attach's own guard lets a request in by next(%s)", async (nothing) => {
    const guard: Handler = (_req, _res, next) => next(nothing);
    const routes = { "/files": store, "/next": next };
    const { port } = await startAttached(kind, { routes }, { logger: silent, guard });
    const wire = await WireClient.connect(port, { tls: isTlsKind(kind) });
    wire.send(UPLOAD);
    await wire.status(100);
    wire.send("hello");
    expect((await wire.final()).status).toBe(201);
    expect(await wire.answersNext()).toBe(true);
  });
});
