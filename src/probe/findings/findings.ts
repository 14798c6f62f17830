import { linesOf } from "../describe.js";
import type { ExchangeId, ExchangeResult } from "../exchange-result.js";
import { type Evidence, FINDING_CODES, type Finding, type FindingCode } from "../finding.js";
import type { EndpointResult, Identification, ProbeSettings } from "../result.js";
import { CATALOGUE } from "./catalogue.js";
import { CHECKS } from "./checks.js";
import { DIFFERENCES, whyProxy417, whyProxyContinue } from "./differences.js";
import { type Exchanges, exchangesById } from "./exchanges-by-id.js";
import { inOrder, relevantFixes } from "./fix-order.js";
import { toldBy } from "./statuses.js";

/** Returns the findings that the exchanges show, the most severe first. */
export function findingsOf(
  target: EndpointResult,
  direct: EndpointResult | undefined,
  settings: ProbeSettings,
): Finding[] {
  const seen = exchangesById(target);
  const behind = direct && exchangesById(direct);
  const found = FINDING_CODES.flatMap((code) => find(code, seen, behind, settings, target) ?? []);
  const superseded = new Set(found.flatMap(({ code }) => CATALOGUE[code].supersedes ?? []));
  const rank = { error: 0, warning: 1, note: 2 };
  return found.filter(({ code }) => !superseded.has(code)).sort((a, b) => rank[a.severity] - rank[b.severity]);
}

function find(
  code: FindingCode,
  target: Exchanges,
  direct: Exchanges | undefined,
  settings: ProbeSettings,
  { identified }: EndpointResult,
): Finding | undefined {
  const differences = direct ? (DIFFERENCES[code]?.(target, direct) ?? []) : [];
  if (differences.length > 0) {
    const evidence = differences.flatMap(([through, without]) => [
      evidenceOf("target", through),
      evidenceOf("direct", without, true),
    ]);
    return finding(code, "proxy", evidence, identified);
  }
  if (code === "proxy-417" && !direct) {
    const why = whyProxy417(target);
    if (why === undefined) return undefined;
    return finding(
      code,
      "proxy",
      evidenceFrom("target", [target.withheld, target.plain], REFERENCES[code]),
      identified,
      ` Likely so: ${why}.`,
    );
  }
  const why = code === "proxy-continue" && !direct ? whyProxyContinue(target, identified) : undefined;
  if (why !== undefined) {
    const shown = [target.large, target.withheld].filter((one) => one && one.summary.continues > 0);
    return finding(code, "proxy", evidenceFrom("target", shown), identified, ` Likely so: ${why}.`);
  }
  const check = CHECKS[code];
  const troubled = check?.(target, settings) ?? [];
  if (!check || troubled.length === 0) return undefined;
  const evidence = evidenceFrom("target", troubled, REFERENCES[code]);
  const more = toldBy(code, troubled);
  const status = troubled.find(({ id }) => !REFERENCES[code]?.includes(id))?.summary.status;
  if (code === "proxy-auth") return finding(code, "proxy", evidence, identified, more, status);
  if (!direct) return finding(code, hopWithoutProxy(settings, identified), evidence, identified, more, status);
  const atOrigin = check(direct, settings);
  return finding(
    code,
    atOrigin.length > 0 ? "origin" : "proxy",
    [...evidence, ...evidenceFrom("direct", atOrigin, REFERENCES[code])],
    identified,
    more,
    status,
  );
}

/** Exchanges that a finding compares with, and that are as they should be. */
const REFERENCES: Partial<Readonly<Record<FindingCode, readonly ExchangeId[]>>> = {
  "waf-expect": ["control"],
  "expect-fails": ["control"],
  "case-sensitive": ["withheld"],
  "h2-differs": ["withheld"],
  "proxy-417": ["plain"],
  "ask-differs": ["control", "withheld", "large"],
};

// Only a second URL shows which hop it is. If there is no sign of a proxy, it is the endpoint.
function hopWithoutProxy({ proxy }: ProbeSettings, identified: readonly Identification[]): Finding["hop"] {
  return proxy !== undefined || identified.some(({ role }) => role !== "server") ? "unknown" : "endpoint";
}

function evidenceFrom(
  endpoint: Evidence["endpoint"],
  exchanges: readonly (ExchangeResult | undefined)[],
  references: readonly ExchangeId[] = [],
): Evidence[] {
  return exchanges.flatMap((one) => (one ? [evidenceOf(endpoint, one, references.includes(one.id))] : []));
}

function evidenceOf(endpoint: Evidence["endpoint"], { id, events }: ExchangeResult, isReference = false): Evidence {
  return { endpoint, exchange: id, ...(isReference && { isReference }), lines: events.flatMap(linesOf) };
}

function finding(
  code: FindingCode,
  hop: Finding["hop"],
  evidence: readonly Evidence[],
  identified: readonly Identification[],
  more = "",
  status?: number,
): Finding {
  const named = (text: string) => text.replaceAll("{status}", String(status ?? "another status"));
  const { severity, severityAtProxy = severity, title, cause, fixes } = CATALOGUE[code];
  return {
    code,
    severity: hop === "proxy" ? severityAtProxy : severity,
    title: named(title),
    hop,
    cause: `${cause}${more}${suspectsText(hop, identified)}`,
    evidence,
    fixes: inOrder(relevantFixes(fixes, identified, hop), hop).map((one) =>
      one.code === undefined ? one : { ...one, code: named(one.code) },
    ),
  };
}

function suspectsText(hop: Finding["hop"], identified: readonly Identification[]): string {
  const named = identified.filter(({ role }) => hop === "unknown" || (hop === "proxy" && role !== "server"));
  if (named.length === 0) return "";
  return ` On the way: ${named.map(({ name, confidence }) => `${name} (${confidence})`).join(", ")}.`;
}
