import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { constants } from "node:http2";
import { pipeline, Writable } from "node:stream";
import { afterEach, describe, expect, test } from "@jest/globals";
import { expectations, maxSize, silent } from "../../src/index.js";
import { deadline } from "../helpers/deadline.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { closeSessions, exchange, openSession } from "../helpers/http2.js";
import { closeServers, type Handler, HTTP1_KINDS, isTlsKind, next, startAttached } from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { WireClient } from "../helpers/wire.js";

expectNothingDeadly();
afterEach(closeSessions);
afterEach(closeServers);

const head = (rest: string) => `PUT /files HTTP/1.1\r\nHost: test\r\n${rest}\r\n`;
const EXPECT = "Expect: 100-continue\r\n";

const fullDisk = () =>
  new Writable({
    write(_chunk, _encoding, done) {
      done(new Error("no space left"));
    },
  });

async function firstPiece(req: IncomingMessage): Promise<string> {
  for await (const piece of req) return String(piece);
  return "";
}

/** Readers that give up before the content has come to its end. */
const readers: [string, (req: IncomingMessage, res: ServerResponse) => void][] = [
  [
    "a `for await` that is left",
    async (req, res) => {
      res.end(`begins with ${await firstPiece(req)}`);
    },
  ],
  [
    "a `for await` that is left, behind the head",
    async (req, res) => {
      res.writeHead(200);
      res.write("begins with ");
      res.end(await firstPiece(req));
    },
  ],
  [
    "a pipeline that fails",
    (req, res) =>
      void pipeline(req, fullDisk(), (error) => {
        res.statusCode = 500;
        res.end(error?.message);
      }),
  ],
];

describe.each(HTTP1_KINDS)("%s", (kind) => {
  async function connect(handler: Handler, options = {}) {
    const guard = expectations({ logger: silent, policies: [maxSize("1mb")] }) as Handler;
    const routes = { "/files": handler, "/next": next };
    const { port } = await startAttached(kind, { use: [guard], routes }, { logger: silent, ...options });
    return WireClient.connect(port, { tls: isTlsKind(kind) });
  }

  describe.each(readers)("%s", (name, reader) => {
    const status = name.startsWith("a pipeline") ? 500 : 200;

    test.each([
      ["whole", 5],
      ["in part", 50],
    ])("is answered where the content has come %s", async (_how, length) => {
      const wire = await connect(reader);
      wire.send(`${head(`Content-Length: ${length}\r\n`)}hello`);
      expect((await wire.final()).status).toBe(status);
    });

    // Behind a head that is on the wire no 100 may follow.
    if (name.endsWith("behind the head")) return;
    test("is answered by itself when nothing more comes", async () => {
      const bodyTimeoutMs = deadline(60);
      const later: Handler = (req, res) => {
        const { end } = res;
        res.end = ((...args: unknown[]) => {
          setTimeout(() => Reflect.apply(end, res, args), 3 * bodyTimeoutMs);
          return res;
        }) as typeof res.end;
        reader(req, res);
      };
      const wire = await connect(later, { bodyTimeoutMs });
      wire.send(head(`${EXPECT}Content-Length: 50\r\n`));
      await wire.status(100);
      wire.send("hello");
      expect((await wire.final()).status).toBe(status);
    });
  });

  test("a reader that is at work behind its own 422 is told when the connection has ended", async () => {
    let code: string | undefined;
    const wire = await connect((req, res) => {
      req.on("data", () => {
        if (res.headersSent) return;
        res.statusCode = 422;
        res.end("no");
      });
      req.on("error", (error: NodeJS.ErrnoException) => {
        code = error.code;
      });
    });
    wire.send(`${head("Content-Length: 100000\r\n")}hello`);
    expect(await wire.final()).toMatchObject({ status: 422, body: "no", headers: { connection: "close" } });
    expect(code).toBeUndefined();
    wire.socket.end();
    await until("the reader is told", () => code !== undefined);
    expect(code).toBe("ERR_EXPECT_TOO_LATE");
  });

  test("a reader that listens before the head goes out gets the content, and the client its 100", async () => {
    const wire = await connect((req, res) => {
      req.on("data", (piece) => res.write(piece));
      req.on("end", () => res.end(" stored"));
      res.write("receiving ");
    });
    wire.send(head(`${EXPECT}Content-Length: 5\r\n`));
    await wire.status(100);
    wire.send("hello");
    expect((await wire.final()).body).toContain("stored");
    expect(wire.statuses).toEqual([100, 200]);
  });

  test("content that is cut off is aborted for those who tidy up at that, behind the error", async () => {
    const events: string[] = [];
    const wire = await connect((req) => {
      req.on("error", (error: NodeJS.ErrnoException) => events.push(String(error.code)));
      req.on("aborted", () => events.push("aborted"));
      req.resume().on("data", () => {});
    });
    wire.send(head("Transfer-Encoding: chunked\r\n"));
    wire.send(`200000\r\n${"x".repeat(0x200000)}\r\n`);
    expect((await wire.final()).status).toBe(413);
    await until("it is aborted", () => events.length === 2);
    expect(events).toEqual(["ERR_EXPECT_LIMIT", "aborted"]);
  });

  test("an upload that is pipelined behind another is judged while the first one still has its place", async () => {
    let places = 1;
    const guard = expectations({
      logger: silent,
      policies: [
        (_req, { onClose }) => {
          if (places === 0) return false;
          places--;
          onClose(() => places++);
          return true;
        },
      ],
    }) as Handler;
    const answer: Handler = (req, res) => void req.resume().on("end", () => setImmediate(() => res.end("done")));
    const { port } = await startAttached(kind, { routes: { "/files": [guard, answer] } }, { logger: silent });
    const wire = await WireClient.connect(port, { tls: isTlsKind(kind) });
    const upload = `${head("Content-Length: 5\r\n")}hello`;
    wire.send(upload + upload);
    await wire.final(2);
    expect(wire.statuses).toEqual([200, 403]);
  });

  test("garbage behind a whole request leaves one listener, however much of it comes", async () => {
    let finish = () => {};
    let listeners = 0;
    const wire = await connect((req, res) => {
      const { socket } = req;
      const before = socket.listenerCount("end");
      req.resume();
      finish = () => {
        listeners = socket.listenerCount("end") - before;
        res.end("done");
      };
    });
    wire.send(`${head("Content-Length: 5\r\n")}hello`);
    for (let i = 0; i < 20; i++) {
      wire.send("#garbage\r\n\r\n");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    finish();
    expect((await wire.final()).status).toBe(200);
    expect(listeners).toBeLessThanOrEqual(1);
  });
});

describe.each(["h2c", "h2"] as const)("%s", (kind) => {
  async function open(handler: Handler) {
    const guard = expectations({ logger: silent, policies: [maxSize("1mb")] }) as Handler;
    const running = await startAttached(kind, { use: [guard], routes: { "/files": handler } }, { logger: silent });
    return openSession(running);
  }
  const fields = { ":method": "PUT", ":path": "/files" };

  test("a reader that is at work behind its own 422 gets no end that looks like one", async () => {
    const events: string[] = [];
    const session = await open((req, res) => {
      req.on("data", () => {
        if (res.headersSent) return;
        res.statusCode = 422;
        res.end("no");
      });
      req.on("error", (error: NodeJS.ErrnoException) => events.push(String(error.code)));
      req.on("end", () => events.push("end"));
    });
    const stream = session.request({ ...fields, "content-length": "50" }, { endStream: false });
    stream.on("error", () => {});
    stream.resume().write("hello");
    await once(stream, "close");
    expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
    await until("the reader is told", () => events.length > 0);
    expect(events).toEqual(["ERR_EXPECT_TOO_LATE"]);
  });

  test("a reader that listens before the head goes out gets the content, and the client its 100", async () => {
    const session = await open((req, res) => {
      req.on("data", (piece) => res.write(piece));
      req.on("end", () => res.end(" stored"));
      res.write("receiving ");
    });
    const answer = await exchange(session, { ...fields, expect: "100-continue" }, { content: "hello" });
    expect(answer).toMatchObject({ status: 200, hasContinue: true, body: "receiving hello stored" });
  });

  test("the stream of a refused HEAD is closed", async () => {
    const session = await open(next);
    const request = { ":method": "HEAD", ":path": "/files", "content-length": "2000000", expect: "100-continue" };
    const stream = session.request(request, { endStream: false });
    stream.on("error", () => {});
    stream.resume();
    const [response] = (await once(stream, "response")) as [{ ":status": number }];
    expect(response[":status"]).toBe(413);
    await once(stream, "close");
    expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
  });
});
