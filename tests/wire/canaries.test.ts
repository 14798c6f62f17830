import { EventEmitter } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import * as net from "node:net";
import { Readable } from "node:stream";
import { afterEach, describe, expect, test } from "@jest/globals";
import { expectations, maxSize } from "../../src/index.js";
import { readOnAfterFailedWrite } from "../../src/node/read-on.js";
import { deferred } from "../helpers/deferred.js";
import { closeSessions, exchange, openSession } from "../helpers/http2.js";
import { closeServers, listen, next, recordingLogger, startAttached, store } from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { CHUNKED, PLAIN, UPLOAD, WireClient } from "../helpers/wire.js";

// What src/node and src/handshake/content.ts use of Node without a promise of Node's. These tests use Node alone: one
// that fails on a new version says which of them has changed.

type Internals = http.IncomingMessage & { complete: boolean };
type Listener = (req: Internals, res: http.ServerResponse) => void;

afterEach(closeSessions);
afterEach(closeServers);

const bare = (listener: Listener, event = "request") => {
  const server = http.createServer();
  server.on("request", listener);
  if (event !== "request") server.on(event, listener);
  return listen(server);
};

describe("canary", () => {
  test("_read is called when somebody reads, and not before", async () => {
    let reads = 0;
    const readsBefore: number[] = [];
    const { port } = await bare((req, res) => {
      const { _read } = req;
      req._read = function (size) {
        reads++;
        _read.call(this, size);
      };
      setImmediate(() => {
        readsBefore.push(reads);
        store(req, res, () => {});
      });
    });
    const client = await WireClient.connect(port);
    client.send(CHUNKED);
    await until("a read", () => reads > 0);
    client.send("5\r\nhello\r\n0\r\n\r\n");
    await client.status(201);
    expect(readsBefore).toEqual([0]);
  });

  test("an emitter keeps its listeners in _events, and their number in _eventsCount", () => {
    const emitter = new EventEmitter() as EventEmitter & { _events: Record<string, unknown>; _eventsCount: number };
    const [close, end] = [() => {}, () => {}];
    emitter.on("close", close);
    emitter.on("end", end);
    expect(emitter._events).toMatchObject({ close, end });
    expect(emitter._eventsCount).toBe(2);
    // Where only a view's copy is counted, Node drops what is left.
    emitter._eventsCount = 1;
    emitter.off("close", close);
    expect(emitter.listenerCount("end")).toBe(0);
  });

  test("push gets every piece of content, and null at the end", async () => {
    const pieces: (string | null)[] = [];
    const { port } = await bare((req, res) => {
      const { push } = req;
      req.push = function (chunk: Buffer | null) {
        pieces.push(chunk === null ? null : chunk.toString());
        return push.call(this, chunk);
      };
      store(req, res, () => {});
    });
    const client = await WireClient.connect(port);
    client.send(CHUNKED, "5\r\nhello\r\n", "5\r\nworld\r\n0\r\n\r\n");
    expect((await client.status(201)).body).toBe("stored 10");
    expect(pieces.slice(0, -1).join("")).toBe("helloworld");
    expect(pieces.at(-1)).toBeNull();
  });

  test("push and _read carry the content of HTTP/2 as well", async () => {
    let received = "";
    let reads = 0;
    const server = http2.createServer((req, res) => {
      const { push, _read } = req;
      req.push = function (chunk: Buffer | null) {
        received += chunk ?? "";
        return push.call(this, chunk);
      };
      req._read = function (size) {
        reads++;
        _read.call(this, size);
      };
      store(req as never, res as never, () => {});
    });
    const session = await openSession(await listen(server));
    await exchange(session, { ":method": "PUT", ":path": "/" }, { content: "hello", sendAtOnce: true });
    expect(received).toBe("hello");
    expect(reads).toBeGreaterThan(0);
  });

  test("_destroy decides whether the socket ends with the request", async () => {
    const { port } = await bare((req, res) => {
      req._destroy = (_error, done) => done(null);
      req.on("close", () => res.end("still here"));
      req.destroy(new Error("cut off"));
    });
    const client = await WireClient.connect(port);
    client.send(PLAIN);
    expect((await client.status(200)).body).toBe("still here");
  });

  test("a request that is complete ends by push(null) and leaves its socket open", async () => {
    const { port } = await bare((req, res) => {
      req.complete = true;
      req.push(null);
      req.resume();
      req.on("close", () => res.end("ended"));
    });
    const client = await WireClient.connect(port);
    client.send(PLAIN);
    expect((await client.status(200)).body).toBe("ended");
  });

  test("a request that is not complete takes its socket with it when it ends by push(null)", async () => {
    const { port } = await bare((req, res) => {
      req.push(null);
      req.resume();
      req.on("close", () => res.end("ended"));
    });
    const client = await WireClient.connect(port);
    client.send(PLAIN);
    await client.closed();
    expect(client.text).toBe("");
  });

  test("_headerSent is false for a head that is prepared, and true when it is on the wire", async () => {
    const seen: unknown[] = [];
    const { port } = await bare((_req, res) => {
      const look = () => seen.push([res.headersSent, (res as unknown as { _headerSent: boolean })._headerSent]);
      look();
      res.writeHead(200);
      look();
      res.flushHeaders();
      look();
      res.end();
    });
    const client = await WireClient.connect(port);
    client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    await client.status(200);
    expect(seen).toEqual([
      [false, false],
      [true, false],
      [true, true],
    ]);
  });

  test("_last and _httpMessage tell that the response on the wire is the last one", async () => {
    const seen: unknown[] = [];
    const { port } = await bare((req, res) => {
      const { socket } = req;
      const look = () => {
        const current = (socket as { _httpMessage?: { _last: boolean; _headerSent: boolean } | null })._httpMessage;
        seen.push([current === (res as unknown), current?._last, current?._headerSent]);
      };
      look();
      if (req.url === "/last") res.setHeader("Connection", "close");
      res.flushHeaders();
      look();
      res.end();
    });
    const client = await WireClient.connect(port);
    client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    await client.final(1);
    client.send("GET /last HTTP/1.1\r\nHost: test\r\n\r\n");
    await client.final(2);
    expect(seen).toEqual([
      [true, false, false],
      [true, false, true],
      [true, false, false],
      [true, true, true],
    ]);
  });

  test("_sent100 tells of a 100 that Node has sent", async () => {
    const seen: unknown[] = [];
    const { port } = await bare((req, res) => {
      seen.push((res as unknown as { _sent100: boolean })._sent100);
      store(req, res, () => {});
    });
    const client = await WireClient.connect(port);
    client.send(UPLOAD);
    await client.status(100);
    client.send("hello");
    await client.status(201);
    client.send("PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello");
    await client.until("two responses", () => client.finals.length === 2);
    expect(seen).toEqual([true, false]);
  });

  test.each([
    [true, "close"],
    [false, undefined],
  ])("_expect_continue %s makes a final status without a 100 say Connection: %s", async (isOn, connection) => {
    const { port } = await bare((_req, res) => {
      const internals = res as unknown as { _expect_continue: boolean };
      expect(internals._expect_continue).toBe(true);
      internals._expect_continue = isOn;
      res.end("final");
    }, "checkContinue");
    const client = await WireClient.connect(port);
    client.send(UPLOAD);
    const { headers } = await client.status(200);
    expect(headers.connection === "close" ? "close" : undefined).toBe(connection);
  });

  test("destroySoon is called after the last response of a connection, and not before", async () => {
    const calls: string[] = [];
    const { port } = await bare((req, res) => {
      const { socket } = req;
      socket.destroySoon = function (this: net.Socket) {
        calls.push(res.writableFinished ? "finished" : "early");
        this.destroy();
      };
      if (req.url === "/last") res.setHeader("Connection", "close");
      res.end(req.url);
    });
    const client = await WireClient.connect(port);
    client.send("GET /first HTTP/1.1\r\nHost: test\r\n\r\n");
    await client.status(200);
    expect(calls).toEqual([]);
    client.send("GET /last HTTP/1.1\r\nHost: test\r\n\r\n");
    await client.closed();
    expect(calls).toEqual(["finished"]);
  });

  test("the parser is a listener of data and end as soon as somebody else listens for data", async () => {
    let parsed = 0;
    const { port } = await bare((req, res) => {
      parsed++;
      const { socket } = req;
      const parsers = socket.listeners("data") as (() => void)[];
      socket.on("data", () => {});
      for (const parser of parsers) socket.off("data", parser);
      res.end("first");
    });
    const client = await WireClient.connect(port);
    client.send("GET /1 HTTP/1.1\r\nHost: test\r\n\r\n");
    await client.status(200);
    client.send("GET /2 HTTP/1.1\r\nHost: test\r\n\r\n", "GET /3 HTTP/1.1\r\nHost: test\r\n\r\n");
    client.socket.end();
    await client.until("the server's end", () => client.hasFin || client.isClosed);
    expect(parsed).toBe(1);
  });

  test("the first read of an HTTP/2 request adds onStreamData to its stream", async () => {
    const names: string[][] = [];
    const server = http2.createServer((req, res) => {
      const look = () => names.push(req.stream.listeners("data").map(({ name }) => name));
      look();
      req.on("data", () => {});
      req.on("end", () => {
        look();
        res.end("");
      });
    });
    const session = await openSession(await listen(server));
    await exchange(session, { ":method": "PUT", ":path": "/" }, { content: "hello", sendAtOnce: true });
    expect(names).toEqual([[], ["onStreamData"]]);
  });

  test("end() of Node's own classes ends a response, whatever is in front of it", async () => {
    const { port } = await bare((_req, res) => {
      res.end = () => {
        throw new Error("no end");
      };
      Reflect.apply(http.OutgoingMessage.prototype.end, res, ["ended"]);
    });
    const client = await WireClient.connect(port);
    client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    expect((await client.status(200)).body).toBe("ended");

    const server = http2.createServer((_req, res) => {
      Reflect.apply(http2.Http2ServerResponse.prototype.end, res, ["ended"]);
    });
    const session = await openSession(await listen(server));
    expect(await exchange(session, { ":path": "/" })).toMatchObject({ status: 200, body: "ended" });
  });

  test("writeQueueSize shrinks while a client takes a large write", async () => {
    let socket: (net.Socket & { _handle?: { writeQueueSize: number } }) | undefined;
    const { port } = await bare((req, res) => {
      socket = req.socket;
      res.end(Buffer.alloc(64 * 2 ** 20));
    });
    const client = await WireClient.connect(port);
    client.socket.pause();
    client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    const size = () => socket?._handle?.writeQueueSize ?? 0;
    await until("the write waits", () => size() > 2 ** 20);
    const before = size();
    client.socket.resume();
    await until("the client has taken some of it", () => size() < before);
  });

  test("server hangs on each socket and on each session of HTTP/2", async () => {
    const seen: unknown[] = [];
    const { port, server } = await bare((req, res) => {
      seen.push((req.socket as unknown as { server: unknown }).server);
      res.end();
    });
    const client = await WireClient.connect(port);
    client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    await client.status(200);
    expect(seen).toEqual([server]);

    const http2Server = http2.createServer((req, res) => {
      seen.push((req.stream.session as unknown as { server: unknown }).server);
      res.end("");
    });
    const session = await openSession(await listen(http2Server));
    await exchange(session, { ":method": "GET", ":path": "/" });
    expect(seen).toEqual([server, http2Server]);
  });

  test("the listener methods of a session's socket return the socket itself", async () => {
    const server = http2.createServer((_req, res) => res.end(""));
    const accepted: unknown[] = [];
    const returned: unknown[] = [];
    server.on("connection", (socket) => accepted.push(socket));
    server.on("session", ({ socket }) => returned.push(socket.off("close", () => {})));
    const session = await openSession(await listen(server));
    await exchange(session, { ":method": "GET", ":path": "/" });
    expect(returned).toEqual(accepted);
    expect(returned[0]).toBe(accepted[0]);
  });
});

describe("content that does not pass our push", () => {
  test("is told once in the log, since limits have not counted it", async () => {
    const logger = recordingLogger();
    const guard = expectations({ logger, policies: [maxSize(1000)] });
    const passBy: Listener = (req) => {
      // The prototype's own: nothing is counted any more.
      req.push = Readable.prototype.push;
    };
    const running = await startAttached(
      "node:http",
      {
        use: [
          guard as never,
          (req, _res, done) => {
            passBy(req as Internals, _res);
            done();
          },
        ],
        routes: { "/files": store },
      },
      { logger },
    );
    const upload = async () => {
      const client = await WireClient.connect(running.port);
      client.send(UPLOAD);
      await client.status(100);
      client.send("hello");
      await client.status(201);
    };
    await upload();
    await until("the record", () => logger.records.length > 0);
    await upload();
    expect(logger.records).toEqual([
      expect.objectContaining({ level: "error", message: expect.stringContaining("limits do not count") }),
    ]);
  });

  test("is nothing to tell of where a read is discarded, or the content was read before the guard", async () => {
    const logger = recordingLogger();
    const guard = expectations({ logger, policies: [maxSize(1000)] });
    const running = await startAttached(
      "node:http",
      {
        routes: {
          "/discard": [
            guard as never,
            (req, res) => {
              req.resume();
              req.on("end", () => next(req, res, () => {}));
            },
          ],
          "/whole": [guard as never, store],
        },
      },
      { logger },
    );
    for (const path of ["/discard", "/whole"]) {
      const client = await WireClient.connect(running.port);
      client.send(`PUT ${path} HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`);
      if (path === "/whole") client.send("hello");
      await client.until("a final response", () => client.finals.length === 1);
      client.socket.end();
      await client.closed();
    }
    expect(logger.records).toEqual([]);
  });
});

test.each([
  [false, ""],
  [true, "the response"],
])("a socket whose write has failed drops what it reads, unless it is let read on (%s)", async (readsOn, expected) => {
  const reset = deferred();
  const server = net.createServer((socket) => {
    socket.on("error", () => {});
    // Unread content turns the end of the connection into a reset.
    socket.once("readable", () =>
      socket.write("the response", () => socket.once("close", reset.resolve).resetAndDestroy()),
    );
  });
  const { port } = await listen(server as unknown as http.Server);
  const socket = net.connect(port, "127.0.0.1");
  if (readsOn) readOnAfterFailedWrite(socket);
  const closed = new Promise<unknown>((resolve) => socket.once("error", resolve));
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk;
  });
  socket.write("content");
  await reset.promise;
  // Before the event loop gets to the response, which has arrived.
  socket.write("more");
  expect(await closed).toMatchObject({ syscall: "write" });
  expect(text).toBe(expected);
});
