import type { ServerResponse } from "node:http";
import { afterAll, describe, expect, test } from "@jest/globals";
import { expectations, refuse, silent } from "../../src/index.js";
import { closeServers, type Handler, HTTP1_KINDS, isTlsKind, next, startAttached, store } from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";

// The tests wait for lingering connections most of the time: they run side by side, each with a server of its own.
afterAll(closeServers);

type Answer = (res: ServerResponse) => void;

// Rule 4: whatever Connection field the application sets, and however.
const ANSWERS: Record<string, Answer> = {
  "status and end": (res) => {
    res.statusCode = 403;
    res.end("no");
  },
  "setHeader keep-alive": (res) => {
    res.setHeader("Connection", "keep-alive");
    res.statusCode = 403;
    res.end("no");
  },
  "writeHead with an object": (res) => {
    res.writeHead(403, { Connection: "keep-alive", "Keep-Alive": "timeout=5", "X-Own": "1" }).end("no");
  },
  "writeHead with a reason and an object": (res) => {
    res.writeHead(403, "No", { connection: "keep-alive", "X-Own": "1" }).end("no");
  },
  "writeHead with a flat array": (res) => {
    res.writeHead(403, ["Connection", "keep-alive", "X-Own", "1"]).end("no");
  },
  "writeHead with a nested array": (res) => {
    res
      .writeHead(403, [
        ["Connection", "keep-alive"],
        ["X-Own", "1"],
      ] as never)
      .end("no");
  },
  "setHeader and then writeHead with an object": (res) => {
    res.setHeader("X-Own", "1");
    res.writeHead(403, { Connection: "keep-alive" }).end("no");
  },
  removeHeader: (res) => {
    res.removeHeader("Connection");
    res.statusCode = 403;
    res.end("no");
  },
  "flushHeaders and a late end": (res) => {
    res.setHeader("Connection", "keep-alive");
    res.statusCode = 403;
    res.flushHeaders();
    setImmediate(() => res.end("no"));
  },
  "a wrapper that sets the field as the head is written": (res) => {
    const writeHead = res.writeHead;
    res.writeHead = function (this: ServerResponse, ...args: never[]) {
      res.setHeader("Connection", "keep-alive");
      return Reflect.apply(writeHead, this, args);
    } as never;
    res.statusCode = 403;
    res.end("no");
  },
};

const REQUESTS = {
  "Expect: 100-continue": "PUT /files HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 50\r\n\r\n",
  "Expect: 100-continue, chunked":
    "PUT /files HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n",
  "another expectation": "PUT /files HTTP/1.1\r\nHost: test\r\nExpect: tea\r\nContent-Length: 50\r\n\r\n",
  "much content, no expectation": "PUT /files HTTP/1.1\r\nHost: test\r\nContent-Length: 65537\r\n\r\n",
};

describe.each(HTTP1_KINDS)("%s", (kind) => {
  async function serve(handler: Handler, use: Handler[] = []) {
    const parts = { use, routes: { "/files": handler, "/next": next } };
    const { port } = await startAttached(kind, parts, { logger: silent, unknownExpectations: "ignore" });
    return WireClient.connect(port, { tls: isTlsKind(kind) });
  }

  describe.each(Object.entries(REQUESTS))("%s", (_name, request) => {
    test.concurrent.each(Object.entries(ANSWERS))("closes after a final status by %s", async (name, answer) => {
      const wire = await serve((_req, res) => answer(res));
      wire.send(request);
      const response = await wire.final();
      expect(response).toMatchObject({ status: 403, headers: { connection: "close" }, body: "no" });
      if (name.startsWith("writeHead")) expect(response.headers["x-own"]).toBe("1");
      await wire.fin();
      wire.send("GET /next HTTP/1.1\r\nHost: test\r\n\r\n");
      await wire.closed();
      expect(wire.statuses).toEqual([403]);
    });
  });

  test.concurrent("closes behind a head that went round writeHead", async () => {
    const wire = await serve((_req, res) => {
      Object.getPrototypeOf(res).writeHead.call(res, 403, { "Content-Length": 2 });
      res.end("no");
    });
    wire.send(REQUESTS["another expectation"]);
    expect((await wire.final()).status).toBe(403);
    await wire.fin();
  });

  test.concurrent("closes after a 4xx while the application reads", async () => {
    const wire = await serve((req, res) => {
      req.once("data", () => {
        res.statusCode = 422;
        res.end("no");
      });
    });
    wire.send(REQUESTS["Expect: 100-continue"]);
    await wire.status(100);
    wire.send("x");
    expect(await wire.final()).toMatchObject({ status: 422, headers: { connection: "close" } });
    await wire.fin();
  });

  test.concurrent("keeps the connection after a 4xx when the content has arrived", async () => {
    const wire = await serve((req, res) => {
      req.resume();
      req.on("data", () => {});
      req.on("end", () => {
        res.statusCode = 422;
        res.end("no");
      });
    });
    wire.send(REQUESTS["Expect: 100-continue"]);
    await wire.status(100);
    wire.send("x".repeat(50));
    expect((await wire.final()).status).toBe(422);
    expect(await wire.answersNext()).toBe(true);
  });

  test.concurrent("leaves the headers that the application passes alone", async () => {
    const headers = Object.freeze({ Connection: "keep-alive", "X-Own": "1" });
    const wire = await serve((_req, res) => void res.writeHead(403, headers).end());
    wire.send(REQUESTS["much content, no expectation"]);
    expect((await wire.final()).headers).toMatchObject({ connection: "close", "x-own": "1" });
  });

  test.concurrent("keeps both of two cookies in a flat array", async () => {
    const wire = await serve(
      (_req, res) => void res.writeHead(403, ["Set-Cookie", "a=1", "Set-Cookie", "b=2", "Content-Length", "0"]).end(),
    );
    wire.send(REQUESTS["much content, no expectation"]);
    const { headers } = await wire.final();
    expect(headers.connection).toBe("close");
    expect(headers["set-cookie"]).toBe("a=1, b=2");
  });

  test.concurrent("closes after a refusal that a middleware before it wanted to keep alive", async () => {
    const keepAlive: Handler = (_req, res, next) => {
      res.setHeader("Connection", "keep-alive");
      next();
    };
    const guard = expectations({ logger: silent, policies: [() => refuse(413)] }) as Handler;
    const wire = await serve(store, [keepAlive, guard]);
    wire.send(REQUESTS["Expect: 100-continue"]);
    expect(await wire.final()).toMatchObject({ status: 413, headers: { connection: "close" } });
    await wire.fin();
  });
});
