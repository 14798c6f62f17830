import { once } from "node:events";
import { constants } from "node:http2";
import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { expectations, refuse, silent } from "../../src/index.js";
import { stopTheClock } from "../helpers/clock.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { deferred } from "../helpers/deferred.js";
import { closeSessions, exchange, openSession } from "../helpers/http2.js";
import {
  closeServers,
  type Handler,
  HTTP1_KINDS,
  HTTP2_KINDS,
  isTlsKind,
  next,
  recordingLogger,
  startAttached,
} from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { WireClient } from "../helpers/wire.js";

expectNothingDeadly();
afterEach(() => void jest.useRealTimers());
afterEach(closeSessions);
afterEach(closeServers);

const head = (rest: string) => `PUT /files HTTP/1.1\r\nHost: test\r\n${rest}Content-Length: 5\r\n\r\n`;
const EXPECT = "Expect: 100-continue\r\n";

describe.each(HTTP1_KINDS)("%s", (kind) => {
  async function connect(files: Handler, options = {}) {
    const routes = { "/files": files, "/next": next };
    const { port } = await startAttached(kind, { routes }, { logger: silent, ...options });
    return WireClient.connect(port, { tls: isTlsKind(kind) });
  }

  test("a client that is slow with its content has no timeout once it is answered", async () => {
    const logger = recordingLogger();
    let answer = () => {};
    const closed = deferred();
    const app: Handler = (req, res) => {
      req.on("data", () => {});
      res.on("close", () => closed.resolve());
      answer = () => void res.end("ok");
    };
    const wire = await connect(app, { logger, bodyTimeoutMs: 1_000 });
    stopTheClock(true);
    wire.send(head(EXPECT));
    await wire.status(100);
    jest.advanceTimersByTime(999);
    answer();
    await wire.final();
    await closed.promise;
    jest.advanceTimersByTime(10_000);
    wire.send("hello");
    expect(await wire.answersNext()).toBe(true);
    expect(wire.statuses).toEqual([100, 200, 200]);
    expect(logger.records).toEqual([]);
  });

  test.each([
    ["a reader", true],
    ["a request without a reader", false],
  ])("%s is told when the client leaves behind the response, in the middle of the content", async (_name, reads) => {
    const events: string[] = [];
    const closed = deferred();
    const app: Handler = (req, res) => {
      if (reads) req.on("data", () => {}).on("error", (error) => events.push(String("code" in error && error.code)));
      for (const event of ["end", "close"]) req.on(event, () => events.push(event));
      req.on("close", () => closed.resolve());
      res.end("ok");
    };
    const wire = await connect(app);
    wire.send(`${head("")}he`);
    await wire.final();
    wire.socket.end();
    await closed.promise;
    expect(events).toEqual(reads ? ["ERR_EXPECT_TOO_LATE", "close"] : ["end", "close"]);
  });

  test("garbage behind a response that has begun puts no second status into it", async () => {
    const wire = await connect((req, res) => {
      req.resume().on("end", () => {
        res.writeHead(200, { "Content-Length": 4 });
        res.write("ab");
      });
    });
    wire.send(`${head("")}hello`);
    await wire.until("half of the body", () => wire.text.endsWith("\r\n\r\nab"));
    wire.send("#garbage\r\n\r\n");
    await wire.fin();
    expect(wire.text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(wire.text.endsWith("\r\n\r\nab")).toBe(true);
    expect(wire.statuses).toEqual([200]);
  });
});

describe.each(HTTP2_KINDS)("%s", (kind) => {
  const PUT = { ":method": "PUT", ":path": "/files" };
  const open = async (files: Handler | Handler[]) =>
    openSession(await startAttached(kind, { routes: { "/files": files, "/next": next } }, { logger: silent }));

  test("the stream of a refused upload is closed without an error once it is seen, and the session stays", async () => {
    const session = await open(expectations({ logger: silent, policies: [() => refuse(403)] }) as Handler);
    const sentAt = performance.now();
    const stream = session.request(PUT, { endStream: false });
    stream.on("error", () => {});
    stream.resume();
    const [response] = (await once(stream, "response")) as [{ ":status": number }];
    expect(response[":status"]).toBe(403);
    await once(stream, "close");
    // Not by the timer that stands behind the PING.
    expect(performance.now() - sentAt).toBeLessThan(900);
    expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
    expect(await exchange(session, { ":path": "/next" })).toMatchObject({ status: 200, body: "next" });
  });

  test("an application that answers and goes on reading gets the rest of the content", async () => {
    let received = "";
    const finished = deferred();
    const session = await open((req, res) => {
      (res as unknown as { stream: NodeJS.EventEmitter }).stream.once("finish", () => finished.resolve());
      req.on("data", (piece) => {
        received += piece;
        if (received === "hello") res.end("ok");
      });
    });
    stopTheClock();
    const stream = session.request(PUT, { endStream: false });
    stream.on("error", () => {});
    stream.resume().write("hello");
    await once(stream, "response");
    await finished.promise;
    jest.advanceTimersByTime(5_000);
    jest.useRealTimers();
    const closed = once(stream, "close");
    stream.end(" again");
    await closed;
    await until("the rest has come", () => received === "hello again");
    expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
  });
});
