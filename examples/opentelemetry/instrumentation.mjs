// Loaded before the application, of ES modules or CommonJS: `node --import ./instrumentation.mjs server.mjs`.
import { createRequire } from "node:module";
import { metrics } from "@opentelemetry/api";
import { registerInstrumentations } from "@opentelemetry/instrumentation";
import { HttpInstrumentation } from "@opentelemetry/instrumentation-http";
import { ConsoleMetricExporter, MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, ConsoleSpanExporter, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { recordExpectations } from "express-expectations/opentelemetry";

// The exporters to replace: by those of `@opentelemetry/exporter-trace-otlp-proto` and its kin.
const tracerProvider = new NodeTracerProvider({
  spanProcessors: [new BatchSpanProcessor(new ConsoleSpanExporter())],
});
const meterProvider = new MeterProvider({
  readers: [new PeriodicExportingMetricReader({ exporter: new ConsoleMetricExporter() })],
});

// In this order: a meter that is made before its provider is set measures nothing.
tracerProvider.register();
metrics.setGlobalMeterProvider(meterProvider);
registerInstrumentations({ instrumentations: [new HttpInstrumentation()] });
recordExpectations();

// The instrumentation patches modules as they are required; ES modules import these without that.
const require = createRequire(import.meta.url);
require("node:http");
require("node:https");

// What the exporters still hold goes out when the server has closed, or the process is told to end.
const shutDown = () => Promise.allSettled([tracerProvider.shutdown(), meterProvider.shutdown()]);
process.once("beforeExit", shutDown);
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    if (process.listenerCount(signal) > 0) return; // somebody else closes the server
    await shutDown();
    process.kill(process.pid, signal);
  });
}
