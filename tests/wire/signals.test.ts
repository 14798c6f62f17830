import { afterEach, describe, expect, test } from "@jest/globals";
import { expectations, type Policy, refuse, silent } from "../../src/index.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { closeSessions, exchange, openSession } from "../helpers/http2.js";
import { closeServers, type Handler, HTTP2_KINDS, recordingLogger, startAttached, store } from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { pendingPolicy } from "../helpers/verdict.js";
import { CHUNKED, UPLOAD, WireClient } from "../helpers/wire.js";

expectNothingDeadly();
afterEach(closeSessions);
afterEach(closeServers);

describe.each(["node:http", "Express 5"] as const)("%s", (kind) => {
  test("a limit that is passed while a policy still thinks aborts its signal", async () => {
    let signal: AbortSignal | undefined;
    const guard = expectations({
      logger: silent,
      policies: [
        (_req, upload) => {
          signal = upload.signal;
          upload.limitBytes(3, refuse(413));
          return new Promise<boolean>(() => {});
        },
      ],
    }) as Handler;
    const { port } = await startAttached(kind, { routes: { "/files": [guard, store] } }, { logger: silent });
    const wire = await WireClient.connect(port);
    wire.send(CHUNKED);
    await until("the policy is asked", () => signal !== undefined);
    expect(signal?.aborted).toBe(false);
    wire.send("5\r\nhello\r\n");
    expect((await wire.final()).status).toBe(413);
    expect(signal?.aborted).toBe(true);
  });

  test("a signal that is first asked for when the client has left is aborted already", async () => {
    let isAsked = false;
    let isAborted: boolean | undefined;
    let ran = 0;
    const guard = expectations({
      logger: silent,
      policies: [
        async (_req, upload) => {
          isAsked = true;
          await new Promise<void>((resolve) => upload.onClose(() => resolve()));
          isAborted = upload.signal.aborted;
          return true;
        },
      ],
    }) as Handler;
    const { port } = await startAttached(kind, { routes: { "/files": [guard, () => ran++] } }, { logger: silent });
    const wire = await WireClient.connect(port);
    wire.send(UPLOAD);
    await until("the policy is asked", () => isAsked);
    wire.destroy();
    await until("the policy has looked", () => isAborted !== undefined);
    expect(isAborted).toBe(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect(ran).toBe(0);
  });

  test("a verdict that comes after its time is up changes nothing: one 503, one record, no further policy", async () => {
    const logger = recordingLogger();
    const ran: string[] = [];
    const { policy, decide } = pendingPolicy();
    const late: Policy = (req, upload) => policy(req, upload);
    const guard = expectations({
      logger,
      policyTimeoutMs: 30,
      policies: [late, () => ran.push("policy") > 0],
    }) as Handler;
    const app: Handler = (_req, res) => {
      ran.push("application");
      res.end();
    };
    const { port } = await startAttached(kind, { routes: { "/files": [guard, app] } }, { logger: silent });
    const wire = await WireClient.connect(port);
    wire.send(UPLOAD);
    expect((await wire.final()).status).toBe(503);
    decide(true);
    // All that follows from the verdict has happened by then.
    await new Promise((resolve) => setImmediate(resolve));
    await wire.closed();
    expect(ran).toEqual([]);
    expect(wire.statuses).toEqual([503]);
    expect(logger.records).toMatchObject([{ level: "error", details: { status: 503, policy: "late" } }]);
  });

  test("the time of policies that accepted does not run on", async () => {
    const policyTimeoutMs = 40;
    const logger = recordingLogger();
    let signal: AbortSignal | undefined;
    const guard = expectations({
      logger,
      policyTimeoutMs,
      policies: [
        async (_req, upload) => {
          signal = upload.signal;
          return true;
        },
      ],
    }) as Handler;
    // Timers of one length run out in the order in which they began, and the guard's began before.
    const afterwards: Handler = (_req, _res, next) => void setTimeout(next, policyTimeoutMs);
    const { port } = await startAttached(
      kind,
      { routes: { "/files": [guard, afterwards, store] } },
      { logger: silent },
    );
    const wire = await WireClient.connect(port);
    wire.send(UPLOAD);
    await wire.status(100);
    expect(signal?.aborted).toBe(false);
    wire.send("hello");
    expect((await wire.final()).status).toBe(201);
    expect(logger.records).toEqual([]);
  });
});

// A response that is out has not ended the stream: the client still has content to send.
describe.each(HTTP2_KINDS)("%s", (kind) => {
  test("a policy that fails because its signal aborts is one 503, and one record", async () => {
    const logger = recordingLogger();
    const fetches = (_req: unknown, { signal }: { signal: AbortSignal }) =>
      new Promise<boolean>((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    const guard = expectations({ logger, policyTimeoutMs: 30, policies: [fetches] }) as Handler;
    const running = await startAttached(kind, { use: [guard], routes: { "/files": store } }, { logger: silent });
    const session = await openSession(running);
    const upload = { ":method": "PUT", ":path": "/files", "content-length": "5", expect: "100-continue" };
    const { status, hasContinue } = await exchange(session, upload);
    expect({ status, hasContinue }).toEqual({ status: 503, hasContinue: false });
    expect(logger.records).toMatchObject([{ level: "error", details: { status: 503, policy: "fetches" } }]);
  });
});
