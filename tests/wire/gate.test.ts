import { AsyncLocalStorage } from "node:async_hooks";
import { EventEmitter, once } from "node:events";
import * as http from "node:http";
import { afterEach, describe, expect, test } from "@jest/globals";
import { attach, detach, expectations, refuse, silent } from "../../src/index.js";
import {
  closeServers,
  type Handler,
  HTTP1_KINDS,
  isTlsKind,
  listen,
  next,
  plainApp,
  startAttached,
  store,
} from "../helpers/servers.js";
import { UPLOAD, WireClient } from "../helpers/wire.js";

afterEach(closeServers);

const NEXT = "GET /next HTTP/1.1\r\nHost: test\r\n\r\n";

/** A policy whose verdicts the test gives. */
function asked() {
  const events = new EventEmitter();
  const verdicts: ((verdict: boolean) => void)[] = [];
  const policy = () =>
    new Promise<boolean>((resolve) => {
      verdicts.push(resolve);
      events.emit("asked");
    });
  return {
    policy,
    async decide(verdict: boolean) {
      if (verdicts.length === 0) await once(events, "asked");
      verdicts.shift()?.(verdict);
    },
    async wait() {
      if (verdicts.length === 0) await once(events, "asked");
    },
  };
}

describe.each(HTTP1_KINDS)("%s", (kind) => {
  async function serve(policy: () => unknown, ran: string[]) {
    const guard = expectations({ logger: silent, policies: [policy as never] }) as Handler;
    const count =
      (handler: Handler): Handler =>
      (req, res, next) => {
        ran.push(`${req.method} ${(req as { originalUrl?: string }).originalUrl ?? req.url}`);
        handler(req, res, next);
      };
    const parts = {
      routes: { "/files": [guard, count(store)], "/next": count(next) },
    };
    const { port } = await startAttached(kind, parts, { logger: silent });
    return WireClient.connect(port, { tls: isTlsKind(kind) });
  }

  test("holds requests behind a pending verdict, and answers them in order", async () => {
    const verdict = asked();
    const ran: string[] = [];
    const wire = await serve(verdict.policy, ran);
    wire.send(`${UPLOAD}hello${NEXT}${UPLOAD}world${NEXT}`);
    await verdict.decide(true);
    await verdict.wait();
    expect(ran).toEqual(["PUT /files", "GET /next"]);
    await verdict.decide(true);
    await wire.final(4);
    expect(ran).toEqual(["PUT /files", "GET /next", "PUT /files", "GET /next"]);
    expect(wire.finals.map(({ body }) => body)).toEqual(["stored 5", "next", "stored 5", "next"]);
  });

  test("runs nothing behind a response that the application ends the connection with", async () => {
    const ran: string[] = [];
    const last: Handler = (_req, res) => {
      ran.push("last");
      res.setHeader("Connection", "close");
      res.end("last");
    };
    const count: Handler = (req, res, go) => {
      ran.push("next");
      next(req, res, go);
    };
    const { port } = await startAttached(kind, { routes: { "/last": last, "/next": count } }, { logger: silent });
    const wire = await WireClient.connect(port, { tls: isTlsKind(kind) });
    wire.send(`GET /last HTTP/1.1\r\nHost: test\r\n\r\n${NEXT}${UPLOAD.replace("/files", "/next")}hello${NEXT}`);
    await wire.fin();
    expect(wire.finals.map(({ body }) => body)).toEqual(["last"]);
    expect(ran).toEqual(["last"]);
  });

  test("an upgrade that waits, and that nobody takes up, is answered in its turn", async () => {
    const verdict = asked();
    const ran: string[] = [];
    const wire = await serve(verdict.policy, ran);
    wire.send(`${UPLOAD}hello${UPLOAD.replace("\r\n", "\r\nConnection: upgrade\r\nUpgrade: foo\r\n")}world`);
    await verdict.decide(true);
    await verdict.decide(true);
    await wire.final(2);
    expect(wire.finals.map(({ body }) => body)).toEqual(["stored 5", "stored 5"]);
  });

  test.each([
    ["in the framing", "PUT /files HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked;q=1\r\n\r\nX"],
    ["in the content", "PUT /files HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\nX"],
  ])("garbage %s of a request does not take the place of earlier responses", async (_where, garbage) => {
    const verdict = asked();
    const ran: string[] = [];
    const wire = await serve(verdict.policy, ran);
    wire.send(`${UPLOAD}hello${garbage}`);
    await verdict.decide(true);
    await wire.fin();
    expect(wire.finals.map(({ status }) => status)).toEqual([201, 400]);
    expect(ran).toEqual(["PUT /files"]);
  });

  test("runs nothing behind a refusal, in the same packet or a later one", async () => {
    const ran: string[] = [];
    const wire = await serve(() => refuse(403), ran);
    wire.send(`${UPLOAD}hello${NEXT}${NEXT}`);
    expect((await wire.final()).status).toBe(403);
    wire.send(NEXT, `POST /next HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello${NEXT}`);
    await wire.fin();
    wire.socket.end();
    await wire.closed();
    expect(ran).toEqual([]);
    expect(wire.statuses).toEqual([403]);
  });

  test("runs nothing that was held when the verdict is a refusal", async () => {
    const verdict = asked();
    const ran: string[] = [];
    const wire = await serve(verdict.policy, ran);
    wire.send(`${UPLOAD}hello${NEXT}${NEXT}`);
    await verdict.decide(false);
    expect((await wire.final()).status).toBe(417);
    await wire.fin();
    expect(ran).toEqual([]);
    expect(wire.statuses).toEqual([417]);
  });

  test("destroys a connection with more than 16 requests behind a pending verdict", async () => {
    const verdict = asked();
    const ran: string[] = [];
    const wire = await serve(verdict.policy, ran);
    wire.send(`${UPLOAD}hello${NEXT.repeat(1_000)}`);
    await wire.closed();
    expect(ran).toEqual([]);
    expect(wire.statuses).toEqual([]);
  });

  test("does not begin the next request before the response is done", async () => {
    const ran: string[] = [];
    const wire = await serve(() => true, ran);
    wire.send(`${UPLOAD}hello${NEXT}`);
    await wire.final(2);
    expect(wire.finals.map(({ status }) => status)).toEqual([201, 200]);
  });
});

describe("node:http", () => {
  test("keeps the async context of a held request", async () => {
    const context = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const verdict = asked();
    const guard = expectations({ logger: silent, policies: [verdict.policy] }) as Handler;
    const server = http.createServer(
      plainApp({
        routes: {
          "/files": [guard, store],
          "/next": (_req, res) => {
            seen.push(context.getStore());
            res.end();
          },
        },
      }),
    );
    attach(server, { logger: silent });
    // As a wrapper does that opens a context for each request that Node emits.
    const { emit } = server;
    server.emit = function (this: http.Server, ...args: [string, ...unknown[]]) {
      const pass = () => Reflect.apply(emit, this, args);
      const url = (args[1] as http.IncomingMessage | undefined)?.url ?? args[0];
      return "request checkContinue".includes(args[0]) && context.getStore() === undefined
        ? context.run(url, pass)
        : pass();
    } as typeof server.emit;
    const { port } = await listen(server);
    const wire = await WireClient.connect(port);
    wire.send("PUT /files HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello", NEXT);
    await verdict.decide(true);
    await wire.final(2);
    expect(seen).toEqual(["/next"]);
  });

  test("drops an upgrade behind a pending verdict, and ends the connection behind its response", async () => {
    const verdict = asked();
    const guard = expectations({ logger: silent, policies: [verdict.policy] }) as Handler;
    const server = http.createServer(plainApp({ routes: { "/files": [guard, store] } }));
    let upgrades = 0;
    server.on("upgrade", (_req, socket) => {
      upgrades++;
      socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\n");
    });
    const { port } = await listen(attach(server, { logger: silent }));
    const wire = await WireClient.connect(port);
    wire.send(`${UPLOAD}hello`, "GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n");
    await verdict.wait();
    await verdict.decide(true);
    expect(await wire.final()).toMatchObject({ status: 201, headers: { connection: "close" }, body: "stored 5" });
    await wire.fin();
    expect(upgrades).toBe(0);
    expect(wire.statuses).toEqual([201]);
  });

  test("leaves an upgrade alone where nothing is pending", async () => {
    const server = http.createServer(plainApp({}));
    server.on("upgrade", (_req, socket) => socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
    const { port } = await listen(attach(server, { logger: silent }));
    const wire = await WireClient.connect(port);
    wire.send("GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n");
    await wire.status(101);
  });

  test("bounds memory under 100,000 pipelined requests behind a pending verdict", async () => {
    const verdict = asked();
    let ran = 0;
    const guard = expectations({ logger: silent, policies: [verdict.policy] }) as Handler;
    const count: Handler = (_req, res) => {
      ran++;
      res.end();
    };
    const server = http.createServer(plainApp({ routes: { "/files": [guard, store], "/next": count } }));
    const { port } = await listen(attach(server, { logger: silent }));
    const wire = await WireClient.connect(port);
    const before = process.memoryUsage().heapUsed;
    wire.send(`${UPLOAD}hello${NEXT.repeat(100_000)}`);
    await wire.closed();
    expect(ran).toBe(0);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100 * 2 ** 20);
  });

  test("writes no second status for a request without Host in the same packet, which Node answers by itself", async () => {
    const guard = expectations({ logger: silent, policies: [() => refuse(403)] }) as Handler;
    const server = http.createServer(plainApp({ routes: { "/files": [guard, store] } }));
    const { port } = await listen(attach(server, { logger: silent }));
    const wire = await WireClient.connect(port);
    wire.send(`${UPLOAD}helloPOST /next HTTP/1.1\r\nX: y\r\n\r\n`);
    await wire.final();
    await wire.closed();
    expect(wire.statuses).toEqual([403]);
  });

  test("writes no second status when what follows a refusal is no HTTP", async () => {
    const guard = expectations({ logger: silent, policies: [() => refuse(403)] }) as Handler;
    const server = http.createServer(plainApp({ routes: { "/files": [guard, store] } }));
    const { port } = await listen(attach(server, { logger: silent }));
    const wire = await WireClient.connect(port);
    wire.send(`${UPLOAD}hello`, "garbage garbage\r\n\r\n");
    await wire.final();
    await wire.fin();
    expect(wire.statuses).toEqual([403]);
  });
});

describe("other code that instruments the server", () => {
  const app = plainApp({
    use: [expectations({ logger: silent }) as Handler],
    routes: { "/files": store, "/next": next },
  });

  async function upload(server: http.Server) {
    const { port } = await listen(server);
    const wire = await WireClient.connect(port);
    wire.send(UPLOAD);
    await wire.status(100);
    wire.send("hello");
    await wire.final();
    wire.destroy();
    return wire.statuses;
  }

  // What OpenTelemetry's instrumentation does: a patch of the prototype's `emit` that looks for "request".
  function patchPrototype(seen: string[]) {
    const { emit } = http.Server.prototype;
    http.Server.prototype.emit = function (this: http.Server, ...args: [string, ...unknown[]]) {
      if (args[0] === "request") seen.push((args[1] as http.IncomingMessage).url ?? "");
      return Reflect.apply(emit, this, args);
    } as typeof emit;
    return () => {
      http.Server.prototype.emit = emit;
    };
  }

  test("a patch of the prototype before attach sees each request once", async () => {
    const seen: string[] = [];
    const undo = patchPrototype(seen);
    try {
      expect(await upload(attach(http.createServer(app), { logger: silent }))).toEqual([100, 201]);
      expect(seen).toEqual(["/files"]);
    } finally {
      undo();
    }
  });

  test("a patch of the prototype after attach sees each request once", async () => {
    const server = attach(http.createServer(app), { logger: silent });
    const seen: string[] = [];
    const undo = patchPrototype(seen);
    try {
      expect(await upload(server)).toEqual([100, 201]);
      expect(seen).toEqual(["/files"]);
    } finally {
      undo();
    }
  });

  test("a wrapper on the server after attach sees each request once as request", async () => {
    const server = attach(http.createServer(app), { logger: silent });
    const seen: string[] = [];
    const { emit } = server;
    server.emit = function (this: http.Server, ...args: [string, ...unknown[]]) {
      if (args[0] === "request") seen.push("request");
      return Reflect.apply(emit, this, args);
    } as typeof emit;
    expect(await upload(server)).toEqual([100, 201]);
    expect(seen).toEqual(["request"]);
  });

  test("a request listener added after attach is reached", async () => {
    const server = attach(http.createServer(), { logger: silent });
    server.on("request", app);
    expect(await upload(server)).toEqual([100, 201]);
  });

  test("detach under a later wrapper leaves Node's own behaviour", async () => {
    const server = attach(http.createServer(plainApp({ routes: { "/files": next } })), { logger: silent });
    const { emit } = server;
    const wrapper = function (this: http.Server, ...args: [string, ...unknown[]]) {
      return Reflect.apply(emit, this, args);
    } as typeof emit;
    server.emit = wrapper;
    detach(server);
    expect(server.emit).toBe(wrapper);
    expect(server.listenerCount("checkContinue")).toBe(0);
    const { port } = await listen(server);
    const wire = await WireClient.connect(port);
    wire.send(UPLOAD);
    await wire.status(100);
    await wire.final();
    expect(wire.statuses).toEqual([100, 200]);
  });
});
