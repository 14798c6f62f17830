import { createWriteStream, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream";
import { afterAll, afterEach, describe, expect, test } from "@jest/globals";
import express from "express";
import multer from "multer";
import { allOf, anyOf, expectations, maxSize, silent } from "../../src/index.js";
import { deferred } from "../helpers/deferred.js";
import {
  closeServers,
  type Handler,
  HTTP1_KINDS,
  isTlsKind,
  next,
  recordingLogger,
  startAttached,
  store,
} from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";

const folder = mkdtempSync(join(tmpdir(), "expectations-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(closeServers);

const CHUNKED = "PUT /files HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n";
const chunk = (size: number) => `${size.toString(16)}\r\n${"x".repeat(size)}\r\n`;

describe.each(HTTP1_KINDS)("%s", (kind) => {
  async function serve(files: Handler | Handler[], use?: Handler[]) {
    const guard = expectations({ logger: silent, policies: [maxSize(1000)] }) as Handler;
    const parts = { use: use ?? [guard], routes: { "/files": files, "/next": next } };
    const { port } = await startAttached(kind, parts, { logger: silent });
    return WireClient.connect(port, { tls: isTlsKind(kind) });
  }

  test("counts a chunked body, and accepts one of exactly the limit", async () => {
    const wire = await serve(store);
    wire.send(CHUNKED, "Expect: 100-continue\r\n\r\n");
    await wire.status(100);
    wire.send(chunk(600), chunk(400), "0\r\n\r\n");
    expect((await wire.final()).body).toBe("stored 1000");
    expect(await wire.answersNext()).toBe(true);
  });

  test("closes a request that nobody reads when it cuts it off", async () => {
    const closed = deferred();
    const wire = await serve((req) => void req.on("close", closed.resolve));
    wire.send(CHUNKED, "\r\n", chunk(1001));
    await wire.status(413);
    await wire.closed();
    await closed.promise;
  });

  test.each(["", "Expect: 100-continue\r\n"])(
    "cuts a chunked body off one byte over the limit (%j)",
    async (expectation) => {
      const events: string[] = [];
      const wire = await serve((req, res) => {
        req.on("data", () => {});
        req.on("end", () => events.push("end"));
        req.on("error", (error: NodeJS.ErrnoException) => {
          events.push(String(error.code));
          res.statusCode = 500;
          res.setHeader("X-Late", "1");
          res.end("late");
        });
      });
      wire.send(CHUNKED, expectation, "\r\n");
      if (expectation !== "") await wire.status(100);
      wire.send(chunk(600), chunk(401), "0\r\n\r\n");
      const refusal = await wire.final();
      expect(refusal).toMatchObject({ status: 413, headers: { connection: "close" } });
      expect(refusal.headers["x-late"]).toBeUndefined();
      await wire.closed();
      expect(events).toEqual(["ERR_EXPECT_LIMIT"]);
      expect(wire.finals).toHaveLength(1);
    },
  );

  test("cuts off while the verdict is pending", async () => {
    const logger = recordingLogger();
    const never = () => new Promise<boolean>(() => {});
    const guard = expectations({ logger, policies: [maxSize(1000), never] }) as Handler;
    const wire = await serve(store, [guard]);
    wire.send(CHUNKED, "\r\n", chunk(1001));
    expect((await wire.final()).status).toBe(413);
    await wire.closed();
    expect(logger.records).toHaveLength(1);
    expect(logger.records[0]?.details).toMatchObject({ status: 413, policy: "maxSize" });
  });

  test("takes nothing half-written for whole: pipeline fails with the code", async () => {
    let result: unknown = "nothing";
    const path = join(folder, kind.replaceAll(/\W/g, ""));
    const wire = await serve((req) => {
      pipeline(req, createWriteStream(path), (error) => {
        result = (error as NodeJS.ErrnoException | null)?.code;
      });
    });
    wire.send(CHUNKED, "\r\n", chunk(900), chunk(900));
    expect((await wire.final()).status).toBe(413);
    await wire.until("the pipeline has ended", () => result !== "nothing").catch(() => {});
    while (result === "nothing") await new Promise((resolve) => setImmediate(resolve));
    expect(result).toBe("ERR_EXPECT_LIMIT");
  });

  test("tells a reader that comes after the cut", async () => {
    let code: unknown;
    const wire = await serve([
      (_req, _res, next) => void setTimeout(next, 50),
      (req) => {
        req.on("data", () => {});
        req.on("error", (error: NodeJS.ErrnoException) => {
          code = error.code;
        });
      },
    ]);
    wire.send(CHUNKED, "\r\n", chunk(1001));
    expect((await wire.final()).status).toBe(413);
    for (let i = 0; code === undefined && i < 1_000; i++) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(code).toBe("ERR_EXPECT_LIMIT");
  });

  test("counts what came before a guard behind asynchronous middleware", async () => {
    const slow: Handler = (_req, _res, next) => void setTimeout(next, 50);
    const guard = expectations({ logger: silent, policies: [maxSize(1000)] }) as Handler;
    const wire = await serve(store, [slow, guard]);
    wire.send(CHUNKED, "\r\n", chunk(1001), "0\r\n\r\n");
    expect((await wire.final()).status).toBe(413);
  });

  test("holds the smaller of two limits", async () => {
    const route = expectations({ logger: silent, policies: [maxSize(10)] }) as Handler;
    const wire = await serve([route, store]);
    wire.send(CHUNKED, "\r\n", chunk(11), "0\r\n\r\n");
    expect((await wire.final()).status).toBe(413);
  });

  test("holds no limit of a branch that did not accept", async () => {
    const policy = anyOf(
      allOf(maxSize(10), () => false),
      () => true,
    );
    const guard = expectations({ logger: silent, policies: [policy] }) as Handler;
    const wire = await serve(store, [guard]);
    wire.send(CHUNKED, "\r\n", chunk(11), "0\r\n\r\n");
    expect((await wire.final()).status).toBe(201);
  });

  test("cuts the connection where the response has begun, so that no half of it counts as whole", async () => {
    const wire = await serve((req, res) => {
      req.pipe(res);
    });
    wire.send(CHUNKED, "\r\n", chunk(600));
    await wire.until("the echo has begun", () => wire.text.includes("xxx"));
    wire.send(chunk(600), "0\r\n\r\n");
    await wire.until("the connection ends", () => wire.isClosed || wire.hasFin);
    expect(wire.finals).toEqual([]);
  });
});

test("multer leaves no half file behind", async () => {
  const uploads = join(folder, "multer");
  const upload = multer({ dest: uploads }).single("file") as unknown as Handler;
  const app = express();
  app.disable("x-powered-by");
  const guard = expectations({ logger: silent, policies: [maxSize(1000)] }) as Handler;
  let failed: unknown;
  const report: (error: unknown, ...rest: unknown[]) => void = (error, _req, _res, next) => {
    failed = error;
    (next as (error: unknown) => void)(error);
  };
  const { port } = await startAttached("node:http", {
    use: [guard],
    routes: {
      "/files": [
        (req, res, done) => upload(req, res, (error) => (error ? report(error, req, res, done) : done())),
        next,
      ],
    },
  });
  const wire = await WireClient.connect(port);
  wire.send(
    CHUNKED,
    "Content-Type: multipart/form-data; boundary=b\r\n\r\n",
    chunk(500).replace(
      "x".repeat(90),
      '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'.padEnd(90, "x"),
    ),
    chunk(600),
  );
  expect((await wire.final()).status).toBe(413);
  for (let i = 0; (failed === undefined || readdirSync(uploads).length > 0) && i < 1_000; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(readdirSync(uploads)).toEqual([]);
  expect(failed).toBeDefined();
});
