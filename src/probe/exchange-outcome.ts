import type { EndpointOptions } from "./endpoint-options.js";
import type { ExchangeResult, WireEvent } from "./exchange-result.js";
import type { ExchangeSpec } from "./exchanges.js";
import { shapeOf } from "./plan.js";
import type { Shown } from "./shown.js";
import { summaryOf } from "./summary.js";
import type { TunnelRefused } from "./wire/tunnel.js";

/**
 * Returns the result of an exchange.
 *
 * @param waitsMs - the most time that its waits could take together.
 * @param skipped - why it was left out.
 */
export function resultOf(
  spec: ExchangeSpec,
  { request }: EndpointOptions,
  events: readonly WireEvent[],
  waitsMs: number,
  skipped?: string,
): ExchangeResult {
  const { method, announced } = shapeOf(spec, request);
  const protocol = spec.isHttp2 ? "HTTP/2" : spec.version === "1.0" ? "HTTP/1.0" : "HTTP/1.1";
  return {
    id: spec.id,
    title: spec.title,
    ...(skipped !== undefined && { skipped }),
    protocol,
    method,
    ...(spec.expect !== undefined && { expect: spec.expect }),
    announced,
    timeoutMs: skipped === undefined ? waitsMs + request.timeoutMs : 0,
    events,
    summary: summaryOf(events, { announced, protocol }),
  };
}

/** Returns the result of an exchange whose tunnel the forward proxy refused. */
export function refusedTunnel(
  spec: ExchangeSpec,
  options: EndpointOptions,
  refused: TunnelRefused,
  shown: Shown,
): ExchangeResult {
  const lines = shown.lines(refused.section);
  return resultOf(spec, options, [{ kind: "received", atMs: 0, status: refused.status, lines }], 0);
}
