import { context, createContextKey, type Span, SpanKind, trace } from "@opentelemetry/api";
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
 *
 * @param isInApplication - whether the application has the request already. In front of it, an active span that does not
 *   tell its kind may be left over from another request: New Relic's agent shows such spans.
 */
export function activeServerSpan(isInApplication: boolean): Span | undefined {
  const active = context.active();
  const { span } = (active.getValue(RPC_METADATA) ?? {}) as { span?: Span };
  if (span !== undefined) return span;
  const current = trace.getSpan(active) as (Span & { readonly kind?: SpanKind }) | undefined;
  const isServer = current?.kind === SpanKind.SERVER || (current?.kind === undefined && isInApplication);
  return isServer ? current : undefined;
}
