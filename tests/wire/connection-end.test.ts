import { once } from "node:events";
import type { Server } from "node:http";
import { afterEach, describe, expect, test } from "@jest/globals";
import { expectations, maxSize, refuse, silent } from "../../src/index.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import {
  closeServers,
  countConnections,
  type Handler,
  HTTP1_KINDS,
  isTlsKind,
  next,
  startAttached,
  store,
} from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { pendingPolicy } from "../helpers/verdict.js";
import { WireClient } from "../helpers/wire.js";

expectNothingDeadly();
afterEach(closeServers);

const EXPECT = "Expect: 100-continue\r\n";
const NEXT = "GET /next HTTP/1.1\r\nHost: test\r\n\r\n";
const head = (method: string, fields: string) => `${method} /files HTTP/1.1\r\nHost: test\r\n${fields}\r\n`;

const refusing = expectations({ logger: silent, policies: [() => refuse(403)] }) as Handler;

describe.each(HTTP1_KINDS)("%s", (kind) => {
  async function serve(...handlers: Handler[]) {
    const ran: string[] = [];
    const countedNext: Handler = (req, res, done) => {
      ran.push("next");
      next(req, res, done);
    };
    const routes = { "/files": handlers, "/next": countedNext };
    const { port, server } = await startAttached(kind, { routes }, { logger: silent });
    return { wire: await WireClient.connect(port, { tls: isTlsKind(kind) }), ran, server: server as Server };
  }

  test("a refused request without content is the last of its connection where it expected a 100", async () => {
    const { wire, ran } = await serve(refusing, store);
    wire.send(head("GET", EXPECT));
    expect(await wire.final()).toMatchObject({ status: 403, headers: { connection: "close" } });
    wire.send(NEXT);
    await wire.closed();
    expect(ran).toEqual([]);
    expect(wire.statuses).toEqual([403]);
  });

  test("a client that leaves within an upload whose refusal waits for an earlier response leaves no connection", async () => {
    const { wire, server } = await serve(expectations({ logger: silent, policies: [maxSize(5)] }) as Handler, () => {});
    // The application never answers the first one.
    wire.send(`${head("PUT", "Content-Length: 5\r\n")}hello`);
    wire.send(`${head("PUT", "Transfer-Encoding: chunked\r\n")}6\r\nhello!\r\n`);
    await once(server, "request");
    wire.socket.end();
    await until("the connection is gone", async () => (await countConnections(server)) === 0);
    expect(wire.statuses).toEqual([]);
  });

  test.each([
    ["Content-Length: 0", "Content-Length: 0\r\n"],
    ["no Content-Length", ""],
  ])("a refused request without content and Expect leaves its connection open (%s)", async (_name, fields) => {
    const { wire, ran } = await serve(refusing, store);
    wire.send(head("POST", fields));
    const { status, headers } = await wire.final();
    expect(status).toBe(403);
    expect(headers.connection).not.toBe("close");
    expect(await wire.answersNext()).toBe(true);
    expect(ran).toEqual(["next"]);
  });

  test.each([
    ["with Expect", EXPECT],
    ["without Expect", ""],
  ])("a refusal is the last response also where all content has come before it (%s)", async (_name, expectation) => {
    const { policy, asked, decide } = pendingPolicy();
    const guard = expectations({ logger: silent, policies: [policy] }) as Handler;
    const { wire, ran } = await serve(guard, store);
    wire.send(`${head("PUT", `${expectation}Content-Length: 5\r\n`)}hello`);
    const request = await asked;
    await until("the content has come", () => request.complete);
    decide(refuse(403));
    expect(await wire.final()).toMatchObject({ status: 403, headers: { connection: "close" } });
    wire.send(NEXT);
    await wire.closed();
    expect(ran).toEqual([]);
    expect(wire.statuses).toEqual([403]);
  });

  test("a success is the last response where much content is still to come and nobody reads it", async () => {
    const { wire, ran } = await serve((_req, res) => void res.end("ok"));
    wire.send(head("PUT", "Content-Length: 65537\r\n"));
    expect(await wire.final()).toMatchObject({ status: 200, headers: { connection: "close" }, body: "ok" });
    wire.send(`${"x".repeat(65_537)}${NEXT}`);
    await wire.closed();
    expect(ran).toEqual([]);
    expect(wire.statuses).toEqual([200]);
  });
});
