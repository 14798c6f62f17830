import { secretNamesOf, secretsOf } from "./credentials.js";
import type { EndpointOptions } from "./endpoint-options.js";
import { refusedTunnel, resultOf } from "./exchange-outcome.js";
import type { ExchangeResult } from "./exchange-result.js";
import { EXCHANGES, type ExchangeSpec } from "./exchanges.js";
import { ProbeFault } from "./fault.js";
import { identify } from "./findings/fingerprint.js";
import { runExchange } from "./flows.js";
import { NotOnHttp2, runHttp2 } from "./http2.js";
import { longestMs, planOf } from "./plan.js";
import type { ProbeRequest } from "./request.js";
import type { EndpointResult, Unreachable } from "./result.js";
import { Shown, shownUrl } from "./shown.js";
import { whySkipped, whyUnreachable } from "./skip.js";
import { connect } from "./wire/connect.js";
import { Connection } from "./wire/connection.js";
import { TunnelRefused } from "./wire/tunnel.js";

/** Runs the exchanges at one URL, one after another. */
export async function probeEndpoint(options: EndpointOptions): Promise<EndpointResult> {
  const shown = new Shown(secretsOf(options.request), secretNamesOf(options.request));
  const exchanges: ExchangeResult[] = [];
  const chosen = EXCHANGES.filter((spec) => isChosen(spec, options.request));
  let unreachable: Unreachable | undefined;
  for (const [index, spec] of chosen.entries()) {
    const skipped = whySkipped(spec, options, exchanges);
    if (skipped !== undefined) {
      exchanges.push(resultOf(spec, options, [], 0, skipped));
      continue;
    }
    options.onExchange?.(spec, index, chosen.length);
    try {
      const result = await exchange(spec, options, exchanges, shown);
      exchanges.push(result);
      unreachable = exchanges.length === 1 ? whyUnreachable(result) : undefined;
    } catch (error) {
      if (!(error instanceof ProbeFault)) throw error;
      if (error instanceof TunnelRefused) exchanges.push(refusedTunnel(spec, options, error, shown));
      // A proxy that asks for credentials is reachable, and is a finding.
      if (error instanceof TunnelRefused && error.status === 407) break;
      // A forward proxy may send back the credentials that it received.
      unreachable = { code: error.code, message: shown.text(error.message) };
    }
    if (unreachable) break;
  }
  return {
    url: shownUrl(options.url),
    exchanges,
    identified: identify(exchanges),
    ...(unreachable && { unreachable }),
  };
}

function isChosen({ id, question }: ExchangeSpec, { only, asks = false }: ProbeRequest): boolean {
  return (asks && question !== undefined) || (only?.has(id) ?? question === undefined);
}

async function exchange(
  spec: ExchangeSpec,
  options: EndpointOptions,
  before: readonly ExchangeResult[],
  shown: Shown,
): Promise<ExchangeResult> {
  const { request, url } = options;
  const plan = planOf(spec, options, before);
  const socket = await connect(request, url, spec.isHttp2 ? ["h2", "http/1.1"] : ["http/1.1"]);
  if (spec.isHttp2) {
    if ((socket as { alpnProtocol?: unknown }).alpnProtocol !== "h2") {
      socket.destroy();
      return resultOf(spec, options, [], 0, "the server does not offer HTTP/2");
    }
    try {
      return resultOf(spec, options, await runHttp2(socket, request, url, plan, shown), longestMs(plan));
    } catch (error) {
      if (!(error instanceof NotOnHttp2)) throw error;
      socket.destroy();
      return resultOf(spec, options, [], 0, shown.text(error.message));
    }
  }
  const connection = new Connection(socket, shown);
  try {
    await runExchange(connection, plan);
  } finally {
    connection.close();
  }
  return resultOf(spec, options, connection.journal.events, longestMs(plan));
}
