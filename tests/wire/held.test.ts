import type { IncomingMessage, Server } from "node:http";
import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { concurrency, expectations, type Policy, refuse, silent } from "../../src/index.js";
import { stopTheClock } from "../helpers/clock.js";
import { deferred } from "../helpers/deferred.js";
import {
  closeServers,
  type Handler,
  HTTP1_KINDS,
  isTlsKind,
  next,
  start,
  startAttached,
  store,
} from "../helpers/servers.js";
import { pendingPolicy } from "../helpers/verdict.js";
import { PLAIN, UPLOAD, WireClient } from "../helpers/wire.js";

afterEach(() => void jest.useRealTimers());
afterEach(closeServers);

const NEXT = "GET /next HTTP/1.1\r\nHost: test\r\n\r\n";

/** Resolves when Node has parsed a request for a path, and all that hear of it have. */
function arrivalOf(path: string, server: Server): Promise<void> {
  const arrival = deferred();
  const { emit } = server;
  server.emit = function (this: Server, ...args: [string, ...unknown[]]) {
    const isHeard = Reflect.apply(emit, this, args);
    if (args[0] === "request" && (args[1] as IncomingMessage).url === path) arrival.resolve();
    return isHeard;
  } as typeof emit;
  return arrival.promise;
}

describe.each(HTTP1_KINDS)("%s", (kind) => {
  const connect = (port: number) => WireClient.connect(port, { tls: isTlsKind(kind) });

  test("a place that an upload took behind a slow response is free when the client leaves", async () => {
    const taken = deferred();
    const left = deferred();
    const take: Policy = () => {
      taken.resolve();
      return true;
    };
    const guard = expectations({ logger: silent, policies: [concurrency({ limit: 1 }), take] }) as Handler;
    const slow: Handler = (req) => void req.socket.once("close", () => left.resolve());
    const routes = { "/slow": slow, "/files": [guard, store] };
    const { port } = await startAttached(kind, { routes }, { logger: silent });
    const wire = await connect(port);
    wire.send(`GET /slow HTTP/1.1\r\nHost: test\r\n\r\n${UPLOAD}`);
    await taken.promise;
    wire.destroy();
    await left.promise;
    const other = await connect(port);
    other.send(UPLOAD);
    await other.until("a verdict", () => other.responses.length > 0);
    expect(other.statuses).toEqual([100]);
  });

  test.each([
    ["runs behind its answer", true, ["/files", "/next"], [201, 200]],
    ["never runs behind its refusal", refuse(403), [], [403]],
  ] as const)("what is pipelined behind the first request of a server that nobody attached %s", async (...row) => {
    const [, answer, ranInTheEnd, statuses] = row;
    const verdict = pendingPolicy();
    const ran: string[] = [];
    const guard = expectations({ logger: silent, policies: [verdict.policy] }) as Handler;
    const noted =
      (path: string, handler: Handler): Handler =>
      (req, res, next) => {
        ran.push(path);
        handler(req, res, next);
      };
    const routes = { "/files": [guard, noted("/files", store)], "/next": noted("/next", next) };
    const { port, server } = await start(kind, { routes });
    const wire = await connect(port);
    wire.send(`${PLAIN}hello`);
    await verdict.asked;
    const arrival = arrivalOf("/next", server as Server);
    wire.send(NEXT);
    await arrival;
    expect(ran).toEqual([]);
    verdict.decide(answer);
    if (statuses.length === 1) await wire.fin();
    else await wire.final(statuses.length);
    expect(ran).toEqual(ranInTheEnd);
    expect(wire.statuses).toEqual(statuses);
  });

  test("what is pipelined behind a pending verdict waits as long as that", async () => {
    const verdict = pendingPolicy();
    const guard = expectations({ logger: silent, policyTimeoutMs: 60_000, policies: [verdict.policy] }) as Handler;
    const routes = { "/files": [guard, store], "/next": next };
    const { port, server } = await startAttached(kind, { routes }, { logger: silent });
    const arrival = arrivalOf("/next", server as Server);
    const wire = await connect(port);
    stopTheClock();
    wire.send(`${UPLOAD}hello${NEXT}`);
    await verdict.asked;
    await arrival;
    jest.advanceTimersByTime(59_000);
    expect(wire.isClosed || wire.hasFin).toBe(false);
    verdict.decide(true);
    await wire.final(2);
    expect(await wire.answersNext()).toBe(true);
    expect(wire.statuses).toEqual([201, 200, 200]);
  });

  test("what is pipelined behind a slow handler runs as soon as the content is there, and is answered in order", async () => {
    const ran: string[] = [];
    let answered = () => {};
    const isNextAnswered = new Promise<void>((resolve) => {
      answered = resolve;
    });
    const slow: Handler = (req, res) => {
      ran.push("slow");
      req.on("data", () => {}).on("end", () => void isNextAnswered.then(() => res.end("first")));
    };
    const second: Handler = (_req, res) => {
      ran.push("next");
      res.end("second");
      answered();
    };
    const guard = expectations({ logger: silent }) as Handler;
    const routes = { "/files": [guard, slow], "/next": second };
    const { port } = await startAttached(kind, { routes }, { logger: silent });
    const wire = await connect(port);
    wire.send(`${PLAIN}hello${NEXT}`);
    await wire.final(2);
    expect(ran).toEqual(["slow", "next"]);
    expect(wire.responses.map(({ body }) => body)).toEqual(["first", "second"]);
    expect(await wire.answersNext()).toBe(true);
  });

  test("a request that is refused when the next one has been dispatched keeps the connection for its answer", async () => {
    let asked = () => {};
    const isNextAnswered = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const late: Handler = (_req, _res, done) => void isNextAnswered.then(() => done());
    const guard = expectations({ logger: silent, policies: [() => refuse(403)] }) as Handler;
    const answered: Handler = (_req, res) => {
      res.end("next");
      asked();
    };
    const routes = { "/files": [late, guard, store], "/next": answered };
    const { port } = await startAttached(kind, { routes }, { logger: silent });
    const wire = await connect(port);
    wire.send(`${PLAIN}hello${NEXT}`);
    await wire.final(2);
    expect(wire.statuses).toEqual([403, 200]);
  });
});
