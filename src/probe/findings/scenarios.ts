import { type Finding, type FindingCode, SCENARIO_IDS, type Scenario, type ScenarioId } from "../finding.js";
import type { EndpointResult, ProbeSettings } from "../result.js";

const TITLES: Readonly<Record<ScenarioId, string>> = {
  "large-put-fails": "a large PUT fails",
  "curl-upload-hangs": "a curl upload hangs",
  "corporate-proxy-blocks-upload": "a corporate proxy blocks the upload",
  "api-gateway-417": "an API gateway returns 417",
  "client-adds-expect": "a client library adds Expect, and the upload fails",
  "proxy-auth-fails-handshake": "proxy authentication fails the handshake",
  "firewall-forbids-expect": "a web application firewall forbids Expect",
};

const CAUSES: Readonly<Record<ScenarioId, readonly FindingCode[]>> = {
  "large-put-fails": ["refusal-reset", "refusal-after-body", "blind-continue", "proxy-continue"],
  "curl-upload-hangs": ["no-continue", "slow-handshake", "upload-hangs", "expect-stripped"],
  "corporate-proxy-blocks-upload": ["proxy-417", "refused-417", "no-answer", "expect-fails"],
  "api-gateway-417": ["proxy-417", "refused-417"],
  "client-adds-expect": ["proxy-417", "refused-417", "expect-fails", "no-answer"],
  "proxy-auth-fails-handshake": ["proxy-auth", "auth-loop"],
  "firewall-forbids-expect": ["waf-expect"],
};

/** Returns the well-known problems that the findings explain. */
export function scenariosOf(findings: readonly Finding[], target: EndpointResult, settings: ProbeSettings): Scenario[] {
  const control = target.exchanges.find(({ id }) => id === "control");
  const has407 = target.exchanges.some(({ summary }) => summary.status === 407);
  const worksWithout = (control?.summary.status ?? 400) < 400;
  const applies: Readonly<Record<ScenarioId, boolean>> = {
    "large-put-fails": true,
    "curl-upload-hangs": true,
    "corporate-proxy-blocks-upload": settings.proxy !== undefined && !has407,
    "api-gateway-417":
      settings.proxy === undefined && findings.some(({ code, hop }) => code.endsWith("-417") && hop !== "endpoint"),
    "client-adds-expect": worksWithout,
    "proxy-auth-fails-handshake": has407,
    "firewall-forbids-expect": true,
  };
  return SCENARIO_IDS.flatMap((id) => {
    const from = findings.map(({ code }) => code).filter((code) => CAUSES[id].includes(code));
    return applies[id] && from.length > 0 ? [{ id, title: TITLES[id], findings: from }] : [];
  });
}
