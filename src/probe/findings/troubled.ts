import type { ExchangeId } from "../exchange-result.js";
import type { Evidence, Finding } from "../finding.js";

/** Returns the exchanges at one URL that are not as they should be: a finding that is more than a note shows them. */
export function troubledIn(findings: readonly Finding[], endpoint: Evidence["endpoint"]): ReadonlySet<ExchangeId> {
  const evidence = findings.filter(({ severity }) => severity !== "note").flatMap((one) => one.evidence);
  const bad = evidence.filter((one) => one.endpoint === endpoint && one.isReference !== true);
  return new Set(bad.map(({ exchange }) => exchange));
}
