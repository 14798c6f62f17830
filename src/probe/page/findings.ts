import { escapeHtml } from "../../pages/html.js";
import type { Evidence, Finding } from "../finding.js";
import type { ProbeResult } from "../result.js";
import { exchangeAnchor, findingAnchor } from "./anchors.js";
import { linesBlock } from "./lines.js";

const WHERE: Readonly<Record<Finding["hop"], string>> = {
  endpoint: "at the endpoint",
  unknown: "at a hop that was not told apart (--origin tells)",
  proxy: "at the proxy",
  origin: "at the origin",
};

/** Returns the section with the findings: title, cause and evidence of each. */
export function findingsSection({ findings }: ProbeResult): string {
  if (findings.length === 0) return "";
  return `<section aria-labelledby="findings">
<h2 id="findings">Findings</h2>
<div class="stack">
${findings.map(findingCard).join("\n")}
</div>
</section>`;
}

function findingCard({ code, severity, title, hop, cause, evidence, fixes }: Finding): string {
  const first = shownFirst(evidence);
  const rest = evidence.filter((one) => !first.includes(one));
  const more =
    rest.length === 0
      ? ""
      : `<details><summary>${rest.length} more ${rest.length === 1 ? "exchange" : "exchanges"}</summary><div class="evidence">${rest.map(evidenceFigure).join("")}</div></details>`;
  return `<article class="card finding ${severity}" id="${findingAnchor(code)}">
<div class="said">
<h3>${escapeHtml(title)}</h3>
<p class="tags"><span class="severity">${severity}</span><code>${code}</code><span>${WHERE[hop]}</span>${fixes.length === 0 ? "" : `<a href="#fixes">What to change</a>`}</p>
<p class="cause">${escapeHtml(cause)}</p>
</div>
<div class="evidence">${first.map(evidenceFigure).join("")}</div>
${more}
</article>`;
}

// Two exchanges may be a comparison, so both are shown. Of more, one of each URL is enough.
function shownFirst(evidence: readonly Evidence[]): Evidence[] {
  if (evidence.length <= 2) return [...evidence];
  return (["target", "direct"] as const).flatMap((endpoint) => evidence.find((one) => one.endpoint === endpoint) ?? []);
}

function evidenceFigure({ endpoint, exchange, lines }: Evidence): string {
  const where = endpoint === "direct" ? ", without the proxy" : "";
  return `<figure><figcaption>Evidence: exchange <a href="#${exchangeAnchor(exchange)}">${exchange}</a>${where}</figcaption>${linesBlock(lines)}</figure>`;
}
