import { once } from "node:events";
import * as http2 from "node:http2";
import { afterEach, describe, expect, test } from "@jest/globals";
import { attach, expectations, maxSize, refuse, silent } from "../../src/index.js";
import { deferred } from "../helpers/deferred.js";
import { closeSessions, exchange, openSession } from "../helpers/http2.js";
import { closeServers, type Handler, listen, recordingLogger } from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { keptEnds, pendingPolicy } from "../helpers/verdict.js";

// Content that is read from the stream itself, past its request, and responses that go out past `res`.

afterEach(closeSessions);
afterEach(closeServers);

const PUT = { ":method": "PUT", ":path": "/files" };
const EXPECTING = { ...PUT, expect: "100-continue" };
type Attached = Parameters<typeof attach>[1];
type Read = (stream: http2.ServerHttp2Stream, done: (bytes: number) => void) => void;

const READERS: Record<string, Read> = {
  data: (stream, done) => {
    let bytes = 0;
    stream.on("data", (piece: Buffer) => {
      bytes += piece.length;
    });
    stream.on("end", () => done(bytes));
  },
  readable: (stream, done) => {
    let bytes = 0;
    stream.on("readable", () => {
      for (let piece = stream.read(); piece !== null; piece = stream.read()) bytes += piece.length;
    });
    stream.on("end", () => done(bytes));
  },
  "for await": async (stream, done) => {
    let bytes = 0;
    try {
      for await (const piece of stream) bytes += piece.length;
      done(bytes);
    } catch {
      // The test looks at the stream's own error.
    }
  },
};

/** Servers whose application reads the stream and answers by the response, or by the stream. */
const SERVERS: Record<string, (read: Read, errors: string[], guard: Handler, options: Attached) => http2.Http2Server> =
  {
    "req.stream": (read, errors, guard, options) => {
      const server = http2.createServer((req, res) => {
        guard(req as never, res as never, () => {
          req.stream.on("error", (error: NodeJS.ErrnoException) => errors.push(String(error.code)));
          read(req.stream, (bytes) => void res.end(`stored ${bytes}`));
        });
      });
      return attach(server, options);
    },
    "a stream listener": (read, errors, guard, options) => {
      const server = http2.createServer();
      server.on("stream", (stream: http2.ServerHttp2Stream) => {
        stream.on("error", (error: NodeJS.ErrnoException) => errors.push(String(error.code)));
        read(stream, (bytes) => {
          stream.respond({ ":status": 200 });
          stream.end(`stored ${bytes}`);
        });
      });
      return attach(server, { ...options, guard: guard as never });
    },
  };

describe.each(Object.keys(SERVERS))("%s", (kind) => {
  const serve = async (read: Read, policies: Parameters<typeof expectations>[0] = {}, options: Attached = {}) => {
    const errors: string[] = [];
    const guard = expectations({ logger: silent, policies: [maxSize(100_000)], ...policies }) as Handler;
    const server = (SERVERS[kind] as (typeof SERVERS)[string])(read, errors, guard, { logger: silent, ...options });
    const session = await openSession(await listen(server));
    return { session, errors };
  };

  describe.each(Object.entries(READERS))("read by %s", (_name, read) => {
    test("gets its 100, and the content", async () => {
      const { session } = await serve(read);
      const answer = await exchange(session, EXPECTING, { content: "hello" });
      expect(answer).toMatchObject({ status: 200, body: "stored 5", hasContinue: true });
    });

    test("is cut off at a limit: the client gets 413, the reader an error", async () => {
      const { session, errors } = await serve(read);
      const stream = session.request(PUT, { endStream: false });
      stream.on("error", () => {});
      const responded = once(stream, "response");
      stream.write(Buffer.alloc(60_000));
      stream.write(Buffer.alloc(60_000));
      const [head] = (await responded) as [{ ":status": number }];
      expect(head[":status"]).toBe(413);
      await until("the reader is told", () => errors.length > 0);
      expect(errors).toEqual(["ERR_EXPECT_LIMIT"]);
    });

    test("that waits for content which never comes ends by bodyTimeoutMs", async () => {
      const { session, errors } = await serve(read, {}, { bodyTimeoutMs: 100 });
      const stream = session.request(EXPECTING, { endStream: false });
      stream.on("error", () => {});
      const [head] = (await once(stream, "response")) as [{ ":status": number }];
      expect(head[":status"]).toBe(408);
      await until("the reader is told", () => errors.length > 0);
      expect(errors).toEqual(["ERR_EXPECT_BODY_TIMEOUT"]);
    });
  });

  test("is refused before it is read", async () => {
    let hasRun = false;
    const { session } = await serve(
      () => {
        hasRun = true;
      },
      { policies: [() => refuse(403)] },
    );
    const answer = await exchange(session, EXPECTING);
    expect(answer).toMatchObject({ status: 403, hasContinue: false });
    expect(hasRun).toBe(false);
  });

  test("tells policies once how it ended", async () => {
    const { ends, policy } = keptEnds();
    const { session } = await serve(READERS.data as Read, {
      policies: [policy],
    });
    await exchange(session, PUT, { content: "hello", sendAtOnce: true });
    await until("it has ended", () => ends.length > 0);
    expect(ends).toEqual([{ status: 200, isRefused: false, isWhole: true }]);
  });
});

test.each([
  ["before the response", false],
  ["behind the response", true],
])(
  "a client that resets its stream in the middle of the content, %s, has not sent all of it",
  async (_when, isEarly) => {
    const { ends, policy } = keptEnds();
    const judged = deferred();
    const guard = expectations({
      logger: silent,
      policies: [policy],
    }) as Handler;
    const server = http2.createServer((req, res) => {
      guard(req as never, res as never, () => {
        req.on("data", () => judged.resolve());
        if (isEarly) res.end("early");
      });
    });
    const session = await openSession(await listen(attach(server, { logger: silent })));
    const stream = session.request({ ...PUT, "content-length": 10 }, { endStream: false });
    stream.on("error", () => {});
    if (isEarly) await once(stream, "response");
    stream.write("hello");
    await judged.promise;
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await until("it has ended", () => ends.length > 0);
    expect(ends).toMatchObject([{ isRefused: false, isWhole: false }]);
  },
);

test("a limit that is passed behind a response of the stream leaves that response whole", async () => {
  const guard = expectations({ logger: silent, policies: [maxSize(3)] }) as Handler;
  const server = http2.createServer((req, res) => {
    guard(req as never, res as never, () => {
      req.on("data", () => {}).on("error", () => {});
      res.stream.respond({ ":status": 201 });
      res.stream.end("done");
    });
  });
  const session = await openSession(await listen(attach(server, { logger: silent })));
  const stream = session.request(EXPECTING, { endStream: false });
  let body = "";
  stream.setEncoding("latin1").on("data", (text: string) => {
    body += text;
  });
  stream.end("x".repeat(150_000));
  await once(stream, "close");
  expect({ body, rstCode: stream.rstCode }).toEqual({ body: "done", rstCode: http2.constants.NGHTTP2_NO_ERROR });
});

// Node 22 and 26 abort the process if such a stream is closed within the read.
test("a response that has begun is cut off when a limit is passed by the last piece of content", async () => {
  const guard = expectations({ logger: silent, policies: [maxSize(3)] }) as Handler;
  const server = http2.createServer((req, res) => {
    guard(req as never, res as never, () => {
      res.writeHead(200);
      READERS["for await"]?.(req.stream, () => {});
    });
  });
  const session = await openSession(await listen(attach(server, { logger: silent })));
  for (let i = 0; i < 10; i++) {
    const stream = session.request(EXPECTING, { endStream: false });
    stream.on("error", () => {});
    stream.resume().end("hello");
    await once(stream, "close");
    expect(stream.rstCode).toBe(http2.constants.NGHTTP2_CANCEL);
  }
});

test("content of another length than the declared one is not whole", async () => {
  const { ends, policy } = keptEnds();
  const guard = expectations({
    logger: silent,
    policies: [policy],
  }) as Handler;
  const server = http2.createServer((req, res) => {
    guard(req as never, res as never, () => req.on("data", () => {}).on("error", () => {}));
  });
  const session = await openSession(await listen(attach(server, { logger: silent })));
  const stream = session.request({ ...PUT, "content-length": 10 }, { endStream: false });
  stream.on("error", () => {});
  stream.end("hello");
  await until("it has ended", () => ends.length > 0);
  expect(ends).toMatchObject([{ isRefused: false, isWhole: false }]);
});

test("a stream listener answers a GET as without this package", async () => {
  const server = http2.createServer();
  server.on("stream", (stream: http2.ServerHttp2Stream, fields) => {
    stream.respond({ ":status": 200 });
    stream.end(`got ${fields[":path"]}`);
  });
  const session = await openSession(await listen(attach(server, { logger: silent })));
  expect(await exchange(session, { ":path": "/page" })).toMatchObject({ status: 200, body: "got /page" });
});

test("a stream that is answered before its content is read is closed without an error", async () => {
  const server = http2.createServer();
  server.on("stream", (stream: http2.ServerHttp2Stream) => {
    stream.respond({ ":status": 404 });
    stream.end("not found");
  });
  const session = await openSession(await listen(attach(server, { logger: silent })));
  const stream = session.request(PUT, { endStream: false });
  stream.on("error", () => {});
  stream.resume();
  await once(stream, "close");
  expect(stream.rstCode).toBe(http2.constants.NGHTTP2_NO_ERROR);
});

test("additionalHeaders() writes no second 100, and none before the verdict", async () => {
  let decide = (_isAccepted: boolean) => {};
  const judged = deferred();
  const slow = () =>
    new Promise<boolean>((resolve) => {
      decide = resolve;
      judged.resolve();
    });
  const guard = expectations({ logger: silent, policies: [slow] });
  const server = http2.createServer((req, res) => {
    guard(req as never, res as never, () => {
      req.stream.additionalHeaders({ ":status": 100 });
      req.on("data", () => {});
      req.on("end", () => void res.end("done"));
    });
    req.stream.additionalHeaders({ ":status": 100 });
  });
  const session = await openSession(await listen(attach(server, { logger: silent })));
  const stream = session.request(EXPECTING, { endStream: false });
  const interim: unknown[] = [];
  stream.on("headers", (fields) => interim.push(fields[":status"]));
  await judged.promise;
  await new Promise((resolve) => session.ping(resolve));
  expect(interim).toEqual([]);
  decide(true);
  await until("the 100", () => interim.length > 0);
  stream.end("hello");
  const [head] = (await once(stream, "response")) as [{ ":status": number }];
  expect(head[":status"]).toBe(200);
  expect(interim).toEqual([100]);
});

test("additionalHeaders() writes other statuses, but none behind a refusal", async () => {
  const { policy, decide } = pendingPolicy();
  const guard = expectations({ logger: silent, policies: [policy] });
  const server = http2.createServer((req, res) => {
    guard(req as never, res as never, () => {});
    req.stream.additionalHeaders({ ":status": 103, link: "</a.css>; rel=preload" });
    decide(false);
    res.on("finish", () => req.stream.additionalHeaders({ ":status": 103 }));
  });
  const session = await openSession(await listen(attach(server, { logger: silent })));
  const stream = session.request(EXPECTING, { endStream: false });
  const interim: unknown[] = [];
  stream.on("headers", (fields) => interim.push(fields[":status"]));
  stream.resume();
  const [head] = (await once(stream, "response")) as [{ ":status": number }];
  await once(stream, "close");
  expect([interim, head[":status"]]).toEqual([[103], 417]);
});

test("policies are told the status that the stream itself has sent", async () => {
  const { ends, policy } = keptEnds();
  const guard = expectations({ logger: silent, policies: [policy] }) as Handler;
  const server = http2.createServer((req, res) => {
    guard(req as never, res as never, () => {
      req.stream.respond({ ":status": 409 });
      req.stream.end();
    });
  });
  const session = await openSession(await listen(attach(server, { logger: silent })));
  await exchange(session, EXPECTING);
  await until("it has ended", () => ends.length > 0);
  expect(ends).toMatchObject([{ status: 409, isRefused: false, isWhole: false }]);
});

describe("refused streams", () => {
  const serve = async (options: Attached = {}) => {
    const guard = expectations({ logger: silent, policies: [() => refuse(413)] });
    const server = http2.createServer((req, res) => guard(req as never, res as never, () => void res.end()));
    let open = 0;
    let mostWaiting = 0;
    const waiting = new Set<http2.ServerHttp2Stream>();
    server.on("stream", (stream: http2.ServerHttp2Stream) => {
      open++;
      stream.on("close", () => {
        open--;
        waiting.delete(stream);
      });
      stream.on("finish", () => {
        waiting.add(stream);
        const count = () => [...waiting].filter(({ closed }) => !closed).length;
        queueMicrotask(() => {
          mostWaiting = Math.max(mostWaiting, count());
        });
      });
    });
    const running = await listen(attach(server, { logger: silent, ...options }));
    return { session: await openSession(running), open: () => open, mostWaiting: () => mostWaiting };
  };

  const flood = (session: http2.ClientHttp2Session, count: number) =>
    Promise.all(
      Array.from({ length: count }, async () => {
        const stream = session.request(PUT, { endStream: false });
        stream.on("error", () => {});
        stream.resume();
        const [head] = (await once(stream, "response")) as [{ ":status": number }];
        await once(stream, "close");
        return head[":status"];
      }),
    );

  test("are closed as soon as their client has seen the refusals, thousands on one session", async () => {
    const { session, open } = await serve();
    const startedAt = performance.now();
    const statuses: number[] = [];
    for (let i = 0; i < 20; i++) statuses.push(...(await flood(session, 100)));
    expect(statuses.every((status) => status === 413)).toBe(true);
    // 20 turns: the timer behind the PING alone would need a second for each.
    expect(performance.now() - startedAt).toBeLessThan(15_000);
    await until("all are closed", () => open() === 0);
  });

  test("that wait for their client are bounded by maxLingering", async () => {
    const { session, open, mostWaiting } = await serve({ maxLingering: 5 });
    await flood(session, 100);
    expect(mostWaiting()).toBeGreaterThan(1);
    expect(mostWaiting()).toBeLessThanOrEqual(5);
    await until("all are closed", () => open() === 0);
  });
});

test("a read that comes behind the head of the response gets what comes, on HTTP/2 as well", async () => {
  const logger = recordingLogger();
  const server = http2.createServer((req, res) => {
    res.writeHead(200);
    res.write("begun ");
    setImmediate(() => {
      let bytes = 0;
      req.on("data", (piece: Buffer) => {
        bytes += piece.length;
      });
      req.on("end", () => void res.end(`stored ${bytes}`));
    });
  });
  const session = await openSession(await listen(attach(server, { logger })));
  const stream = session.request(EXPECTING, { endStream: false });
  let body = "";
  stream.setEncoding("utf8").on("data", (text) => {
    body += text;
  });
  await once(stream, "response");
  stream.end("hello");
  await once(stream, "close");
  expect(body).toBe("begun stored 5");
  expect(logger.records).toEqual([]);
});
