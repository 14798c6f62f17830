import { afterEach, describe, expect, test } from "@jest/globals";
import { anyOf, expectations, type Policy, type Refusal, refuse, silent, type Upload } from "../../src/index.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { deferred } from "../helpers/deferred.js";
import { closeSessions, exchange, openSession } from "../helpers/http2.js";
import { STREAM_INJECTORS } from "../helpers/injectors.js";
import {
  closeServers,
  type Handler,
  HTTP1_KINDS,
  HTTP2_KINDS,
  isTlsKind,
  next,
  plainApp,
  recordingLogger,
  startAttached,
  store,
} from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { pendingPolicy } from "../helpers/verdict.js";
import { CHUNKED, PLAIN, UPLOAD, WireClient } from "../helpers/wire.js";

expectNothingDeadly();
afterEach(closeSessions);
afterEach(closeServers);

const LOST = refuse(503, { reason: "the lease was lost", headers: { "Retry-After": 3 } });

/** A policy that accepts, and keeps the way to refuse later. */
function keptUpload() {
  const judged = deferred<Upload>();
  const lease: Policy = function lease(_req, upload) {
    judged.resolve(upload);
    return true;
  };
  return { lease, refuseLater: async (refusal: Refusal = LOST) => (await judged.promise).refuse(refusal) };
}

/** A reader that keeps the code of its error. */
function failingReader() {
  const codes: unknown[] = [];
  const read: Handler = (req) => {
    req.on("data", () => {}).on("error", (error: NodeJS.ErrnoException) => codes.push(error.code));
  };
  return { codes, read };
}

describe.each(HTTP1_KINDS)("%s", (kind) => {
  async function serve(policies: Policy[], files: Handler | Handler[] = store, options: object = {}) {
    const logger = recordingLogger();
    const guard = expectations({ logger, policies, ...options }) as Handler;
    const parts = { use: [guard], routes: { "/files": files, "/next": next } };
    const { port } = await startAttached(kind, parts, { logger: silent });
    return { logger, connect: () => WireClient.connect(port, { tls: isTlsKind(kind) }) };
  }

  test("is the verdict of a policy that returns something else, and the last one that counts", async () => {
    const asked: string[] = [];
    const early: Policy = function early(_req, upload) {
      upload.refuse(LOST);
      upload.refuse(refuse(403));
      return true;
    };
    const { connect, logger } = await serve([early, () => asked.push("later") > 0], () => asked.push("application"));
    const wire = await connect();
    wire.send(UPLOAD);
    expect(await wire.final()).toMatchObject({ status: 503, headers: { connection: "close", "retry-after": "3" } });
    await wire.closed();
    expect(wire.statuses).toEqual([503]);
    expect(asked).toEqual([]);
    expect(logger.records).toMatchObject([{ level: "warn", details: { policy: "early", reason: LOST.reason } }]);
  });

  test("does not wait for the policy's own answer, and aborts its signal", async () => {
    let upload: Upload | undefined;
    const slow: Policy = function slow(_req, asked) {
      upload = asked;
      return new Promise<boolean>(() => asked.signal);
    };
    const { connect, logger } = await serve([slow]);
    const wire = await connect();
    wire.send(UPLOAD);
    await until("the policy is asked", () => upload !== undefined);
    upload?.refuse(LOST);
    expect((await wire.final()).status).toBe(503);
    expect(upload?.signal.aborted).toBe(true);
    expect(logger.records).toMatchObject([{ details: { policy: "slow", status: 503 } }]);
  });

  test("goes through onRefusal while policies are judging", async () => {
    const onRefusal = (refusal: Refusal, _req: unknown, res: { statusCode: number; end(body: string): void }) => {
      res.statusCode = refusal.status;
      res.end("a page of its own");
    };
    const early: Policy = (_req, upload) => void upload.refuse(LOST) === undefined;
    const { connect } = await serve([early], store, { onRefusal });
    const wire = await connect();
    wire.send(UPLOAD);
    expect(await wire.final()).toMatchObject({ status: 503, body: "a page of its own" });
  });

  test("ends an accepted upload whose content nobody has asked for yet, without a 100", async () => {
    const { lease, refuseLater } = keptUpload();
    const reached = deferred();
    const { connect } = await serve([lease], () => reached.resolve());
    const wire = await connect();
    wire.send(UPLOAD);
    await reached.promise;
    await refuseLater();
    expect(await wire.final()).toMatchObject({ status: 503, headers: { connection: "close" } });
    await wire.closed();
    expect(wire.statuses).toEqual([503]);
  });

  test.each([
    ["that waited for its 100", UPLOAD.replace(": 5", ": 50"), "hello", 45],
    ["that did not wait", PLAIN.replace(": 5", ": 50"), "hello", 45],
    ["of unknown length", CHUNKED, "5\r\nhello\r\n", undefined],
  ])("cuts off an upload %s in the middle of its content", async (_what, head, piece, bytesSpared) => {
    const { lease, refuseLater } = keptUpload();
    const { codes, read } = failingReader();
    const { connect, logger } = await serve(
      [lease, () => true],
      [
        (req, res, go) => {
          req.once("data", () => void refuseLater());
          read(req, res, go);
        },
      ],
    );
    const wire = await connect();
    wire.send(head);
    if (head === UPLOAD.replace(": 5", ": 50")) await wire.status(100);
    wire.send(piece);
    expect(await wire.final()).toMatchObject({ status: 503, headers: { connection: "close" } });
    await wire.closed();
    expect(codes).toEqual(["ERR_EXPECT_REFUSED"]);
    expect(wire.finals).toHaveLength(1);
    expect(logger.records).toHaveLength(1);
    expect(logger.records[0]?.details).toMatchObject({ policy: "lease", status: 503 });
    expect(logger.records[0]?.details.bytesSpared).toBe(bytesSpared);
  });

  test("refuses once: the first refusal counts", async () => {
    const { lease, refuseLater } = keptUpload();
    const { connect, logger } = await serve([lease], (req) => {
      req.once("data", () => void refuseLater().then(() => refuseLater(refuse(403))));
      req.on("error", () => {});
    });
    const wire = await connect();
    wire.send(PLAIN.replace(": 5", ": 50"), "hello");
    expect((await wire.final()).status).toBe(503);
    await wire.closed();
    expect(wire.statuses).toEqual([503]);
    expect(logger.records).toHaveLength(1);
  });

  test("does nothing behind the response: the connection is kept", async () => {
    const { lease, refuseLater } = keptUpload();
    const { connect, logger } = await serve([lease]);
    const wire = await connect();
    wire.send(UPLOAD);
    await wire.status(100);
    wire.send("hello");
    expect((await wire.final()).status).toBe(201);
    await refuseLater();
    expect(await wire.answersNext()).toBe(true);
    expect(wire.statuses).toEqual([100, 201, 200]);
    expect(logger.records).toEqual([]);
  });

  test("does nothing when the application has responded and reads on", async () => {
    const { lease, refuseLater } = keptUpload();
    const read = deferred<string>();
    const { connect, logger } = await serve([lease], (req, res) => {
      let text = "";
      req.on("data", (piece) => {
        text += piece;
        if (text === "he") res.end("early", () => void refuseLater());
      });
      req.on("end", () => read.resolve(text)).on("error", ({ message }) => read.resolve(message));
    });
    const wire = await connect();
    wire.send(PLAIN, "he");
    expect((await wire.final()).body).toBe("early");
    wire.send("llo");
    expect(await read.promise).toBe("hello");
    expect(await wire.answersNext()).toBe(true);
    expect(logger.records).toEqual([]);
  });

  test("cuts the connection if the response has begun, so that no half of it counts as whole", async () => {
    const { lease, refuseLater } = keptUpload();
    const { connect, logger } = await serve([lease], (req, res) => void req.pipe(res));
    const wire = await connect();
    wire.send(PLAIN.replace(": 5", ": 50"), "hello");
    await wire.until("the echo has begun", () => wire.text.includes("hello"));
    await refuseLater();
    await wire.fin();
    expect(wire.finals).toEqual([]);
    expect(logger.records).toMatchObject([{ details: { policy: "lease" } }]);
  });

  test("does nothing when the client has left", async () => {
    const { lease, refuseLater } = keptUpload();
    const accepted = deferred();
    const closed = deferred();
    const { connect, logger } = await serve([lease], (_req, res) => {
      res.on("close", closed.resolve);
      accepted.resolve();
    });
    const wire = await connect();
    wire.send(PLAIN, "he");
    await accepted.promise;
    wire.destroy();
    await closed.promise;
    await refuseLater();
    expect(logger.records).toEqual([]);
  });

  test("keeps the application away when it comes while a later guard is judging", async () => {
    const { lease, refuseLater } = keptUpload();
    const { policy, asked, decide } = pendingPolicy();
    let ran = 0;
    const second = expectations({ logger: silent, policies: [policy] }) as Handler;
    const { connect } = await serve([lease], [second, () => ran++]);
    const wire = await connect();
    wire.send(UPLOAD);
    await asked;
    await refuseLater();
    decide(true);
    expect((await wire.final()).status).toBe(503);
    await wire.closed();
    expect(ran).toBe(0);
    expect(wire.statuses).toEqual([503]);
  });

  test.each([undefined, null, true, 503, "503", { status: 503 }, refuse])(
    "takes no %p for a refusal",
    async (value) => {
      const broken: Policy = (_req, upload) => {
        upload.refuse(value as never);
        return true;
      };
      const { connect, logger } = await serve([broken]);
      const wire = await connect();
      wire.send(UPLOAD);
      expect((await wire.final()).status).toBe(500);
      const err = logger.records[0]?.details.err as { code?: string; message?: string } | undefined;
      expect(err?.code).toBe("ERR_EXPECT_OPTION");
      expect(err?.message).toMatch(
        /^upload\.refuse\(refusal\): received .*; expected a refusal made by refuse\(status\)$/,
      );
    },
  );

  test("of a policy in anyOf is that policy's answer: the next one may accept", async () => {
    const refusing: Policy = (_req, upload) => {
      upload.refuse(LOST);
      return new Promise<boolean>(() => {});
    };
    const { lease, refuseLater } = keptUpload();
    const { connect, logger } = await serve([anyOf(refusing, lease)]);
    const wire = await connect();
    wire.send(UPLOAD);
    await wire.status(100);
    await refuseLater();
    expect((await wire.final()).status).toBe(503);
    expect(logger.records).toMatchObject([{ details: { policy: "anyOf" } }]);
  });
});

test("attach({ guard }) refuses in the same way", async () => {
  const { lease, refuseLater } = keptUpload();
  const { codes, read } = failingReader();
  const guard = expectations({ logger: silent, policies: [lease] }) as Handler;
  const { port } = await startAttached("node:http", { routes: { "/files": read } }, { logger: silent, guard });
  const wire = await WireClient.connect(port);
  wire.send(UPLOAD);
  await wire.status(100);
  wire.send("he");
  await refuseLater();
  expect((await wire.final()).status).toBe(503);
  await wire.closed();
  expect(codes).toEqual(["ERR_EXPECT_REFUSED"]);
});

describe.each(HTTP2_KINDS)("%s", (kind) => {
  test.each([
    ["before the content is asked for", false],
    ["in the middle of the content", true],
  ])("refuses %s, and leaves the session alive", async (_when, reads) => {
    const { lease, refuseLater } = keptUpload();
    const { codes, read } = failingReader();
    const guard = expectations({ logger: silent, policies: [lease] }) as Handler;
    const files: Handler = (req, res, go) => {
      if (reads) {
        req.once("data", () => void refuseLater());
        read(req, res, go);
      } else void refuseLater();
    };
    const routes = { "/files": [guard, files], "/next": next };
    const session = await openSession(await startAttached(kind, { routes }, { logger: silent }));
    const put = { ":method": "PUT", ":path": "/files", "content-length": "10", expect: "100-continue" };
    const refused = await exchange(session, put, { content: "hello hell" });
    expect(refused).toMatchObject({ status: 503, hasContinue: reads });
    expect(codes).toEqual(reads ? ["ERR_EXPECT_REFUSED"] : []);
    expect((await exchange(session, { ":path": "/next" }, { sendAtOnce: true })).status).toBe(200);
  });
});

describe.each(Object.entries(STREAM_INJECTORS))("%s", (_name, inject) => {
  test("refuses an injected request that was accepted", async () => {
    const { lease, refuseLater } = keptUpload();
    const guard = expectations({ logger: silent, policies: [lease] }) as Handler;
    const app = plainApp({ routes: { "/files": [guard, () => void refuseLater()] } });
    const answer = await inject(app, { method: "PUT", url: "/files", body: "hello" });
    expect(answer.status).toBe(503);
  });
});
