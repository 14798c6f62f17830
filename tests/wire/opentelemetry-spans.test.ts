import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { context, createContextKey, ROOT_CONTEXT, SpanKind, trace } from "@opentelemetry/api";
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { type AttachableServer, admission, attach, expectations, maxSize, preflight, silent } from "../../src/index.js";
import { type RecordOptions, recordExpectations, rememberSpan } from "../../src/opentelemetry/opentelemetry.js";
import { closeSessions, exchange, openSession } from "../helpers/http2.js";
import {
  type AppParts,
  closeServers,
  type Handler,
  listen,
  makeServer,
  type ServerKind,
  store,
} from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";

const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const RPC_METADATA = createContextKey("OpenTelemetry SDK Context Key RPC_METADATA");
const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const PARENT = `traceparent: 00-${TRACE_ID}-b7ad6b7169203331-01`;
const EXPECT = "Expect: 100-continue";

let undo = () => {};
let clients: WireClient[] = [];

beforeAll(() => {
  provider.register();
  undo = recordExpectations();
});
afterAll(async () => {
  undo();
  await provider.shutdown();
});
afterEach(async () => {
  for (const client of clients) client.destroy();
  clients = [];
  closeSessions();
  await closeServers();
  exporter.reset();
});

/** Makes a server span of each request, as OpenTelemetry's instrumentation does, around what it finds beneath. */
function instrument(server: AttachableServer, hook = (_span: unknown, _req: object) => {}): AttachableServer {
  const beneath = server.emit;
  server.emit = function (this: AttachableServer, event: string, ...args: unknown[]) {
    if (event !== "request") return Reflect.apply(beneath, this, [event, ...args]);
    const [req, res] = args as [{ url: string }, { on(event: string, listener: () => void): void }];
    const span = provider.getTracer("http").startSpan("from http", { kind: SpanKind.SERVER }, ROOT_CONTEXT);
    span.setAttribute("url.path", req.url);
    hook(span, req);
    res.on("close", () => span.end());
    const inside = trace.setSpan(context.active(), span).setValue(RPC_METADATA, { span });
    return context.with(inside, () => Reflect.apply(beneath, this, [event, ...args]));
  } as typeof server.emit;
  return server;
}

const guard = expectations({ policies: [maxSize("1kb")], logger: silent });
const onePath: AppParts = { routes: { "/files": store } };

async function upload(port: number, ...fields: string[]): Promise<WireClient> {
  const wire = await WireClient.connect(port);
  clients.push(wire);
  wire.send(["PUT /files?name=secret HTTP/1.1", "Host: test", PARENT, ...fields, "", ""].join("\r\n"));
  return wire;
}

/** Waits until the server has ended its spans, which is when responses close. */
async function spans(count: number): Promise<ReadableSpan[]> {
  await closeServers();
  const ended = exporter.getFinishedSpans();
  expect(ended.map(({ name }) => name)).toHaveLength(count);
  return ended;
}

const eventsOf = (span: ReadableSpan | undefined) => span?.events.map(({ name }) => name);

describe("the guard of attach()", () => {
  const started = (hook?: (span: unknown, req: object) => void) =>
    listen(attach(instrument(makeServer("node:http", onePath), hook), { guard, logger: silent }));

  test("a refusal has a server span that continues the client's trace", async () => {
    const { port } = await started();
    const begun = Date.now();
    const wire = await upload(port, EXPECT, "Content-Length: 1025", "User-Agent: curl/8");
    expect((await wire.final()).status).toBe(413);
    const [span] = await spans(1);
    expect(span).toMatchObject({ name: "PUT", kind: SpanKind.SERVER, status: { code: 0 } });
    expect(span?.spanContext().traceId).toBe(TRACE_ID);
    expect(span?.attributes).toEqual({
      "http.request.method": "PUT",
      "http.response.status_code": 413,
      "url.path": "/files",
      "url.scheme": "http",
      "network.protocol.version": "1.1",
      "client.address": "127.0.0.1",
      "user_agent.original": "curl/8",
    });
    expect(eventsOf(span)).toEqual(["expectation.refused"]);
    const [seconds = 0, nanoseconds = 0] = span?.startTime ?? [];
    expect(seconds * 1000 + nanoseconds / 1e6).toBeGreaterThan(begun - 50);
  });

  test("a refusal of a request without content has one, too", async () => {
    const all = expectations({ policies: [() => false], logger: silent });
    const { port } = await listen(attach(instrument(makeServer("node:http", onePath)), { guard: all, logger: silent }));
    const wire = await upload(port);
    expect((await wire.final()).status).toBe(403);
    expect(eventsOf((await spans(1))[0])).toEqual(["expectation.refused"]);
  });

  test("a fault has one with the error", async () => {
    const faulty = expectations({
      logger: silent,
      policies: [
        () => {
          throw new Error("no database");
        },
      ],
    });
    const { port } = await listen(attach(makeServer("node:http", onePath), { guard: faulty, logger: silent }));
    const wire = await upload(port, "Content-Length: 5");
    expect((await wire.final()).status).toBe(500);
    const [span] = await spans(1);
    expect(eventsOf(span)).toEqual(["expectation.error", "exception"]);
    expect(span).toMatchObject({ status: { code: 2, message: "no database" }, attributes: { "error.type": "500" } });
  });

  test("an accepted upload has the instrumentation's span alone, also if it is cut off", async () => {
    const { port } = await started();
    const wire = await upload(port, EXPECT, "Transfer-Encoding: chunked");
    await wire.status(100);
    wire.send(`401\r\n${"x".repeat(1025)}\r\n`);
    expect((await wire.final()).status).toBe(413);
    expect((await spans(1))[0]).toMatchObject({ name: "from http", events: [] });
  });

  test("its acceptances are events where a requestHook remembers the span", async () => {
    const { port } = await started((span, req) => rememberSpan(span as never, req));
    const wire = await upload(port, EXPECT, "Content-Length: 5");
    await wire.status(100);
    wire.send("12345");
    await wire.final();
    expect(eventsOf((await spans(1))[0])).toEqual(["expectation.continued", "expectation.content"]);
  });
});

describe("the server itself", () => {
  test.each([
    ["an unknown expectation", ["Expect: the-moon", "Content-Length: 5"], 417],
    ["bad framing", ["Content-Length: 5", "Transfer-Encoding: chunked"], 400],
  ])("its refusal of %s has a span", async (_name, fields, status) => {
    const { port } = await listen(attach(instrument(makeServer("node:http", onePath)), { logger: silent }));
    const wire = await upload(port, ...fields);
    if ((await wire.final()).status !== status) throw new Error(wire.text);
    // Node itself refuses bad framing on some versions, before any event.
    await closeServers();
    for (const span of exporter.getFinishedSpans()) {
      expect(span).toMatchObject({ name: "PUT", attributes: { "http.response.status_code": status } });
    }
  });

  test("its refusal on behalf of an application that has a span makes no second one", async () => {
    const server = attach(instrument(makeServer("node:http", onePath)), { logger: silent, bodyTimeoutMs: 50 });
    const { port } = await listen(server);
    const wire = await upload(port, EXPECT, "Content-Length: 5");
    expect((await wire.final()).status).toBe(408);
    expect((await spans(1))[0]).toMatchObject({ name: "from http" });
  });
});

describe("a guard in the application", () => {
  const parts: AppParts = { use: [guard], ...onePath };
  const trace = (kind: ServerKind, beforeAttach: boolean) => {
    const server = makeServer(kind, parts);
    if (beforeAttach) return attach(instrument(server), { logger: silent });
    return instrument(attach(server, { logger: silent }));
  };

  test.each([true, false])("finds the server span, traced before attach: %s", async (isBefore) => {
    const { port } = await listen(trace("Express 5", isBefore));
    const wire = await upload(port, EXPECT, "Content-Length: 1025");
    expect((await wire.final()).status).toBe(413);
    const next = await upload(port, EXPECT, "Content-Length: 5");
    await next.status(100);
    next.send("12345");
    await next.final();
    const all = await spans(2);
    expect(all.map(({ name }) => name)).toEqual(["from http", "from http"]);
    expect(all.map(eventsOf).sort()).toEqual([
      ["expectation.continued", "expectation.content"],
      ["expectation.refused"],
    ]);
  });

  test("its refusals on HTTP/2, which nothing traces, have a span", async () => {
    const server = await listen(attach(makeServer("h2c", parts), { logger: silent }));
    const session = await openSession(server);
    const head = { ":method": "PUT", ":path": "/files", expect: "100-continue", "content-length": 1025 };
    expect((await exchange(session, head)).status).toBe(413);
    expect((await exchange(session, { ...head, "content-length": 5 }, { content: "12345" })).status).toBe(201);
    const [span] = await spans(1);
    expect(span?.attributes).toMatchObject({ "network.protocol.version": "2", "url.scheme": "http" });
  });
});

test("a middleware's span may be active: the events are on the server's", async () => {
  const inMiddleware: Handler = (_req, _res, next) => {
    const span = provider.getTracer("express").startSpan("middleware");
    context.with(trace.setSpan(context.active(), span), next);
    span.end();
  };
  const server = makeServer("Express 5", { use: [inMiddleware, guard], ...onePath });
  const { port } = await listen(attach(instrument(server), { logger: silent }));
  const wire = await upload(port, EXPECT, "Content-Length: 1025");
  await wire.final();
  const all = await spans(2);
  expect(Object.fromEntries(all.map((span) => [span.name, eventsOf(span)]))).toEqual({
    middleware: [],
    "from http": ["expectation.refused"],
  });
});

describe("a tracer whose spans do not tell their kind", () => {
  /** Runs what it finds beneath inside of such a span, and keeps the events of it. */
  function inSpan(server: AttachableServer, events: string[]): AttachableServer {
    const beneath = server.emit;
    const span = {
      addEvent: (name: string) => void events.push(name),
      isRecording: () => true,
      spanContext: () => ({}),
    };
    server.emit = function (this: AttachableServer, ...args: unknown[]) {
      const inside = trace.setSpan(context.active(), span as never);
      return context.with(inside, () => Reflect.apply(beneath, this, args));
    } as typeof server.emit;
    return server;
  }
  const all = expectations({ policies: [() => false], logger: silent });

  test.each([
    ["with content", ["Content-Length: 5"]],
    ["without content", []],
  ])("gets the events of a guard in the application, %s", async (_name, fields) => {
    const events: string[] = [];
    const server = inSpan(makeServer("node:http", { use: [all], ...onePath }), events);
    const { port } = await listen(attach(server, { logger: silent }));
    expect((await (await upload(port, ...fields)).final()).status).toBe(403);
    expect(await spans(0)).toEqual([]);
    expect(events).toEqual(["expectation.refused"]);
  });

  test("may have left one over in front of the guard of attach(): the refusal has a span of its own", async () => {
    const events: string[] = [];
    const attached = attach(makeServer("node:http", onePath), { guard: all, logger: silent });
    const { port } = await listen(inSpan(attached, events));
    expect((await (await upload(port, "Content-Length: 5")).final()).status).toBe(403);
    expect(eventsOf((await spans(1))[0])).toEqual(["expectation.refused"]);
    expect(events).toEqual([]);
  });
});

test("questions and admission are events on the span of who asks", async () => {
  const ask = admission({ trustProxy: "loopback", policies: [maxSize("1kb")], logger: silent });
  const routes = { "/admission": ask, "/files": preflight(guard) } as NonNullable<AppParts["routes"]>;
  const { port } = await listen(attach(instrument(makeServer("node:http", { routes })), { logger: silent }));
  const wire = await WireClient.connect(port);
  clients.push(wire);
  wire.send(
    "OPTIONS /files HTTP/1.1\r\nHost: test\r\nUpload-Length: 2000\r\n\r\n",
    "GET /admission HTTP/1.1\r\nHost: test\r\nX-Original-Method: PUT\r\nX-Original-URI: /a\r\nX-Upload-Length: 2000\r\n\r\n",
  );
  await wire.final(2);
  const all = await spans(2);
  expect(all.map(({ name }) => name)).toEqual(["from http", "from http"]);
  expect(all.map(eventsOf)).toEqual([["expectation.refused"], ["expectation.refused"]]);
});

test.each([
  [{ meters: 1 }, /unknown option "meters"/],
  [{ meter: {} }, /meter.*expected a meter of @opentelemetry\/api/],
  [{ tracer: 5 }, /tracer.*expected a tracer of @opentelemetry\/api/],
  [null, /expected an object/],
])("a wrong option throws: %j", (options, message) => {
  expect(() => recordExpectations(options as unknown as RecordOptions)).toThrow(message);
});
