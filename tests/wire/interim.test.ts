import type { IncomingMessage } from "node:http";
import { afterEach, describe, expect, test } from "@jest/globals";
import { silent } from "../../src/index.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { closeServers, type Handler, HTTP1_KINDS, isTlsKind, next, startAttached, store } from "../helpers/servers.js";
import { UPLOAD, WireClient } from "../helpers/wire.js";

expectNothingDeadly();
afterEach(closeServers);

describe.each(HTTP1_KINDS)("%s", (kind) => {
  async function upload(handler: Handler) {
    const routes = { "/files": handler, "/next": next };
    const { port } = await startAttached(kind, { routes }, { logger: silent });
    const wire = await WireClient.connect(port, { tls: isTlsKind(kind) });
    wire.send(UPLOAD);
    await wire.status(100);
    wire.send("hello");
    await wire.final();
    return wire;
  }

  test("the application's own 102 and 103 neither bring the 100 nor take its place", async () => {
    const wire = await upload((req, res, done) => {
      res.writeProcessing();
      res.writeEarlyHints({ link: "</style.css>; rel=preload" });
      store(req, res, done);
    });
    expect(wire.statuses).toEqual([102, 103, 100, 201]);
    expect(await wire.answersNext()).toBe(true);
  });

  test("writeContinue calls back each time, and the client gets one 100", async () => {
    let calls = 0;
    const wire = await upload((req, res, done) => {
      const count = () => {
        calls++;
      };
      res.writeContinue(count);
      res.writeContinue(count);
      store(req, res, done);
    });
    expect(calls).toBe(2);
    expect(wire.statuses).toEqual([100, 201]);
  });

  test("writeContinue sends the 100 of an application that reads once the client has it", async () => {
    const wire = await upload((req, res, done) => res.writeContinue(() => store(req, res, done)));
    expect(wire.finals[0]?.body).toBe("stored 5");
    expect(wire.statuses).toEqual([100, 201]);
  });

  const readByReadable = (req: IncomingMessage, whole: (content: string) => void) => {
    let content = "";
    req.setEncoding("latin1");
    req.on("readable", () => {
      for (let piece: string | null = req.read(); piece !== null; piece = req.read()) content += piece;
    });
    req.on("end", () => whole(content));
  };

  test("a reader by the event readable gets its 100 and the content", async () => {
    const wire = await upload((req, res) => readByReadable(req, (content) => res.end(content)));
    expect(wire.finals[0]?.body).toBe("hello");
    expect(wire.statuses).toEqual([100, 200]);
  });

  test("a reader by the event readable that listens before the head goes out gets them too", async () => {
    const wire = await upload((req, res) => {
      readByReadable(req, (content) => res.end(content));
      res.write("receiving ");
    });
    expect(wire.finals[0]?.body).toBe("receiving hello");
    expect(wire.statuses).toEqual([100, 200]);
  });

  test.each([
    [399, [100, 399]],
    [400, [400]],
  ])("a status of %d, in front of which somebody has begun to read, is sent behind %j", async (status, statuses) => {
    const routes: Record<string, Handler> = {
      "/files": (req, res) => {
        req.on("data", () => {});
        res.writeHead(status, { "Content-Length": 0 });
        res.end();
      },
    };
    const { port } = await startAttached(kind, { routes }, { logger: silent });
    const wire = await WireClient.connect(port, { tls: isTlsKind(kind) });
    wire.send(UPLOAD);
    await wire.final();
    expect(wire.statuses).toEqual(statuses);
  });
});
