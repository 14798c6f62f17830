import { linesOf } from "../describe.js";
import type { ExchangeResult } from "../exchange-result.js";
import { type Evidence, FINDING_CODES, type Finding, type FindingCode, type Fix } from "../finding.js";
import type { EndpointResult, Identification, ProbeSettings } from "../result.js";
import { PROGRAM_OF_FIX } from "./catalogue/fixes.js";
import { CATALOGUE } from "./catalogue.js";
import { CHECKS } from "./checks.js";
import { DIFFERENCES, whyProxy417 } from "./differences.js";
import { type Exchanges, exchangesById } from "./exchanges-by-id.js";

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
      evidenceOf("direct", without),
    ]);
    return finding(code, "proxy", evidence, identified);
  }
  if (code === "proxy-417" && !direct) {
    const why = whyProxy417(target);
    if (why === undefined) return undefined;
    return finding(
      code,
      "proxy",
      evidenceFrom("target", [target.withheld, target.plain]),
      identified,
      ` Likely so: ${why}.`,
    );
  }
  const check = CHECKS[code];
  const troubled = check?.(target, settings) ?? [];
  if (!check || troubled.length === 0) return undefined;
  const evidence = evidenceFrom("target", troubled);
  if (code === "proxy-auth") return finding(code, "proxy", evidence, identified);
  if (!direct) return finding(code, hopWithoutProxy(settings, identified), evidence, identified);
  const atOrigin = check(direct, settings);
  return finding(
    code,
    atOrigin.length > 0 ? "origin" : "proxy",
    [...evidence, ...evidenceFrom("direct", atOrigin)],
    identified,
  );
}

// Only a second URL shows which hop it is. If there is no sign of a proxy, it is the endpoint.
function hopWithoutProxy({ proxy }: ProbeSettings, identified: readonly Identification[]): Finding["hop"] {
  return proxy !== undefined || identified.some(({ role }) => role !== "server") ? "unknown" : "endpoint";
}

const SHOWN_EXCHANGES = 3;

function evidenceFrom(endpoint: Evidence["endpoint"], exchanges: readonly (ExchangeResult | undefined)[]): Evidence[] {
  return exchanges.flatMap((one) => (one ? [evidenceOf(endpoint, one)] : [])).slice(0, SHOWN_EXCHANGES);
}

function evidenceOf(endpoint: Evidence["endpoint"], { id, events }: ExchangeResult): Evidence {
  return { endpoint, exchange: id, lines: events.flatMap(linesOf) };
}

function finding(
  code: FindingCode,
  hop: Finding["hop"],
  evidence: readonly Evidence[],
  identified: readonly Identification[],
  more = "",
): Finding {
  const { severity, severityAtProxy = severity, title, cause, fixes } = CATALOGUE[code];
  return {
    code,
    severity: hop === "proxy" ? severityAtProxy : severity,
    title,
    hop,
    cause: `${cause}${more}${suspectsText(hop, identified)}`,
    evidence,
    fixes: relevantFixes(fixes, identified),
  };
}

function suspectsText(hop: Finding["hop"], identified: readonly Identification[]): string {
  const named = identified.filter(({ role }) => hop === "unknown" || (hop === "proxy" && role !== "server"));
  if (named.length === 0) return "";
  return ` On the way: ${named.map(({ name, confidence }) => `${name} (${confidence})`).join(", ")}.`;
}

// If a program was recognised, the fixes for other programs are left out. Otherwise all of them may help.
function relevantFixes(fixes: readonly Fix[], identified: readonly Identification[]): Fix[] {
  const programOf = ({ text }: Fix) => PROGRAM_OF_FIX.find(([word]) => text.startsWith(word))?.[1];
  const there = new Set(identified.map(({ name }) => name));
  const isNamed = (one: Fix) => there.has(programOf(one) ?? "");
  if (!fixes.some(isNamed)) return [...fixes];
  return fixes.filter((one) => programOf(one) === undefined || isNamed(one));
}
