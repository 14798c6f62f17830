import type { ServerResponse } from "node:http";
import { afterEach, describe, expect, test } from "@jest/globals";
import { expectations, maxSize, refuse, silent } from "../../src/index.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { deferred } from "../helpers/deferred.js";
import { closeServers, type Handler, HTTP1_KINDS, isTlsKind, startAttached } from "../helpers/servers.js";
import { CHUNKED, UPLOAD, WireClient } from "../helpers/wire.js";

expectNothingDeadly();
afterEach(closeServers);

describe.each(HTTP1_KINDS)("%s", (kind) => {
  test("onRefusal is not asked about an upload that the application has in hand", async () => {
    let asked = 0;
    const reached = deferred();
    const guard = expectations({
      logger: silent,
      policies: [maxSize(3)],
      onRefusal: (_refusal, _req, res) => {
        asked++;
        (res as ServerResponse).writeHead(499).end();
      },
    }) as Handler;
    const read: Handler = (req) => {
      req.on("error", () => {}).on("data", () => {});
      reached.resolve();
    };
    const { port } = await startAttached(kind, { routes: { "/files": [guard, read] } }, { logger: silent });
    const wire = await WireClient.connect(port, { tls: isTlsKind(kind) });
    wire.send(CHUNKED);
    await reached.promise;
    wire.send("5\r\nhello\r\n");
    expect((await wire.final()).status).toBe(413);
    expect(asked).toBe(0);
  });

  test.each(["route", "router"])('an onRefusal that leaves by next("%s") lets no refused upload past', async (exit) => {
    const ran: string[] = [];
    const tell =
      (name: string): Handler =>
      (_req, res) => {
        ran.push(name);
        res.end();
      };
    const guard = expectations({
      logger: silent,
      policies: [() => refuse(403)],
      onRefusal: (_refusal, _req, _res, next) => next(exit),
    }) as Handler;
    const parts = { routes: { "/files": [guard, tell("handler")], "/:any": tell("later route") } };
    const { port } = await startAttached(kind, parts, { logger: silent });
    const wire = await WireClient.connect(port, { tls: isTlsKind(kind) });
    wire.send(UPLOAD);
    expect((await wire.final()).status).toBe(500);
    await wire.fin();
    expect(wire.statuses).toEqual([500]);
    expect(ran).toEqual([]);
  });
});
