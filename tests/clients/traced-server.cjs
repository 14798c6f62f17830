// A server with OpenTelemetry's HTTP instrumentation, run by tests/wire/opentelemetry.test.ts in a process of its own:
// the instrumentation patches `http` and `https` when they are loaded.
//
//   node traced-server.cjs PACKAGE http|https "before attach"|"after attach" TLS-OPTIONS
//
// Tells by IPC its port, that the policy on /pending was asked, and at `"report"` the spans that have ended since the
// last one; `"accept"` gives the verdict on /pending.
const { readFileSync } = require("node:fs");
const { EventEmitter, once } = require("node:events");
const { SpanKind, trace } = require("@opentelemetry/api");
const { registerInstrumentations } = require("@opentelemetry/instrumentation");
const { HttpInstrumentation } = require("@opentelemetry/instrumentation-http");
const { InMemorySpanExporter, SimpleSpanProcessor } = require("@opentelemetry/sdk-trace-base");
const { NodeTracerProvider } = require("@opentelemetry/sdk-trace-node");

const [packagePath, protocol, order, tlsFile] = process.argv.slice(2);
const { attach, expectations, refuse, silent } = require(packagePath);

const exporter = new InMemorySpanExporter();

let open = 0;
const counter = {
  onStart: () => void open++,
  onEnd: () => void open--,
  forceFlush: async () => {},
  shutdown: async () => {},
};

function instrument() {
  new NodeTracerProvider({ spanProcessors: [counter, new SimpleSpanProcessor(exporter)] }).register();
  registerInstrumentations({ instrumentations: [new HttpInstrumentation()] });
  // The hook patches a module when it is loaded after it was set.
  require("node:http");
  require("node:https");
}

const verdicts = new EventEmitter();
const activeSpan = () => trace.getActiveSpan()?.spanContext().spanId ?? "none";

const guards = {
  "/refused": expectations({
    logger: silent,
    policies: [() => refuse(403, { headers: { "X-Span": activeSpan() } })],
  }),
  "/pending": expectations({
    logger: silent,
    policies: [
      async () => {
        process.send({ asked: true });
        await once(verdicts, "accept");
        return true;
      },
    ],
  }),
};
const acceptAll = expectations({ logger: silent });

function app(req, res) {
  const guard = guards[req.url] ?? acceptAll;
  guard(req, res, () => {
    const spanAtStart = activeSpan();
    let length = 0;
    req.on("data", (chunk) => {
      length += chunk.length;
    });
    req.on("end", () => {
      res.setHeader("X-Span", spanAtStart);
      res.setHeader("X-Span-At-End", activeSpan());
      res.end(`read ${length}`);
    });
  });
}

function makeServer() {
  if (protocol === "http") return require("node:http").createServer(app);
  return require("node:https").createServer(JSON.parse(readFileSync(tlsFile, "utf8")), app);
}

if (order === "before attach") instrument();
const server = attach(makeServer(), { logger: silent });
if (order === "after attach") instrument();
server.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }));

process.on("message", (message) => {
  if (message === "accept") verdicts.emit("accept");
  if (message === "report") {
    const spans = exporter.getFinishedSpans().map((span) => ({
      isServer: span.kind === SpanKind.SERVER,
      id: span.spanContext().spanId,
      parent: span.parentSpanContext?.spanId,
      status: span.attributes["http.status_code"],
      target: span.attributes["http.target"],
      method: span.attributes["http.method"],
    }));
    exporter.reset();
    process.send({ report: { spans, open } });
  }
});
process.on("disconnect", () => process.exit());
