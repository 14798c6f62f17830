import { propagation, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, type Tracer } from "@opentelemetry/api";
import type { HttpRequest } from "../http/message.js";
import type { RefusalRecord } from "../observe/record.js";
import { serverAttributes, spanName } from "./attributes.js";

/**
 * Begins the server span of a refused request that has none, with the time at which its header section came.
 *
 * It continues the client's trace, as the spans of instrumentations do.
 */
export function beginOwnSpan(tracer: Tracer, req: HttpRequest, record: RefusalRecord): Span {
  const parent = propagation.extract(ROOT_CONTEXT, req.headers);
  const options = {
    kind: SpanKind.SERVER,
    startTime: Date.now() - record.durationMs,
    attributes: serverAttributes(req, record),
  };
  const span = tracer.startSpan(spanName(record), options, parent);
  // A refusal with 4xx is the fault of the client, not of the server.
  if (record.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  return span;
}
