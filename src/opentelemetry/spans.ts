import { type Context, context, createContextKey, type Span, SpanKind, trace } from "@opentelemetry/api";
import type { HttpRequest } from "../http/message.js";
import { acceptChannel } from "../observe/diagnostics.js";

const SPANS = Symbol.for("express-expectations:spans:1");

type Spans = WeakMap<object, Span>;

/**
 * Remembers which server span a request has. It is a `requestHook` of `HttpInstrumentation`.
 *
 * Only needed for the acceptances of `attach(server, { guard })`: that guard decides before the span begins. Every other
 * guard runs inside of the span, and `recordExpectations` finds it there.
 *
 * @example new HttpInstrumentation({ requestHook: rememberSpan });
 */
export function rememberSpan(span: Span, request: object): void {
  spans().set(request, span);
}

/** Returns the span that was remembered for a request. */
export function spanOf(req: HttpRequest): Span | undefined {
  return spans().get(req);
}

// On a diagnostics channel, because Node has one for each name: the ESM and the CommonJS copy of this package share it.
function spans(): Spans {
  const holder = acceptChannel as unknown as { [SPANS]?: Spans };
  holder[SPANS] ??= new WeakMap();
  return holder[SPANS];
}

// The key by which OpenTelemetry's instrumentations hand on the server span. createContextKey() returns the same key for
// the same name.
const RPC_METADATA = createContextKey("OpenTelemetry SDK Context Key RPC_METADATA");

/**
 * Returns the server span in which the caller runs.
 *
 * The active span may be another one: that of a middleware, which ends before the upload does, or one that was active
 * when the server began to listen.
 */
export function activeServerSpan(active: Context = context.active()): Span | undefined {
  const { span } = (active.getValue(RPC_METADATA) ?? {}) as { span?: Span };
  if (span !== undefined) return span;
  const current = trace.getSpan(active) as (Span & { readonly kind?: SpanKind }) | undefined;
  return current?.kind === SpanKind.SERVER ? current : undefined;
}
