import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs/promises";
import * as net from "node:net";
import * as path from "node:path";
import { text } from "node:stream/consumers";
import { isDeepStrictEqual } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { deadline } from "../helpers/deadline.js";
import { WireClient } from "../helpers/wire.js";
import { Checkout, type Program } from "./checkout.js";

// Builds the package first.
jest.setTimeout(60_000);

const EXAMPLE = "examples/opentelemetry";
const INSTRUMENTATION = ["--import", `./${EXAMPLE}/instrumentation.mjs`];
const DEADLINE_MS = 8_000;

/** Keeps what the console exporters are given, and tells all of it, flushed, to whoever connects. */
const COLLECT = `import net from "node:net";
import { metrics, trace } from "@opentelemetry/api";
import { ConsoleMetricExporter } from "@opentelemetry/sdk-metrics";
import { ConsoleSpanExporter } from "@opentelemetry/sdk-trace-node";

const spans = [];
let instruments = [];
ConsoleSpanExporter.prototype.export = (ended, done) => {
  for (const { kind, attributes, status, events } of ended) spans.push({ kind, attributes, status, events });
  done({ code: 0 });
};
ConsoleMetricExporter.prototype.export = ({ scopeMetrics }, done) => {
  instruments = scopeMetrics.find(({ scope }) => scope.name === "express-expectations")?.metrics ?? [];
  done({ code: 0 });
};
const server = net.createServer(async (socket) => {
  await trace.getTracerProvider().getDelegate().forceFlush();
  await metrics.getMeterProvider().forceFlush();
  // An attribute without a value is one, to some exporters.
  socket.end(JSON.stringify({ spans, instruments }, (_key, value) => value ?? null));
});
server.listen(0, "127.0.0.1", () => console.log("telemetry on port " + server.address().port));
`;

/** The instrumentation comes when the server listens. */
const LATE = `import { start } from "./${EXAMPLE}/server.mjs";
const server = await start(0, process.argv[2]);
await import("./${EXAMPLE}/instrumentation.mjs");
console.log("listening on http://127.0.0.1:" + server.address().port);
`;

const THROW = `import { subscribe } from "node:diagnostics_channel";
for (const name of ["accept", "refuse", "error", "content", "linger-end"]) {
  subscribe("express-expectations:" + name, () => {
    throw new Error("a subscriber's own");
  });
}
`;

const COMMONJS = `const express = require("express");
const { attach, expectations, maxSize } = require("express-expectations");
const app = express();
const onRefusal = (refusal, _req, res) => {
  res.status(refusal.status).end();
  throw new Error("after the answer");
};
app.put("/files/answered", expectations({ policies: [maxSize("1mb")], onRefusal }));
app.put("/files/:name", expectations({ policies: [maxSize("1mb")] }), (req, res) => req.pipe(res));
const server = attach(app.listen(0, "127.0.0.1"));
server.on("listening", () => console.log("listening on http://127.0.0.1:" + server.address().port));
`;

interface Span {
  readonly kind: number;
  readonly attributes: Record<string, unknown>;
  readonly status: { code: number; message?: string };
  readonly events: readonly { name: string; attributes: Record<string, unknown> }[];
}

interface Instrument {
  readonly descriptor: { name: string; unit: string };
  readonly dataPoints: { attributes: Record<string, unknown>; value: number | Histogram }[];
}

interface Histogram {
  readonly count: number;
  readonly sum: number;
}

interface Report {
  readonly spans: readonly Span[];
  readonly instruments: readonly Instrument[];
}

let checkout: Checkout;
let folder: string;
let clients: WireClient[] = [];

beforeAll(async () => {
  checkout = await Checkout.make();
  await checkout.build();
  await checkout.write("collect.mjs", COLLECT);
  await checkout.write("late.mjs", LATE);
  await checkout.write("throw.mjs", THROW);
  await checkout.write("commonjs.cjs", COMMONJS);
  folder = await fs.mkdtemp(path.join(checkout.folder, "stored-"));
});
afterEach(async () => {
  for (const client of clients) client.destroy();
  clients = [];
});
afterAll(() => checkout.remove());

/** A server that runs in a process of its own, and what it has told OpenTelemetry. */
class Observed {
  /** What had been told when this test began. */
  #before: Report = { spans: [], instruments: [] };

  private constructor(
    readonly program: Program,
    readonly port: number,
    readonly telemetryPort: number,
  ) {}

  static async start(...args: string[]): Promise<Observed> {
    const program = checkout.start(["--import", "./collect.mjs", ...args], { OTEL_SEMCONV_STABILITY_OPT_IN: "http" });
    const telemetryPort = Number((await program.printed(/telemetry on port (\d+)/))[1]);
    return new Observed(program, await program.port(), telemetryPort);
  }

  /** Forgets what it has told until now: the next test is told what is its own. */
  async forget(): Promise<void> {
    this.#before = await this.#told();
  }

  async report(): Promise<Report> {
    const { spans, instruments } = await this.#told();
    return {
      spans: spans.slice(this.#before.spans.length),
      instruments: instruments.map((instrument) => since(this.#before, instrument)).filter(hasPoints),
    };
  }

  async #told(): Promise<Report> {
    return JSON.parse(await text(net.connect(this.telemetryPort, "127.0.0.1"))) as Report;
  }

  /** Asks until it is true: a span ends with the response's connection, later than the client has its answer. */
  async until(what: string, isTrue: (report: Report) => boolean): Promise<Report> {
    const end = performance.now() + deadline(DEADLINE_MS);
    for (;;) {
      const report = await this.report();
      if (isTrue(report)) return report;
      if (performance.now() > end) throw new Error(`not in time: ${what}: ${JSON.stringify(report)}`);
    }
  }

  /** Waits for the end of a request's span, which is the only one of that request. */
  async spanOf(name: string): Promise<Span> {
    const of = ({ spans }: Report) => spans.filter(({ attributes }) => attributes["url.path"] === `/files/${name}`);
    const spans = of(await this.until(`the span of ${name}`, (report) => of(report).length > 0));
    expect(spans).toHaveLength(1);
    expect(spans[0]?.kind).toBe(SERVER);
    return spans[0] as Span;
  }
}

const hasPoints = ({ dataPoints }: Instrument) => dataPoints.length > 0;

/** What an instrument has counted and measured since a report. */
function since(before: Report, { descriptor, dataPoints }: Instrument): Instrument {
  const earlier = before.instruments.find((other) => other.descriptor.name === descriptor.name)?.dataPoints ?? [];
  const points = dataPoints.map(({ attributes, value }) => {
    const was = earlier.find((point) => isDeepStrictEqual(point.attributes, attributes))?.value;
    return { attributes, value: less(value, was) };
  });
  return { descriptor, dataPoints: points.filter(({ value }) => value !== 0) };
}

function less(value: number | Histogram, was: number | Histogram | undefined): number | Histogram {
  if (typeof value === "number") return value - Number(was ?? 0);
  const { count, sum } = (was ?? { count: 0, sum: 0 }) as Histogram;
  return value.count === count ? 0 : { count: value.count - count, sum: value.sum - sum };
}

const SERVER = 1;
const UNSET = 0;
const ERROR = 2;

const put = (name: string, ...fields: string[]) =>
  [`PUT /files/${name} HTTP/1.1`, "Host: test", ...fields, "", ""].join("\r\n");
const EXPECT = "Expect: 100-continue";

async function connected(port: number): Promise<WireClient> {
  const wire = await WireClient.connect(port);
  clients.push(wire);
  return wire;
}

/** Sends a head that expects a 100; the content only if the server asks for it. */
async function upload(port: number, name: string, framing: string, content = ""): Promise<WireClient> {
  const wire = await connected(port);
  wire.send(put(name, EXPECT, framing));
  await wire.until("an answer", () => wire.statuses.length > 0);
  if (wire.statuses[0] === 100) wire.send(content);
  await wire.final();
  return wire;
}

const eventsOf = ({ events }: Span) => events.map(({ name, attributes }) => [name, attributes]);

/** All points of an instrument, in the order of their outcomes; of a histogram how many values there are. */
function counted({ instruments }: Report, name: string): [Record<string, unknown>, number][] {
  const points = instruments.find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? [];
  const outcome = ({ attributes }: { attributes: Record<string, unknown> }) =>
    String(attributes["expectation.outcome"]);
  return points
    .sort((a, b) => outcome(a).localeCompare(outcome(b)))
    .map(({ attributes, value }) => [attributes, typeof value === "number" ? value : value.count]);
}

function secondsOf({ instruments }: Report, name: string): number {
  const instrument = instruments.find(({ descriptor }) => descriptor.name === name);
  expect(instrument?.descriptor.unit).toBe("s");
  const value = instrument?.dataPoints[0]?.value;
  if (typeof value !== "object") throw new Error(`${name} has measured nothing`);
  return value.sum;
}

const continued = { "expectation.outcome": "continued" };
const tooLarge = {
  "expectation.outcome": "refused",
  "expectation.policy": "maxSize",
  "http.response.status_code": 413,
};
const REASON = "larger than 1048576 bytes";

describe.each(["before attach", "after attach"])("instrumentation-http loaded %s", (order) => {
  let server: Observed;

  beforeAll(async () => {
    server = await (order === "before attach"
      ? Observed.start(...INSTRUMENTATION, `${EXAMPLE}/server.mjs`, "0", folder)
      : Observed.start("late.mjs", folder));
  });
  beforeEach(() => server.forget());
  afterAll(() => server.program.stop());

  // The first one: connections of earlier tests would end during it.
  test("the end of a refused connection is measured: how long it took, what was thrown away", async () => {
    const begun = performance.now();
    const wire = await upload(server.port, "large", "Content-Length: 1048577");
    wire.send("twelve bytes");
    await wire.closed();
    const report = await server.until("the end of the connection", (told) =>
      told.instruments.some(({ descriptor }) => descriptor.name === "expectation.linger.duration"),
    );
    const elapsed = (performance.now() - begun) / 1000;
    const byClient = { "expectation.linger.end_reason": "client" };
    expect(counted(report, "expectation.linger.duration")).toEqual([[byClient, 1]]);
    expect(counted(report, "expectation.linger.discarded")).toEqual([[byClient, 12]]);
    expect(secondsOf(report, "expectation.linger.duration")).toBeGreaterThan(0);
    expect(secondsOf(report, "expectation.linger.duration")).toBeLessThan(elapsed);
  });

  test("a refusal before the content is an event on the server span", async () => {
    const wire = await upload(server.port, "large", "Content-Length: 1048577");
    expect(wire.statuses).toEqual([413]);
    const span = await server.spanOf("large");
    expect(eventsOf(span)).toEqual([
      [
        "expectation.refused",
        {
          "expectation.policy": "maxSize",
          "expectation.reason": REASON,
          "http.response.status_code": 413,
          "expectation.declared_length": 1048577,
          "expectation.spared_bytes": 1048577,
        },
      ],
    ]);
    expect(span).toMatchObject({ status: { code: UNSET }, attributes: { "http.response.status_code": 413 } });
    const report = await server.report();
    expect(counted(report, "expectation.decisions")).toEqual([[tooLarge, 1]]);
    expect(counted(report, "expectation.decision.duration")).toEqual([[tooLarge, 1]]);
    expect(counted(report, "expectation.content.spared")).toEqual([[tooLarge, 1048577]]);
    expect(counted(report, "expectation.content.wait_time")).toEqual([]);
  });

  test("the 100 and the first content are events, and their times are measured in seconds", async () => {
    const begun = performance.now();
    const wire = await upload(server.port, "small", "Content-Length: 5", "hello");
    const elapsed = (performance.now() - begun) / 1000;
    expect(wire.statuses).toEqual([100, 201]);
    const span = await server.spanOf("small");
    expect(eventsOf(span)).toEqual([
      ["expectation.continued", { "expectation.declared_length": 5 }],
      ["expectation.content", {}],
    ]);
    expect(span).toMatchObject({ status: { code: UNSET }, attributes: { "http.response.status_code": 201 } });
    const report = await server.report();
    expect(counted(report, "expectation.decisions")).toEqual([[continued, 1]]);
    expect(counted(report, "expectation.content.spared")).toEqual([]);
    expect(counted(report, "expectation.content.wait_time")).toEqual([[{}, 1]]);
    for (const name of ["expectation.decision.duration", "expectation.content.wait_time"]) {
      expect(secondsOf(report, name)).toBeGreaterThan(0);
      expect(secondsOf(report, name)).toBeLessThan(elapsed);
    }
  });

  test("an upload that is accepted without a 100 has an event, too", async () => {
    const wire = await connected(server.port);
    wire.send(put("eager", "Content-Length: 5"), "hello");
    expect((await wire.final()).status).toBe(201);
    expect(eventsOf(await server.spanOf("eager"))).toEqual([
      ["expectation.accepted", { "expectation.declared_length": 5 }],
    ]);
    expect(counted(await server.report(), "expectation.decisions")).toEqual([
      [{ "expectation.outcome": "accepted" }, 1],
    ]);
  });

  test("a fault is an event, an exception and the span's status", async () => {
    await fs.rename(folder, `${folder}-elsewhere`);
    const wire = await upload(server.port, "unlucky", "Content-Length: 5");
    await fs.rename(`${folder}-elsewhere`, folder);
    expect(wire.statuses).toEqual([500]);
    const span = await server.spanOf("unlucky");
    expect(eventsOf(span)).toEqual([
      [
        "expectation.error",
        {
          "expectation.policy": "hasRoom",
          "http.response.status_code": 500,
          "expectation.declared_length": 5,
          "expectation.spared_bytes": 5,
        },
      ],
      ["exception", expect.objectContaining({ "exception.message": expect.stringContaining("ENOENT") })],
    ]);
    expect(span.status.code).toBe(ERROR);
    const fault = {
      "expectation.outcome": "error",
      "expectation.policy": "hasRoom",
      "http.response.status_code": 500,
    };
    const report = await server.report();
    expect(counted(report, "expectation.decisions")).toEqual([[fault, 1]]);
    expect(counted(report, "expectation.content.spared")).toEqual([[fault, 5]]);
  });

  test("an upload that is cut off is accepted, then refused, and decided about once as to its time", async () => {
    const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
    const wire = await upload(server.port, "endless", "Transfer-Encoding: chunked", chunk.repeat(17));
    expect(wire.statuses).toEqual([100, 413]);
    const span = await server.spanOf("endless");
    expect(eventsOf(span)).toEqual([
      ["expectation.continued", {}],
      ["expectation.content", {}],
      [
        "expectation.refused",
        { "expectation.policy": "maxSize", "expectation.reason": REASON, "http.response.status_code": 413 },
      ],
    ]);
    const report = await server.report();
    expect(counted(report, "expectation.decisions")).toEqual([
      [continued, 1],
      [tooLarge, 1],
    ]);
    expect(counted(report, "expectation.decision.duration")).toEqual([[continued, 1]]);
  });

  test("every request of a connection has the events of its own", async () => {
    const wire = await connected(server.port);
    wire.send(put("first", "Content-Length: 5"), "hello", put("second", EXPECT, "Content-Length: 1048577"));
    await wire.final(2);
    expect(wire.statuses).toEqual([201, 413]);
    expect(eventsOf(await server.spanOf("first")).map(([name]) => name)).toEqual(["expectation.accepted"]);
    expect(eventsOf(await server.spanOf("second")).map(([name]) => name)).toEqual(["expectation.refused"]);
  });

  test("what the server refuses by itself has a span of its own, and is counted", async () => {
    const wire = await connected(server.port);
    wire.send(put("moon", "Expect: the-moon", "Content-Length: 5"));
    expect((await wire.final()).status).toBe(417);
    const next = await upload(server.port, "next", "Content-Length: 5", "hello");
    expect(next.statuses).toEqual([100, 201]);
    await server.spanOf("next");
    const span = await server.spanOf("moon");
    expect(span).toMatchObject({
      status: { code: UNSET },
      attributes: { "http.request.method": "PUT", "http.response.status_code": 417, "url.scheme": "http" },
    });
    expect(eventsOf(span).map(([name]) => name)).toEqual(["expectation.refused"]);
    const report = await server.report();
    expect(report.spans).toHaveLength(2);
    const unknown = {
      "expectation.outcome": "refused",
      "expectation.policy": "unknown-expectation",
      "http.response.status_code": 417,
    };
    expect(counted(report, "expectation.decisions")).toEqual([
      [continued, 1],
      [unknown, 1],
    ]);
  });
});

test("subscribers that throw, before and after, change neither answers nor telemetry", async () => {
  const before = ["--import", "./throw.mjs?before"];
  const after = ["--import", "./throw.mjs?after"];
  const server = await Observed.start(...before, ...INSTRUMENTATION, ...after, `${EXAMPLE}/server.mjs`, "0", folder);
  const refused = await upload(server.port, "large", "Content-Length: 1048577");
  const accepted = await upload(server.port, "small", "Content-Length: 5", "hello");
  expect([refused.statuses, accepted.statuses]).toEqual([[413], [100, 201]]);
  expect(eventsOf(await server.spanOf("large")).map(([name]) => name)).toEqual(["expectation.refused"]);
  expect(eventsOf(await server.spanOf("small")).map(([name]) => name)).toEqual([
    "expectation.continued",
    "expectation.content",
  ]);
  expect(counted(await server.report(), "expectation.decisions")).toEqual([
    [continued, 1],
    [tooLarge, 1],
  ]);
  expect(server.program.output).toContain("a subscriber's own");
});

describe("an application of CommonJS modules", () => {
  let server: Observed;
  beforeAll(async () => {
    server = await Observed.start(...INSTRUMENTATION, "commonjs.cjs");
  });
  beforeEach(() => server.forget());
  afterAll(() => server.program.stop());

  test("is instrumented by the same flag", async () => {
    const wire = await upload(server.port, "large", "Content-Length: 1048577");
    expect(wire.statuses).toEqual([413]);
    expect(eventsOf(await server.spanOf("large")).map(([name]) => name)).toEqual(["expectation.refused"]);
  });

  test("has a fault behind an answer that looks well as the span's status, and spares content only once", async () => {
    const wire = await upload(server.port, "answered", "Content-Length: 1048577");
    expect(wire.statuses).toEqual([413]);
    const span = await server.spanOf("answered");
    expect(span.events.map(({ name }) => name)).toEqual(["expectation.refused", "expectation.error", "exception"]);
    expect(span.status).toEqual({ code: ERROR, message: "after the answer" });
    const fault = { ...tooLarge, "expectation.outcome": "error", "expectation.policy": "onRefusal" };
    const report = await server.report();
    expect(counted(report, "expectation.decisions")).toEqual([
      [fault, 1],
      [tooLarge, 1],
    ]);
    expect(counted(report, "expectation.decision.duration")).toEqual([[tooLarge, 1]]);
    expect(counted(report, "expectation.content.spared")).toEqual([[tooLarge, 1048577]]);
  });
});

test("an absurd length does not spoil the sum of what was spared", async () => {
  const server = await Observed.start(...INSTRUMENTATION, `${EXAMPLE}/server.mjs`, "0", folder);
  const wire = await upload(server.port, "absurd", "Content-Length: 9007199254740991");
  expect(wire.statuses).toEqual([413]);
  const span = await server.spanOf("absurd");
  expect(span.events[0]?.attributes["expectation.spared_bytes"]).toBe(9007199254740991);
  expect(counted(await server.report(), "expectation.content.spared")).toEqual([[tooLarge, 2 ** 40]]);
});

test("the console exporters print what was left when the server is told to end", async () => {
  const args = [...INSTRUMENTATION, `${EXAMPLE}/server.mjs`, "0", folder];
  const child = spawn(process.execPath, args, { cwd: checkout.folder, stdio: ["ignore", "pipe", "ignore"] });
  try {
    let printed = "";
    child.stdout.setEncoding("utf8").on("data", (piece: string) => {
      printed += piece;
    });
    const signal = AbortSignal.timeout(deadline(DEADLINE_MS));
    while (!printed.includes("listening")) await once(child.stdout, "data", { signal });
    const port = Number(/http:\/\/127\.0\.0\.1:(\d+)/.exec(printed)?.[1]);
    const wire = await upload(port, "large", "Content-Length: 1048577");
    await wire.closed();
    const ended = once(child, "close", { signal });
    child.kill("SIGTERM");
    expect((await ended)[0]).toBe(0);
    expect(printed).toContain("name: 'expectation.refused'");
    expect(printed).toContain("name: 'expectation.decisions'");
  } finally {
    child.kill("SIGKILL");
  }
});

test("what is subscribed can be undone", async () => {
  const script = `import { channel } from "node:diagnostics_channel";
import { recordExpectations } from "express-expectations/opentelemetry";
const names = ["dispatch", "begin", "accept", "refuse", "error", "content", "linger-end"];
const tell = () => console.log(...names.map((name) => channel("express-expectations:" + name).hasSubscribers));
const undo = recordExpectations();
tell();
undo();
tell();`;
  const program = checkout.start(["--input-type=module", "-e", script]);
  expect(await program.end()).toBe(0);
  expect(program.output).toBe(`${"true ".repeat(7)}\n${"false ".repeat(7)}\n`.replace(/ \n/g, "\n"));
});
