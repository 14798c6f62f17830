import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { type DecisionSource, dashboard, shareDecisions } from "../../../src/dashboard/dashboard.js";
import { takePart } from "../../../src/dashboard/exchange.js";
import type { LooseRecord } from "../../../src/dashboard/letter.js";
import { silent } from "../../../src/index.js";
import { refuseChannel } from "../../../src/observe/diagnostics.js";
import { safeLogger } from "../../../src/observe/logger.js";
import { recordingLogger } from "../../helpers/servers.js";

const ends: (() => void)[] = [];

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  for (const end of ends.splice(0)) end();
  jest.useRealTimers();
  expect(refuseChannel.hasSubscribers).toBe(false);
});

/** A source that keeps what is published. */
class Memory implements DecisionSource {
  readonly sent: { version: number; from: string; records: LooseRecord[] }[] = [];
  publishes: (text: string) => unknown = () => undefined;
  deliver: (text: string) => void = () => {};
  fail: (error: Error) => void = () => {};
  isEnded = false;

  publish(text: string): unknown {
    this.sent.push(JSON.parse(text));
    return this.publishes(text);
  }

  subscribe(onText: (text: string) => void, onError: (error: Error) => void): () => void {
    this.deliver = onText;
    this.fail = onError;
    return () => {
      this.isEnded = true;
    };
  }

  get counts(): number[] {
    return this.sent.map(({ records }) => records.length);
  }
}

const RECORD = { event: "expectation.refused", method: "PUT", url: "/files", status: 413, policy: "maxSize" };

function refuse(record: object = RECORD): void {
  refuseChannel.publish({ req: {}, record });
}

function share(source: DecisionSource, logger = silent): void {
  ends.push(shareDecisions(source, { logger }));
}

function read(source: DecisionSource): LooseRecord[] {
  const records: LooseRecord[] = [];
  ends.push(takePart(source, safeLogger(silent), (record) => records.push(record)));
  return records;
}

test("collects decisions for 200 ms, and sends what a page shows of them", async () => {
  const source = new Memory();
  share(source);
  refuse({ ...RECORD, requestId: "secret", url: "/".repeat(1_000) });
  refuse();
  await jest.advanceTimersByTimeAsync(199);
  expect(source.sent).toEqual([]);
  await jest.advanceTimersByTimeAsync(1);
  expect(source.sent).toEqual([
    { version: 1, from: expect.any(String), records: [{ ...RECORD, url: "/".repeat(256) }, RECORD] },
  ]);
});

test("sends 500 decisions at a time, and counts those that it leaves out", async () => {
  const source = new Memory();
  share(source);
  for (let i = 0; i < 700; i++) refuse();
  await jest.advanceTimersByTimeAsync(200);
  expect(source.sent[0]?.records.at(-1)).toEqual({ event: "expectation.omitted", omitted: 200 });
  expect(source.counts).toEqual([501]);
});

test("sends nothing while a text is on its way", async () => {
  const source = new Memory();
  let sent = () => {};
  source.publishes = () => new Promise<void>((resolve) => (sent = resolve));
  share(source);
  refuse();
  await jest.advanceTimersByTimeAsync(200);
  for (let i = 0; i < 2_000; i++) refuse();
  await jest.advanceTimersByTimeAsync(60_000);
  expect(source.counts).toEqual([1]);
  sent();
  await jest.advanceTimersByTimeAsync(200);
  expect(source.counts).toEqual([1, 501]);
  sent();
});

test.each([
  [
    "throws",
    () => {
      throw new Error("no connection");
    },
  ],
  [
    "rejects",
    async () => {
      throw new Error("no connection");
    },
  ],
])("a source that %s is reported once, and its decisions are counted later", async (_how, publishes) => {
  const source = new Memory();
  const logger = recordingLogger();
  source.publishes = publishes;
  share(source, logger);
  for (let i = 0; i < 3; i++) {
    refuse();
    await jest.advanceTimersByTimeAsync(200);
  }
  expect(logger.records).toMatchObject([
    { level: "error", details: { err: { message: "no connection" } }, message: expect.stringContaining("dashboard") },
  ]);
  source.publishes = () => undefined;
  refuse();
  await jest.advanceTimersByTimeAsync(200);
  expect(source.sent.at(-1)?.records).toEqual([RECORD, { event: "expectation.omitted", omitted: 3 }]);
  source.fail(new Error("again"));
  expect(logger.records).toHaveLength(2);
});

test("pages and shares of one source publish each decision once", async () => {
  const source = new Memory();
  share(source);
  const pages = [dashboard({ from: source, logger: silent }), dashboard({ from: source, logger: silent })];
  refuse();
  await jest.advanceTimersByTimeAsync(200);
  expect(source.counts).toEqual([1]);
  for (const page of pages) page.close();
  expect(source.isEnded).toBe(false);
  for (const end of ends.splice(0)) end();
  expect(source.isEnded).toBe(true);
});

test("reads the decisions of others, and not its own", async () => {
  const source = new Memory();
  const records = read(source);
  refuse();
  await jest.advanceTimersByTimeAsync(200);
  source.deliver(JSON.stringify(source.sent[0]));
  expect(records).toEqual([]);
  source.deliver(JSON.stringify({ ...source.sent[0], from: "another" }));
  expect(records).toEqual([RECORD]);
});

const MESSAGE = { version: 1, from: "another" };
test.each([
  ["no JSON", "{"],
  ["no object", "7"],
  ["null", "null"],
  ["no list", JSON.stringify({ ...MESSAGE, records: {} })],
  ["too many", JSON.stringify({ ...MESSAGE, records: Array(1_001).fill(RECORD) })],
  ["too long", JSON.stringify({ ...MESSAGE, records: ["x".repeat(2 ** 21)] })],
  ["another version", JSON.stringify({ ...MESSAGE, version: 2, records: [RECORD] })],
  ["no text", undefined],
  ["no records", JSON.stringify({ ...MESSAGE, records: [null, 7, "x"] })],
])("ignores what is not a text of decisions: %s", (_what, text) => {
  const source = new Memory();
  const records = read(source);
  source.deliver(text as string);
  expect(records).toEqual([]);
});

test("what it reads cannot break the page", () => {
  const source = new Memory();
  const page = dashboard({ from: source, logger: silent });
  ends.push(() => page.close());
  const records = [{ ...RECORD, url: { toString: 1 }, status: "x", __proto__: null }, { event: "x" }, [], RECORD];
  source.deliver(JSON.stringify({ ...MESSAGE, records }));
  expect(refusedOn(page)).toBe(2);
});

function refusedOn(page: ReturnType<typeof dashboard>): number {
  let body = "";
  const res: Record<string, unknown> = {
    end: (text: string) => {
      body = text;
    },
  };
  for (const name of ["writeHead", "setHeader", "removeHeader"]) res[name] = () => res;
  page({ method: "GET", url: "/summary.json", headers: {} } as never, res as never, () => {});
  return JSON.parse(body).refused;
}

test("a source that ends with an error disturbs nobody", () => {
  const source = new Memory();
  source.subscribe = () => () => {
    throw new Error("closed already");
  };
  shareDecisions(source, { logger: silent })();
});

test.each([
  [() => dashboard({ from: {} as never }), "dashboard({ from }): received an object; expected a source of decisions"],
  [() => shareDecisions(undefined as never), "shareDecisions(source): received undefined; expected a source"],
  [() => shareDecisions(new Memory(), { loger: 1 } as never), 'unknown option "loger"; did you mean logger?'],
])("a wrong option is refused: %#", (call, message) => {
  expect(call).toThrow(
    expect.objectContaining({ code: "ERR_EXPECT_OPTION", message: expect.stringContaining(message) }),
  );
});
