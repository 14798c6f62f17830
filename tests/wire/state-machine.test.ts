import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { expectations, maxSize, refuse, silent } from "../../src/index.js";
import { deadline } from "../helpers/deadline.js";
import fc from "../helpers/properties.js";
import { closeServers, type Handler, type RunningServer, startAttached } from "../helpers/servers.js";
import { WireClient, type WireResponse } from "../helpers/wire.js";

// Any order of verdicts, reads, pauses, answers, errors, disconnects and timeouts, on real sockets: what is on the wire
// is always legal, and nothing is left behind. The plan of each request travels in a field of its own.

const VERDICTS = ["accept", "refuse", "accept later", "refuse later", "throw", "reject", "never"] as const;
const ACTS = [
  "read",
  "discard",
  "pause",
  "resume",
  "pipe to response",
  "write head",
  "write",
  "answer 200",
  "answer 404",
  "destroy request",
  "wait",
  "throw",
  "next error",
  "ask for the 100",
] as const;
const SENDS = ["head", "half", "rest", "over", "wait", "wait for an answer", "next request"] as const;
const ENDS = ["close", "FIN", "RST", "wait"] as const;

interface RequestPlan {
  readonly verdicts: readonly (typeof VERDICTS)[number][];
  readonly acts: readonly (typeof ACTS)[number][];
}

interface ConnectionPlan extends RequestPlan {
  readonly expects: boolean;
  readonly isChunked: boolean;
  readonly sends: readonly (typeof SENDS)[number][];
  readonly end: (typeof ENDS)[number];
}

const plans: fc.Arbitrary<ConnectionPlan> = fc.record({
  verdicts: fc.array(fc.constantFrom(...VERDICTS), { maxLength: 2 }),
  acts: fc.array(fc.constantFrom(...ACTS), { maxLength: 5 }),
  expects: fc.boolean(),
  isChunked: fc.boolean(),
  sends: fc.array(fc.constantFrom(...SENDS), { maxLength: 6 }),
  end: fc.constantFrom(...ENDS),
});

const planOf = (req: { headers: Record<string, unknown> }): RequestPlan => JSON.parse(String(req.headers["x-plan"]));
const later = <T>(value: T, isGood = true): Promise<T> =>
  new Promise((resolve, reject) => setTimeout(() => (isGood ? resolve(value) : reject(value)), 5));

function verdict(kind: RequestPlan["verdicts"][number] | undefined) {
  switch (kind) {
    case "refuse":
      return refuse(403);
    case "accept later":
      return later(true);
    case "refuse later":
      return later(refuse(403));
    case "throw":
      throw new Error("planned");
    case "reject":
      return later(new Error("planned"), false) as Promise<never>;
    case "never":
      return new Promise<never>(() => {});
    default:
      return true;
  }
}

const guardOf = (i: number) =>
  expectations({
    logger: silent,
    policyTimeoutMs: 40,
    policies: [maxSize(SIZE), (req) => verdict(planOf(req as never).verdicts[i])],
  }) as Handler;

/** The size that the guards allow. */
const SIZE = 1000;

const act: Handler = (req, res, next) => {
  req.on("error", () => {});
  res.on("error", () => {});
  const acts = [...planOf(req).acts];
  const hand: Hand = { isSync: true, isHandedOn: false };
  const step = () => {
    const now = acts.shift();
    if (now === undefined) return;
    if (now === "wait") {
      hand.isSync = false;
      setTimeout(step, 3);
      return;
    }
    if (perform(now, hand, req, res, next)) step();
  };
  step();
};

interface Hand {
  isSync: boolean;
  /** Whether the framework answers: an application that answers as well is wrong by itself. */
  isHandedOn: boolean;
}

// Whether the plan goes on behind it.
function perform(
  now: RequestPlan["acts"][number],
  hand: Hand,
  req: Parameters<Handler>[0],
  res: ServerResponse,
  next: Parameters<Handler>[2],
): boolean {
  switch (now) {
    case "read":
      req.on("data", () => {});
      req.on("end", () => hand.isHandedOn || res.writableEnded || res.end("read"));
      return true;
    case "discard":
    case "resume":
      req.resume();
      return true;
    case "pause":
      req.pause();
      return true;
    case "pipe to response":
      req.pipe(res);
      return false;
    case "write head":
      if (!res.headersSent) res.writeHead(200);
      return true;
    case "write":
      if (!res.writableEnded) res.write("x");
      return true;
    case "answer 200":
    case "answer 404":
      if (res.writableEnded) return false;
      if (!res.headersSent) res.statusCode = now === "answer 200" ? 200 : 404;
      res.end("answer");
      return true;
    case "destroy request":
      req.destroy();
      return false;
    case "throw":
    case "next error":
      hand.isHandedOn = true;
      if (now === "throw" && hand.isSync) throw new Error("planned");
      next(new Error("planned"));
      return false;
    default:
      // On a request that announces nothing it is Node's own, which asks nobody.
      if (req.method === "PUT") res.writeContinue();
      return true;
  }
}

async function play(running: RunningServer, plan: ConnectionPlan): Promise<void> {
  const wire = await WireClient.connect(running.port);
  const header = `X-Plan: ${JSON.stringify({ verdicts: plan.verdicts, acts: plan.acts })}\r\n`;
  const framing = plan.isChunked ? "Transfer-Encoding: chunked\r\n" : `Content-Length: ${SIZE}\r\n`;
  const head = `PUT /files HTTP/1.1\r\nHost: test\r\n${plan.expects ? "Expect: 100-continue\r\n" : ""}${framing}${header}\r\n`;
  const half = "x".repeat(SIZE / 2);
  const piece = plan.isChunked ? `${half.length.toString(16)}\r\n${half}\r\n` : half;
  let requests = 1;
  let hasEnded = false;
  wire.send(head);
  for (const send of plan.sends) {
    if (send === "half") wire.send(piece);
    else if (send === "rest") wire.send(piece, piece, plan.isChunked ? "0\r\n\r\n" : "");
    else if (send === "over") wire.send(piece, piece, piece);
    else if (send === "wait") await later(undefined);
    else if (send === "wait for an answer") await settled(wire, 60);
    else {
      requests++;
      wire.send(send === "head" ? head : `GET /next HTTP/1.1\r\nHost: test\r\n${header}\r\n`);
    }
    assertLegal(wire.responses, requests, plan);
  }
  if (plan.end === "wait") await settled(wire, 120);
  if (plan.end === "FIN") {
    wire.socket.end();
    hasEnded = true;
    await settled(wire, 60);
  }
  assertLegal(wire.responses, requests, plan);
  if (plan.end === "RST" && !hasEnded) wire.socket.resetAndDestroy();
  else wire.socket.destroy();
  await wire.until("the client's socket is closed", () => wire.isClosed);
}

/** Something final came, or the connection ended, or the time is up. */
async function settled(wire: WireClient, deadlineMs: number): Promise<void> {
  const before = wire.finals.length;
  await wire
    .until("an answer", () => wire.finals.length > before || wire.hasFin || wire.isClosed, deadlineMs)
    .catch(() => {});
}

function assertLegal(responses: readonly WireResponse[], requests: number, plan: ConnectionPlan): void {
  const sequence = responses.map(({ status }) => status);
  const told = `${JSON.stringify(plan)} -> ${sequence.join(" ")}`;
  const finals = responses.filter(({ status }) => status >= 200);
  // Content beyond what was announced is garbage on a connection that is kept: Node answers that with a 400.
  const garbage = finals.at(-1)?.status === 400 ? 1 : 0;
  if (finals.length > requests + garbage) throw new Error(`more finals than requests: ${told}`);
  let continues = 0;
  let isOver = false;
  for (const { status, headers } of responses) {
    if (isOver) throw new Error(`something behind a final that closes: ${told}`);
    if (status === 100) {
      continues++;
      if (!plan.expects) throw new Error(`a 100 that nobody asked for: ${told}`);
      if (continues > 1) throw new Error(`two 100s before a final: ${told}`);
    } else {
      continues = 0;
      isOver = headers.connection === "close";
    }
  }
}

describe("the handshake under fire", () => {
  let running: RunningServer;
  const faults: unknown[] = [];
  const keep = (error: unknown) => void faults.push(error);
  const sockets = new Set<Socket>();

  beforeAll(async () => {
    process.on("uncaughtException", keep).on("unhandledRejection", keep);
    running = await startAttached(
      "Express 5",
      { use: [guardOf(0)], routes: { "/files": [guardOf(1), act], "/next": act } },
      { logger: silent, lingerMs: 100, bodyTimeoutMs: 40 },
    );
    (running.server as Server).on("connection", (socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
    });
  });
  afterAll(async () => {
    process.off("uncaughtException", keep).off("unhandledRejection", keep);
    await closeServers();
  });

  test("puts legal sequences alone on the wire, and leaves nothing behind", async () => {
    const numRuns = Number(process.env.STATE_MACHINE_RUNS ?? 60);
    await fc.assert(
      fc.asyncProperty(fc.array(plans, { minLength: 1, maxLength: 12 }), async (batch) => {
        await Promise.all(batch.map((plan) => play(running, plan)));
        const patience = Date.now() + deadline(2_000);
        while (sockets.size > 0 && Date.now() < patience) await later(undefined);
        if (sockets.size > 0) {
          for (const socket of sockets) socket.destroy();
          throw new Error("a socket was left");
        }
        expect(faults).toEqual([]);
      }),
      { numRuns, endOnFailure: process.env.CI !== undefined, verbose: 1 },
    );
    const end = Date.now() + deadline(5_000);
    while (sockets.size > 0 && Date.now() < end) await later(undefined);
    expect(sockets.size).toBe(0);
    const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length;
    while (timers() > 2 && Date.now() < end) await later(undefined);
    // Node's own check of connections, and the deadline of this test.
    expect(timers()).toBeLessThanOrEqual(2);
  }, 120_000);
});
