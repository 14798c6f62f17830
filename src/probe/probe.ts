import { basicOf } from "../http/basic.js";
import type { OnExchange } from "./endpoint-options.js";
import type { Finding, Scenario } from "./finding.js";
import { findingsOf } from "./findings/findings.js";
import { scenariosOf } from "./findings/scenarios.js";
import type { ProbeRequest } from "./request.js";
import type { EndpointResult, ProbeResult, ProbeSettings, Verdict } from "./result.js";
import { probeEndpoint } from "./run.js";
import { shownUrl } from "./shown.js";

/** The user's consent to send content. */
export type Consent = ProbeSettings["content"];

/** Probes a URL, and the one of `--via` if given, and returns what was found. */
export async function probeUrl(request: ProbeRequest, content: Consent, onExchange?: OnExchange): Promise<ProbeResult> {
  const startedAt = new Date();
  const from = performance.now();
  const sendsContent = content === "sent";
  const whyNot = content === "declined" ? "sending content was declined" : "content is sent only with --yes";
  const options = { sendsContent, whyNot, ...(onExchange && { onExchange }) };
  const target = await probeEndpoint({ ...options, request, url: request.url });
  const { proxy: _, ...withoutProxy } = request;
  const direct =
    request.via && !target.unreachable
      ? await probeEndpoint({ ...options, request: withoutProxy, url: request.via })
      : undefined;
  const settings = settingsOf(request, content);
  const findings = findingsOf(target, direct?.unreachable ? undefined : direct, settings);
  const scenarios = scenariosOf(findings, target, settings);
  return {
    schema: 2,
    url: shownUrl(request.url),
    startedAt: startedAt.toISOString(),
    durationMs: Math.round(performance.now() - from),
    settings,
    verdict: verdictOf(target, direct, findings, scenarios),
    target,
    ...(direct && { direct }),
    findings,
    scenarios,
  };
}

function settingsOf(request: ProbeRequest, content: Consent): ProbeSettings {
  const has = (field: string) => request.headers.some(([name]) => name.toLowerCase() === field);
  return {
    method: request.method,
    timeoutMs: request.timeoutMs,
    contentBytes: request.content.length,
    content,
    ...(request.proxy && { proxy: `${request.proxy.host}:${request.proxy.port}` }),
    ...(request.expectedStatuses && { expectedStatuses: request.expectedStatuses }),
    hasCredentials: basicOf(request.url) !== undefined || has("authorization"),
    hasProxyCredentials: request.proxy?.authorization !== undefined || has("proxy-authorization"),
  };
}

function verdictOf(
  target: EndpointResult,
  direct: EndpointResult | undefined,
  findings: readonly Finding[],
  scenarios: readonly Scenario[],
): Verdict {
  if (target.unreachable) return { outcome: "unreachable", exitCode: 3, headline: target.unreachable.message };
  if (direct?.unreachable)
    return { outcome: "unreachable", exitCode: 3, headline: `--via: ${direct.unreachable.message}` };
  const serious = findings.filter(({ severity }) => severity !== "note");
  const [first] = serious;
  if (first) {
    const named = scenarios[0] ? `${scenarios[0].title}: ` : "";
    const more = serious.length > 1 ? `, and ${serious.length - 1} more` : "";
    return { outcome: "findings", exitCode: 1, headline: `${named}${first.title}${more}` };
  }
  return { outcome: "healthy", exitCode: 0, headline: healthy(target) };
}

function healthy({ exchanges }: EndpointResult): string {
  const withheld = exchanges.find(({ id }) => id === "withheld")?.summary;
  if (withheld?.verdict === "continue")
    return `100 Continue after ${withheld.verdictMs} ms; nothing is wrong with the handshake`;
  if (withheld?.status !== undefined)
    return `refused with ${withheld.status} before any content was sent, as it should be`;
  return "nothing wrong was seen";
}
