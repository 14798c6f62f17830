import { setTimeout as after } from "node:timers/promises";
import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { Registry } from "prom-client";
import { expectations, maxSize, type Policy, refuse, silent } from "../../src/index.js";
import { gauges } from "../../src/observe/diagnostics.js";
import { instrument } from "../../src/observe/prometheus.js";
import { closeSessions, exchange, openSession } from "../helpers/http2.js";
import { closeServers, type Handler, HTTP1_KINDS, isTlsKind, next, startAttached, store } from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { WireClient } from "../helpers/wire.js";

const MIB = 2 ** 20;
const PUT = "PUT /files HTTP/1.1\r\nHost: test\r\n";
const EXPECT = "Expect: 100-continue\r\n";

const undoes: (() => void)[] = [];

afterEach(async () => {
  closeSessions();
  await closeServers();
  await until("nothing lingers", () => gauges().lingeringConnections === 0);
  for (const undo of undoes.splice(0)) undo();
});

function instrumented(): Registry {
  const registry = new Registry();
  undoes.push(instrument(registry));
  return registry;
}

/** The samples that a scrape sees, by name and labels as they are written. */
async function scrape(registry: Registry): Promise<Record<string, number>> {
  const lines = (await registry.metrics()).match(/^http_.*$/gm) ?? [];
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]),
  );
}

async function decisions(registry: Registry): Promise<Record<string, number>> {
  const samples = Object.entries(await scrape(registry));
  return Object.fromEntries(samples.filter(([name]) => name.startsWith("http_expectations_total{")));
}

const decided = (decision: string, status: string, policy: string) =>
  `http_expectations_total{decision="${decision}",status="${status}",policy="${policy}"}`;
const decisionCount = (decision: string) => `http_expectation_decision_seconds_count{decision="${decision}"}`;

const broken: Policy = function broken(req) {
  if (req.headers["x-break"] !== undefined) throw new Error("broken");
  return true;
};
const guard = expectations({ policies: [broken, maxSize("1mb")], logger: silent }) as Handler;
const PARTS = { use: [guard], routes: { "/files": store, "/next": next } };

describe.each(HTTP1_KINDS)("%s", (kind) => {
  test("counts what a client sees: a 100, none, a refusal and a fault", async () => {
    const registry = instrumented();
    const { port } = await startAttached(kind, PARTS, { logger: silent });
    const connect = () => WireClient.connect(port, { tls: isTlsKind(kind) });

    const accepted = await connect();
    accepted.send(PUT, EXPECT, "Content-Length: 5\r\n\r\n");
    await accepted.status(100);
    accepted.send("hello");
    await accepted.final();
    accepted.send(PUT, "Content-Length: 5\r\n\r\nhello");
    await accepted.final(2);
    expect(await accepted.answersNext()).toBe(true);
    expect(accepted.statuses).toEqual([100, 201, 201, 200]);

    const refused = await connect();
    refused.send(PUT, EXPECT, `Content-Length: ${5 * MIB}\r\n\r\n`);
    expect((await refused.final()).status).toBe(413);
    const failed = await connect();
    failed.send(PUT, EXPECT, `X-Break: 1\r\nContent-Length: ${MIB}\r\n\r\n`);
    expect((await failed.final()).status).toBe(500);
    await Promise.all([refused.closed(), failed.closed()]);

    expect(await decisions(registry)).toEqual({
      [decided("accepted", "100", "none")]: 1,
      [decided("accepted", "none", "none")]: 1,
      [decided("refused", "413", "maxSize")]: 1,
      [decided("error", "500", "broken")]: 1,
    });
    expect(await scrape(registry)).toMatchObject({
      [decisionCount("accepted")]: 2,
      [decisionCount("refused")]: 1,
      [decisionCount("error")]: 1,
      http_expectation_first_content_seconds_count: 1,
      http_expectation_spared_bytes_total: 6 * MIB,
    });
  });
});

test("counts on HTTP/2", async () => {
  const registry = instrumented();
  const session = await openSession(await startAttached("h2c", PARTS, { logger: silent }));
  const head = { ":method": "PUT", ":path": "/files", expect: "100-continue" };
  await exchange(session, { ...head, "content-length": 5 }, { content: "hello" });
  await exchange(session, { ...head, "content-length": 2 * MIB });
  expect(await decisions(registry)).toEqual({
    [decided("accepted", "100", "none")]: 1,
    [decided("refused", "413", "maxSize")]: 1,
  });
  expect((await scrape(registry)).http_expectation_first_content_seconds_count).toBe(1);
});

test("counts an upload that is cut off after its 100 as accepted and as refused", async () => {
  const registry = instrumented();
  const { port } = await startAttached("node:http", PARTS, { logger: silent });
  const wire = await WireClient.connect(port);
  wire.send(PUT, EXPECT, "Transfer-Encoding: chunked\r\n\r\n");
  await wire.status(100);
  wire.send("200000\r\n", Buffer.alloc(2 * MIB));
  expect((await wire.final()).status).toBe(413);
  await wire.closed();
  expect(await decisions(registry)).toEqual({
    [decided("accepted", "100", "none")]: 1,
    [decided("refused", "413", "maxSize")]: 1,
  });
  expect((await scrape(registry))['http_expectation_cut_off_uploads_total{policy="maxSize"}']).toBe(1);
});

test("times the verdict, and then how long the client takes for its content", async () => {
  const registry = instrumented();
  const slow = expectations({ policies: [() => after(120, true)], logger: silent }) as Handler;
  const { port } = await startAttached("node:http", { ...PARTS, use: [slow] }, { logger: silent });
  const wire = await WireClient.connect(port);
  const sentAt = performance.now();
  wire.send(PUT, EXPECT, "Content-Length: 5\r\n\r\n");
  await wire.status(100);
  const verdictTook = performance.now() - sentAt;
  await after(260);
  wire.send("hello");
  await wire.final();
  const seen = await scrape(registry);
  const verdict = seen['http_expectation_decision_seconds_sum{decision="accepted"}'] as number;
  expect(verdict).toBeGreaterThan(0.11);
  expect(verdict).toBeLessThanOrEqual(verdictTook / 1000);
  const content = seen.http_expectation_first_content_seconds_sum as number;
  expect(content).toBeGreaterThan(0.25);
  expect(content).toBeLessThan(60);
});

test("shows the handshakes that wait for a verdict, and the refused connections that linger", async () => {
  const registry = instrumented();
  let answer = (_verdict: ReturnType<typeof refuse>) => {};
  const verdict = new Promise<ReturnType<typeof refuse>>((resolve) => {
    answer = resolve;
  });
  const waiting = expectations({ policies: [() => verdict], logger: silent }) as Handler;
  const { port } = await startAttached("node:http", { ...PARTS, use: [waiting] }, { logger: silent });
  const now = async () => {
    const seen = await scrape(registry);
    return [seen.http_expectation_pending_handshakes, seen.http_expectation_lingering_connections];
  };
  expect(await now()).toEqual([0, 0]);

  const wires = await Promise.all([WireClient.connect(port), WireClient.connect(port)]);
  for (const wire of wires) wire.send(PUT, EXPECT, "Content-Length: 5\r\n\r\n");
  await until("two wait", async () => (await now())[0] === 2);
  answer(refuse(403));
  for (const wire of wires) await wire.final();
  await until("two linger", async () => (await now())[1] === 2);
  expect(await now()).toEqual([0, 2]);

  for (const wire of wires) await wire.closed();
  await until("none lingers", async () => (await now())[1] === 0);
});

test("takes no label from a client", async () => {
  const registry = instrumented();
  const { port } = await startAttached("node:http", PARTS, { logger: silent });
  for (const fields of [
    "Expect: sneaky=1\r\nContent-Length: 5\r\n",
    "X-Break: sneaky\r\nUser-Agent: sneaky\r\nX-Request-Id: sneaky\r\nContent-Length: 5\r\n",
    "Content-Type: sneaky/sneaky\r\nContent-Length: 9999999\r\n",
  ]) {
    const wire = await WireClient.connect(port);
    wire.send("SEARCH /files?sneaky HTTP/1.1\r\nHost: sneaky\r\n", fields, "\r\n");
    await wire.final();
    wire.destroy();
  }
  expect(Object.keys(await decisions(registry)).sort()).toEqual([
    decided("error", "500", "broken"),
    decided("refused", "413", "maxSize"),
    decided("refused", "417", "unknown-expectation"),
  ]);
  expect(await registry.metrics()).not.toContain("sneaky");
});

test("counts a length that no client means as 1 TiB", async () => {
  const registry = instrumented();
  const { port } = await startAttached("node:http", PARTS, { logger: silent });
  const wire = await WireClient.connect(port);
  wire.send(PUT, EXPECT, "Content-Length: 9007199254740991\r\n\r\n");
  expect((await wire.final()).status).toBe(413);
  wire.destroy();
  expect((await scrape(registry)).http_expectation_spared_bytes_total).toBe(2 ** 40);
});

test("metrics that throw change no response", async () => {
  const registry = instrumented();
  const thrown = jest.fn(() => {
    throw new Error("metrics are full");
  });
  for (const metric of registry.getMetricsAsArray()) {
    for (const method of ["inc", "observe", "set"]) if (method in metric) Object.assign(metric, { [method]: thrown });
  }
  const warn = jest.spyOn(process, "emitWarning").mockImplementation(() => {});
  try {
    const { port } = await startAttached("node:http", PARTS, { logger: silent });
    const wire = await WireClient.connect(port);
    for (let i = 1; i <= 2; i++) {
      wire.send(PUT, EXPECT, "Content-Length: 5\r\n\r\n");
      await wire.until("a 100", () => wire.statuses.filter((status) => status === 100).length === i);
      wire.send("hello");
      await wire.final(i);
    }
    wire.send(PUT, EXPECT, `Content-Length: ${2 * MIB}\r\n\r\n`);
    await wire.final(3);
    expect(wire.statuses).toEqual([100, 201, 100, 201, 413]);
    await wire.closed();

    const failed = await WireClient.connect(port);
    failed.send(PUT, "X-Break: 1\r\nContent-Length: 5\r\n\r\nhello");
    expect((await failed.final()).status).toBe(500);
    await failed.closed();

    // Two accepted, two with content, one refused, one fault.
    expect(thrown).toHaveBeenCalledTimes(6);
    // One for each channel.
    expect(warn).toHaveBeenCalledTimes(4);
    await expect(registry.metrics()).rejects.toThrow("metrics are full");
  } finally {
    warn.mockRestore();
  }
});

test("counts nothing any more once it is undone", async () => {
  const registry = new Registry();
  const undo = instrument(registry);
  const { port } = await startAttached("node:http", PARTS, { logger: silent });
  undo();
  const wire = await WireClient.connect(port);
  wire.send(PUT, EXPECT, `Content-Length: ${2 * MIB}\r\n\r\n`);
  expect((await wire.final()).status).toBe(413);
  await wire.closed();
  expect(registry.getMetricsAsArray()).toEqual([]);
});
