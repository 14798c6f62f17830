import type { ServerResponse } from "node:http";
import { afterEach, describe, expect, test } from "@jest/globals";
import { expectations, maxSize, refuse, silent } from "../../src/index.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import {
  closeServers,
  type Handler,
  HTTP1_KINDS,
  isTlsKind,
  recordingLogger,
  startAttached,
} from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";

expectNothingDeadly();
afterEach(closeServers);

const UPLOAD = "PUT /files HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
const CHUNKED = "PUT /files HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n";

const failures: [string, () => void][] = [
  [
    "throws",
    () => {
      throw new Error("no");
    },
  ],
  ["rejects", () => Promise.reject(new Error("no"))],
];

describe.each(HTTP1_KINDS)("%s", (kind) => {
  // The default of `policyTimeoutMs` is longer than this waits for an answer.
  test.each(failures)(
    "an onRefusal that %s is answered for at once, not when its time is up",
    async (_how, onRefusal) => {
      const logger = recordingLogger();
      const guard = expectations({ logger, policies: [() => refuse(403)], onRefusal }) as Handler;
      const { port } = await startAttached(kind, { routes: { "/files": guard } }, { logger: silent });
      const wire = await WireClient.connect(port, { tls: isTlsKind(kind) });
      wire.send(UPLOAD);
      expect((await wire.final()).status).toBe(500);
      await wire.fin();
      expect(wire.statuses).toEqual([500]);
      expect(logger.records.map(({ level }) => level)).toEqual(["warn", "error"]);
      expect(logger.records[1]?.details).toMatchObject({ policy: "onRefusal", status: 500 });
    },
  );

  test("onRefusal is not asked about an upload that the application has in hand", async () => {
    let asked = 0;
    let reached = () => {};
    const isReached = new Promise<void>((resolve) => {
      reached = resolve;
    });
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
      reached();
    };
    const { port } = await startAttached(kind, { routes: { "/files": [guard, read] } }, { logger: silent });
    const wire = await WireClient.connect(port, { tls: isTlsKind(kind) });
    wire.send(CHUNKED);
    await isReached;
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
