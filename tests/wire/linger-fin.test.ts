import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type AttachOptions, expectations, type LingerEndMessage, refuse, silent } from "../../src/index.js";
import { gauges } from "../../src/observe/diagnostics.js";
import { deadline } from "../helpers/deadline.js";
import { closeServers, type Handler, isTlsKind, startAttached } from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { WireClient } from "../helpers/wire.js";

const CHANNEL = "express-expectations:linger-end";
const MIB = 2 ** 20;
/** How long the server waits for content to go on, in milliseconds. */
const PAUSE_MS = 300;

let ends: LingerEndMessage[] = [];
const hear = (message: unknown) => void ends.push(message as LingerEndMessage);

beforeEach(() => {
  ends = [];
  subscribe(CHANNEL, hear);
});

afterEach(async () => {
  await closeServers();
  await until("nothing lingers", () => gauges().lingeringConnections === 0);
  unsubscribe(CHANNEL, hear);
});

const upload = (length: number, fields: string) =>
  `PUT /files HTTP/1.1\r\nHost: test\r\n${fields}Content-Length: ${length}\r\n\r\n`;

/** Sends content without a pause for so long, or until the server ends its side. */
async function drip(wire: WireClient, forMs: number): Promise<{ longestPauseMs: number }> {
  const since = performance.now();
  let sentAt = since;
  let longestPauseMs = 0;
  const measure = () => {
    const now = performance.now();
    longestPauseMs = Math.max(longestPauseMs, now - sentAt);
    sentAt = now;
  };
  await until("the time is over, or the server ends its side", () => {
    if (wire.hasFin || wire.isClosed || performance.now() - since >= forMs) return true;
    measure();
    wire.send("x");
    return false;
  });
  await wire.fin();
  measure();
  return { longestPauseMs };
}

describe.each(["node:http", "node:https", "http2 allowHTTP1"] as const)("%s", (kind) => {
  async function refused(length: number, options: AttachOptions, fields = "") {
    const guard = expectations({ logger: silent, policies: [() => refuse(403)] }) as Handler;
    const { port } = await startAttached(kind, { routes: { "/files": guard } }, { logger: silent, ...options });
    return async (...content: Buffer[]) => {
      const wire = await WireClient.connect(port, { tls: isTlsKind(kind) });
      wire.send(upload(length, fields), ...content);
      expect((await wire.final()).status).toBe(403);
      return wire;
    };
  }

  test("the FIN waits for a pause in the content that still comes", async () => {
    const connect = await refused(100_000, { lingerMs: 60_000 });
    const { longestPauseMs } = await drip(await connect(Buffer.from("x")), 2 * PAUSE_MS);
    expect(longestPauseMs).toBeGreaterThan(PAUSE_MS / 2);
    expect(ends).toEqual([]);
  });

  test("the FIN goes out behind the last of the content, whatever comes after", async () => {
    const connect = await refused(5_000, { lingerMs: 60_000 });
    const wire = await connect(Buffer.from("x"));
    wire.send("x".repeat(4_999));
    await drip(wire, 60_000);
    expect(ends).toEqual([]);
  });

  test("a connection that lingers after all others have gone is ended in its time as well", async () => {
    const connect = await refused(5_000, { lingerMs: 150 });
    for (const count of [1, 2]) {
      await connect(Buffer.from("x"));
      await until("the connection is gone", () => ends.length === count);
    }
    expect(ends.map(({ reason }) => reason)).toEqual(["time", "time"]);
  });

  test("content is thrown away up to lingerBytes, and the rest is left to the client", async () => {
    const connect = await refused(16 * MIB, { lingerMs: deadline(400), lingerBytes: MIB });
    await connect(Buffer.alloc(16 * MIB));
    await until("the connection is gone", () => ends.length === 1);
    expect(ends).toMatchObject([{ reason: "time" }]);
    expect(ends[0]?.discardedBytes).toBeLessThan(2 * MIB);
  });

  test("no more is thrown away of content that the client was to hold back", async () => {
    const connect = await refused(16 * MIB, { lingerMs: deadline(400), lingerBytes: MIB }, "Expect: 100-continue\r\n");
    const wire = await connect();
    await wire.fin();
    wire.send(Buffer.alloc(16 * MIB));
    await until("the connection is gone", () => ends.length === 1);
    expect(ends).toMatchObject([{ reason: "time" }]);
    expect(ends[0]?.discardedBytes).toBeGreaterThan(0);
    expect(ends[0]?.discardedBytes).toBeLessThan(2 * MIB);
  });
});
