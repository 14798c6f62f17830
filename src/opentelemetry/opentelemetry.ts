import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { type Meter, metrics, type Span, SpanStatusCode, type Tracer, trace } from "@opentelemetry/api";
import type { HttpRequest } from "../http/message.js";
import {
  acceptChannel,
  beginChannel,
  contentChannel,
  dispatchChannel,
  errorChannel,
  lingerEndChannel,
  refuseChannel,
} from "../observe/diagnostics.js";
import type {
  AcceptMessage,
  BeginMessage,
  ContentMessage,
  DispatchMessage,
  FaultMessage,
  RefusalRecord,
  RefuseMessage,
} from "../observe/record.js";
import type { LingerEndMessage } from "../response/linger.js";
import { optionError } from "../support/errors.js";
import { requireKnownKeys } from "../support/options.js";
import { decisionAttributes } from "./attributes.js";
import { instrumentsOf } from "./instruments.js";
import { beginOwnSpan } from "./own-span.js";
import { activeServerSpan, rememberSpan, spanOf } from "./spans.js";

export { rememberSpan };

/** Options of {@link recordExpectations}; all are optional. */
export interface RecordOptions {
  /** Makes the metrics. Default: `metrics.getMeter("express-expectations")` of the provider that is set now. */
  meter?: Meter;
  /** Makes the spans of refusals that have none. Default: `trace.getTracer("express-expectations")`. */
  tracer?: Tracer;
}

/**
 * Tells OpenTelemetry about the decisions of this process: as events on the server spans of requests, and as metrics.
 *
 * A refusal gets a server span of its own if the request has none: what `attach` or its `guard` refuses, and HTTP/2.
 * Works for all servers and guards, and for both the ESM and the CommonJS copy of this package. Call it when the meter
 * provider is set: before, its metrics would measure nothing. A second call counts everything twice.
 *
 * @param options - see {@link RecordOptions}.
 * @returns a function that undoes it.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for an unknown key or a wrong value.
 * @example recordExpectations();
 * @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/
 */
export function recordExpectations(options: RecordOptions = {}): () => void {
  requireKnownKeys("recordExpectations", options, ["meter", "tracer"]);
  const { meter, tracer } = options;
  requireMethod("recordExpectations({ meter })", meter, "createHistogram", "a meter of @opentelemetry/api");
  requireMethod("recordExpectations({ tracer })", tracer, "startSpan", "a tracer of @opentelemetry/api");
  const listeners = listenersOf(meter ?? defaultMeter(), tracer ?? defaultTracer());
  for (const [{ name }, listener] of listeners) subscribe(String(name), listener);
  return () => {
    for (const [{ name }, listener] of listeners) unsubscribe(String(name), listener);
  };
}

const defaultMeter = (): Meter => metrics.getMeter("express-expectations");
const defaultTracer = (): Tracer => trace.getTracer("express-expectations");

function requireMethod(option: string, value: unknown, method: string, expected: string): void {
  if (value === undefined) return;
  if (typeof (Object(value) as Record<string, unknown>)[method] !== "function")
    throw optionError(option, value, expected);
}

type Listener = (message: unknown) => void;

function listenersOf(meter: Meter, tracer: Tracer): [{ readonly name: string | symbol }, Listener][] {
  const instruments = instrumentsOf(meter);
  // Requests whose span the application's instrumentation makes, if it makes one.
  const dispatched = new WeakSet<object>();

  /** Calls back with the span of a refused request. One that is made for it ends when the callback returns. */
  function withSpan(req: HttpRequest, record: RefusalRecord, note: (span: Span) => void): void {
    const span = spanOf(req);
    if (span !== undefined) {
      // Spans complain about events after their end.
      if (span.isRecording()) note(span);
      return;
    }
    // Nothing was refused yet if a client asks before its upload, and its question may have a span.
    if (dispatched.has(req) || record.preflight) return;
    const own = beginOwnSpan(tracer, req, record);
    rememberSpan(own, req);
    note(own);
    own.end();
  }

  return [
    [dispatchChannel, (message) => void dispatched.add((message as DispatchMessage).req)],
    [
      beginChannel,
      (message) => {
        const { req } = message as BeginMessage;
        if (spanOf(req) !== undefined) return;
        const span = activeServerSpan(dispatched.has(req));
        if (span !== undefined) rememberSpan(span, req);
        else if (trace.getActiveSpan() === undefined) dispatched.delete(req);
      },
    ],
    [
      acceptChannel,
      (message) => {
        const { req, record } = message as AcceptMessage;
        const outcome = record.status === 100 ? "continued" : "accepted";
        instruments.count(req, outcome, record);
        spanOf(req)?.addEvent(`expectation.${outcome}`, decisionAttributes(record));
      },
    ],
    [
      refuseChannel,
      (message) => {
        const { req, record } = message as RefuseMessage;
        instruments.count(req, "refused", record);
        withSpan(req, record, (span) => void span.addEvent("expectation.refused", decisionAttributes(record)));
      },
    ],
    [
      errorChannel,
      (message) => {
        const { req, record, error } = message as FaultMessage;
        instruments.count(req, "error", record);
        withSpan(req, record, (span) => {
          span.addEvent("expectation.error", decisionAttributes(record));
          span.recordException(error);
          // The response may have begun before, with a status that does not show the fault.
          span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
        });
      },
    ],
    [
      contentChannel,
      (message) => {
        const { req, waitedMs } = message as ContentMessage;
        instruments.measureContentWait(waitedMs);
        spanOf(req)?.addEvent("expectation.content");
      },
    ],
    // The span has ended with its response.
    [lingerEndChannel, (message) => instruments.countLingering(message as LingerEndMessage)],
  ];
}
