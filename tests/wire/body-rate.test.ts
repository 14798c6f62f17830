import { once } from "node:events";
import { afterEach, describe, expect, test } from "@jest/globals";
import { type AttachOptions, anyOf, expectations, minRate, type Policy, silent } from "../../src/index.js";
import { deadline } from "../helpers/deadline.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { closeSessions, openSession } from "../helpers/http2.js";
import {
  closeServers,
  type Handler,
  HTTP1_KINDS,
  HTTP2_KINDS,
  isTlsKind,
  next,
  recordingLogger,
  startAttached,
  store,
} from "../helpers/servers.js";
import { UPLOAD, WireClient } from "../helpers/wire.js";

expectNothingDeadly();
afterEach(closeSessions);
afterEach(closeServers);

const LARGE = UPLOAD.replace(": 5", ": 100000");
const TOO_SLOW = { status: 408, policy: "body-rate", reason: "slower than 10000 bytes per second" };

/** Reads the content, and keeps the code of its error. */
function reader() {
  const codes: unknown[] = [];
  const read: Handler = (req, res, go) => {
    req.on("error", (error: NodeJS.ErrnoException) => codes.push(error.code));
    store(req, res, go);
  };
  return { codes, read };
}

/** Sends a byte again and again, until `isOver`. */
async function drip(send: () => void, isOver: () => boolean): Promise<void> {
  const end = performance.now() + deadline(8_000);
  while (!isOver()) {
    if (performance.now() > end) throw new Error("a slow upload was not cut off");
    send();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const guardOf = (...policies: Policy[]) => expectations({ logger: silent, policies }) as Handler;

describe.each(HTTP1_KINDS)("%s", (kind) => {
  async function serve(guards: Handler[], files: Handler, options: AttachOptions) {
    const routes = { "/files": files, "/next": next };
    const { port } = await startAttached(kind, { use: guards, routes }, { logger: silent, ...options });
    return WireClient.connect(port, { tls: isTlsKind(kind) });
  }

  test.each([
    ["waited for its 100", LARGE, [100, 408]],
    ["did not wait", LARGE.replace("Expect: 100-continue\r\n", ""), [408]],
  ])("cuts off an accepted upload that is too slow, and %s", async (_what, head, statuses) => {
    const logger = recordingLogger();
    const { codes, read } = reader();
    const wire = await serve([guardOf()], read, { logger, minBytesPerSecond: 10_000, rateGraceMs: 60 });
    wire.send(head);
    if (statuses[0] === 100) await wire.status(100);
    await drip(
      () => wire.send("x"),
      () => wire.finals.length > 0,
    );
    expect(await wire.final()).toMatchObject({ status: 408, headers: { connection: "close" } });
    await wire.closed();
    expect(wire.statuses).toEqual(statuses);
    expect(codes).toEqual(["ERR_EXPECT_BODY_TIMEOUT"]);
    expect(logger.records).toHaveLength(1);
    expect(logger.records[0]).toMatchObject({ level: "warn", details: TOO_SLOW });
  });

  test("cuts off one that sends nothing at all, when its grace is over", async () => {
    const { read } = reader();
    const wire = await serve([guardOf()], read, { rateGraceMs: 60 });
    wire.send(UPLOAD);
    await wire.status(100);
    expect((await wire.final()).status).toBe(408);
  });

  test("cuts off one whose content is thrown away as it comes", async () => {
    const logger = recordingLogger();
    const discard: Handler = (req, res) => void req.resume().on("end", () => res.end("thrown away"));
    const wire = await serve([guardOf()], discard, { logger, minBytesPerSecond: 10_000, rateGraceMs: 60 });
    wire.send(LARGE.replace("Expect: 100-continue\r\n", ""));
    await drip(
      () => wire.send("x"),
      () => wire.finals.length > 0,
    );
    expect((await wire.final()).status).toBe(408);
    expect(logger.records[0]?.details).toMatchObject(TOO_SLOW);
  });

  test("what has come in advance counts: only the average has to hold", async () => {
    // 5,000 bytes are worth five seconds at this rate, and the pause is a fraction of one.
    const wire = await serve([guardOf()], store, { minBytesPerSecond: 1_000, rateGraceMs: 20 });
    wire.send(UPLOAD.replace(": 5", ": 5001"), "x".repeat(5_000));
    await new Promise((resolve) => setTimeout(resolve, 200));
    wire.send("x");
    expect((await wire.final()).body).toBe("stored 5001");
    expect(await wire.answersNext()).toBe(true);
  });

  test("a request that no guard accepted has no rate", async () => {
    const wire = await serve([], store, { minBytesPerSecond: 1_000_000, rateGraceMs: 1 });
    wire.send(UPLOAD);
    await wire.status(100);
    await new Promise((resolve) => setTimeout(resolve, 80));
    wire.send("hello");
    expect((await wire.final()).status).toBe(201);
  });

  test("minRate holds for the route, is logged by its guard, and tells the reader", async () => {
    const logger = recordingLogger();
    const { codes, read } = reader();
    const guard = expectations({ logger, policies: [minRate(10_000, { graceMs: 60 })] }) as Handler;
    const wire = await serve([guard], read, {});
    wire.send(LARGE);
    await wire.status(100);
    await drip(
      () => wire.send("x"),
      () => wire.finals.length > 0,
    );
    expect(await wire.final()).toMatchObject({ status: 408, headers: { connection: "close" } });
    expect(codes).toEqual(["ERR_EXPECT_BODY_TIMEOUT"]);
    expect(logger.records).toHaveLength(1);
    expect(logger.records[0]?.details).toMatchObject(TOO_SLOW);
  });

  test("minRate takes the place of the server's rate, also with a lower one", async () => {
    const options = { minBytesPerSecond: 1_000_000, rateGraceMs: 20 };
    const wire = await serve([guardOf(minRate(1))], store, options);
    wire.send(UPLOAD);
    await wire.status(100);
    await new Promise((resolve) => setTimeout(resolve, 100));
    wire.send("hello");
    expect((await wire.final()).status).toBe(201);
  });

  test("of several rates each holds, but not one of a branch that did not accept", async () => {
    const strict: Policy = (_req, upload) => {
      upload.requireRate(1_000_000, 1);
      return false;
    };
    const lenient = await serve([guardOf(anyOf(strict, minRate(1)))], store, {});
    lenient.send(UPLOAD);
    await lenient.status(100);
    await new Promise((resolve) => setTimeout(resolve, 80));
    lenient.send("hello");
    expect((await lenient.final()).status).toBe(201);

    const { read } = reader();
    const both = await serve([guardOf(minRate(1), minRate(1_000, { graceMs: 50 }))], read, {});
    both.send(UPLOAD);
    await both.status(100);
    expect((await both.final()).status).toBe(408);
  });

  test("a response that has begun is cut", async () => {
    const echo: Handler = (req, res) => void req.pipe(res);
    const begun = await serve([guardOf(minRate(1_000_000, { graceMs: 60 }))], echo, {});
    begun.send(LARGE.replace("Expect: 100-continue\r\n", ""), "hello");
    await begun.until("the echo has begun", () => begun.text.includes("hello"));
    await begun.fin();
    expect(begun.finals).toEqual([]);
  });
});

test.each(["node:http", "node:https"] as const)(
  "%s: an application that is slow to read is no slow client",
  async (kind) => {
    let pauses = 3;
    const slow: Handler = (req, res, go) => {
      store(req, res, go);
      req.on("data", () => {
        if (pauses-- <= 0) return;
        req.pause();
        setTimeout(() => req.resume(), 400);
      });
    };
    // What is sent is worth a few milliseconds of the rate, and the pauses are twice the grace.
    const options = { logger: silent, minBytesPerSecond: 100_000_000, rateGraceMs: 600 };
    const parts = { use: [guardOf()], routes: { "/files": slow } };
    const { port } = await startAttached(kind, parts, options);
    const wire = await WireClient.connect(port, { tls: isTlsKind(kind) });
    const size = 600_000;
    wire.send(UPLOAD.replace(": 5", `: ${size}`));
    await wire.status(100);
    wire.send(Buffer.alloc(size));
    expect((await wire.final()).body).toBe(`stored ${size}`);
    expect(wire.statuses).toEqual([100, 201]);
  },
);

describe.each(HTTP2_KINDS)("%s", (kind) => {
  test.each([
    ["the server's rate", { minBytesPerSecond: 10_000, rateGraceMs: 60 }, []],
    ["minRate", {}, [minRate(10_000, { graceMs: 60 })]],
  ])("cuts off a stream that is slower than %s, and leaves the session alive", async (_what, options, policies) => {
    const logger = recordingLogger();
    const { codes, read } = reader();
    const guard = expectations({ logger, policies }) as Handler;
    const parts = { use: [guard], routes: { "/files": read, "/next": next } };
    const session = await openSession(await startAttached(kind, parts, { logger, ...options }));
    const stream = session.request({ ":method": "PUT", ":path": "/files", expect: "100-continue" });
    stream.on("error", () => {});
    await once(stream, "continue");
    let status: unknown;
    stream.on("response", (headers) => {
      status = headers[":status"];
    });
    const closed = once(stream.resume(), "close");
    await drip(
      () => stream.writable && stream.write("x"),
      () => status !== undefined,
    );
    await closed;
    expect(status).toBe(408);
    expect(codes).toEqual(["ERR_EXPECT_BODY_TIMEOUT"]);
    expect(logger.records.map(({ details }) => details)).toMatchObject([TOO_SLOW]);
    const again = session.request({ ":path": "/next" });
    again.resume();
    const [headers] = await once(again, "response");
    expect(headers[":status"]).toBe(200);
  });

  test("cuts off a stream that has brought all its bytes, and does not end", async () => {
    const { codes, read } = reader();
    const parts = { use: [guardOf()], routes: { "/files": read } };
    const session = await openSession(await startAttached(kind, parts, { logger: silent, bodyTimeoutMs: 80 }));
    const stream = session.request(
      { ":method": "PUT", ":path": "/files", "content-length": "5" },
      { endStream: false },
    );
    stream.on("error", () => {}).resume();
    stream.write("hello");
    const [headers] = await once(stream, "response");
    expect(headers[":status"]).toBe(408);
    expect(codes).toEqual(["ERR_EXPECT_BODY_TIMEOUT"]);
  });
});
