import { spawnSync } from "node:child_process";
import * as path from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { afterEach, describe, expect, test } from "@jest/globals";
import { buildSync } from "esbuild";
import { expectations, type OverloadOptions, overload, silent } from "../../src/index.js";
import { deadline } from "../helpers/deadline.js";
import { closeSessions, exchange, openSession } from "../helpers/http2.js";
import {
  closeServers,
  type Handler,
  HTTP1_KINDS,
  HTTP2_KINDS,
  isTlsKind,
  next,
  recordingLogger,
  type ServerKind,
  startAttached,
  store,
} from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { UPLOAD, WireClient } from "../helpers/wire.js";

afterEach(async () => {
  closeSessions();
  await closeServers();
});

async function serve(kind: ServerKind, options: OverloadOptions, files: Handler = store) {
  const logger = recordingLogger();
  const guard = expectations({ logger, policies: [overload(options)] }) as Handler;
  const routes = { "/files": files, "/next": next };
  const server = await startAttached(kind, { use: [guard], routes }, { logger: silent });
  const ask = async () => {
    const wire = await WireClient.connect(server.port, { tls: isTlsKind(kind) });
    wire.send(UPLOAD);
    await wire.until("an answer", () => wire.statuses.length > 0);
    return wire;
  };
  return { server, logger, ask };
}

describe.each(HTTP1_KINDS)("%s", (kind) => {
  test("refuses with 503 and Retry-After, before a byte is sent, and tells the reason to the log alone", async () => {
    const { ask, logger } = await serve(kind, { maxRss: "1mb", retryAfterSeconds: 4 });
    const wire = await ask();
    expect(await wire.final()).toMatchObject({ status: 503, headers: { "retry-after": "4", connection: "close" } });
    expect(wire.statuses).toEqual([503]);
    const reason = expect.stringMatching(/^overloaded: resident memory of \d+ MiB$/);
    expect(logger.records).toMatchObject([{ level: "warn", details: { policy: "overload", reason, bytesSpared: 5 } }]);

    const pushed = await WireClient.connect((await serve(kind, { maxRss: "1mb" })).server.port, {
      tls: isTlsKind(kind),
    });
    pushed.send("PUT /files HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\n");
    expect(JSON.parse((await pushed.final()).body)).toEqual({
      title: "Service Unavailable",
      status: 503,
      detail: "the server is overloaded",
    });
  });

  test("accepts what is within the limits", async () => {
    const { ask } = await serve(kind, { maxRss: "100tb", maxHeap: "100tb", isOverloaded: () => false });
    const wire = await ask();
    expect(wire.statuses).toEqual([100]);
    wire.send("hello");
    expect(await wire.final()).toMatchObject({ status: 201, body: "stored 5" });
    expect(await wire.answersNext()).toBe(true);
  });
});

test.each(HTTP2_KINDS)("%s: refuses with 503, and accepts", async (kind) => {
  const head = { ":method": "PUT", ":path": "/files", expect: "100-continue", "content-length": 5 };
  const busy = await openSession((await serve(kind, { isOverloaded: () => true })).server);
  expect(await exchange(busy, head)).toMatchObject({
    status: 503,
    headers: { "retry-after": "10" },
    hasContinue: false,
  });
  const idle = await openSession((await serve(kind, { isOverloaded: () => false })).server);
  expect(await exchange(idle, head, { content: "hello" })).toMatchObject({ status: 201, hasContinue: true });
});

/** Keeps the process from doing anything else, as a large JSON does. */
function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

describe("the event loop", () => {
  test.each<[options: OverloadOptions, reason: RegExp]>([
    [{ maxEventLoopDelayMs: 300 }, /^overloaded: event loop late by \d+ ms$/],
    [{ maxEventLoopUtilization: 0.9 }, /^overloaded: event loop busy for \d+ % of the time$/],
  ])("%j: refuses while it is blocked, and accepts again", async (options, reason) => {
    const { ask, logger } = await serve("node:http", options);
    const accepts = async () => {
      await after(100);
      return (await ask()).statuses[0] === 100;
    };
    // The tests before this one are load, too.
    await until("it accepts", accepts);
    await until("it refuses", async () => {
      block(600);
      return (await ask()).statuses[0] === 503;
    });
    expect(logger.records.at(-1)?.details.reason).toMatch(reason);
    await until("it accepts again", accepts);
  });
});

test("counts what blocks the event loop directly behind a measurement", async () => {
  // Each upload is measured, and each one that is accepted blocks.
  const blocks: Handler = (_req, res) => {
    block(1_200);
    res.end();
  };
  const { ask, logger } = await serve("node:http", { maxEventLoopDelayMs: 700 }, blocks);
  await until("it refuses", async () => (await (await ask()).final()).status === 503);
  expect(logger.records.at(-1)?.details.reason).toMatch(/^overloaded: event loop late by \d{4,} ms$/);
});

test("measuring does not keep the process alive, and begins with the first upload", () => {
  const { outputFiles } = buildSync({
    entryPoints: [path.join(__dirname, "../../src/policies/overload.ts")],
    bundle: true,
    platform: "node",
    format: "esm",
    write: false,
  });
  const bundle = outputFiles[0]?.text ?? "";
  const program = `${bundle}
    import perfHooks from "node:perf_hooks";
    import { syncBuiltinESMExports } from "node:module";
    let monitors = 0;
    const measure = perfHooks.monitorEventLoopDelay;
    perfHooks.monitorEventLoopDelay = (options) => {
      monitors++;
      return measure(options);
    };
    syncBuiltinESMExports();
    const policies = [overload({ maxEventLoopDelayMs: 50 }), overload({ maxRss: "100tb" })];
    const before = monitors;
    const verdicts = policies.map((policy) => policy({}, { length: 5 }));
    console.log(before, monitors, verdicts.join());`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
    encoding: "utf8",
    timeout: deadline(10_000),
  });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "0 2 true,true\n", stderr: "" });
});
