import { escapeHtml } from "../../pages/html.js";
import { linesOf } from "../describe.js";
import type { ExchangeResult } from "../exchange-result.js";
import type { Finding } from "../finding.js";
import { troubledIn } from "../findings/troubled.js";
import type { EndpointResult, ProbeResult } from "../result.js";
import { exchangeAnchor, findingAnchor } from "./anchors.js";
import { diagramOf, type Hops } from "./diagram.js";
import { linesBlock, TIME_WIDTH } from "./lines.js";
import { type ExchangePair, pairsOf, ran } from "./pairs.js";

/** Returns the section with the diagram and the bytes of each exchange. */
export function exchangesSection(result: ProbeResult): string {
  const both = pairsOf(result).filter((pair) => ran(pair.target) || ran(pair.direct));
  if (both.length === 0) return "";
  return `<section aria-labelledby="diagrams">
<h2 id="diagrams">On the wire</h2>
<p class="legend muted">Time runs downwards, and distances grow with its logarithm. Bars are content, and grow with its size. Dashed bars were announced and not sent.</p>
${cards(
  both.filter((pair) => isTroubled(pair, result)),
  result,
)}
${folded(
  both.filter((pair) => !isTroubled(pair, result)),
  result,
)}
</section>`;
}

function cards(shown: readonly ExchangePair[], result: ProbeResult): string {
  if (shown.length === 0) return "";
  return `<div class="exchanges${result.direct ? " both" : ""}">
${shown.map((pair) => exchangeCard(pair, result)).join("\n")}
</div>`;
}

// They show nothing that a reader has to look at.
function folded(shown: readonly ExchangePair[], result: ProbeResult): string {
  if (shown.length === 0) return "";
  const what = shown.length === 1 ? "1 exchange, as expected" : `${shown.length} exchanges, as expected`;
  return `<details class="folded"><summary>${what}</summary>
${cards(shown, result)}
</details>`;
}

/** Returns whether an exchange is not as expected, at either URL. */
export function isTroubled({ target }: ExchangePair, { findings }: ProbeResult): boolean {
  return troubledIn(findings, "target").has(target.id) || troubledIn(findings, "direct").has(target.id);
}

function exchangeCard({ target, direct }: ExchangePair, result: ProbeResult): string {
  const isBadAt = (endpoint: "target" | "direct") => troubledIn(result.findings, endpoint).has(target.id);
  const views = [
    ...(ran(target)
      ? [view(target, hopsOf(target, result), isBadAt("target"), direct ? "Through the proxy" : undefined)]
      : []),
    ...(ran(direct)
      ? [view(direct, { names: ["client", "origin"], peer: 1 }, isBadAt("direct"), "Without the proxy")]
      : []),
  ];
  const found = result.findings.filter(({ evidence }) => evidence.some(({ exchange }) => exchange === target.id));
  const links = found.map(
    ({ code, severity }) => `<a class="${severity}" href="#${findingAnchor(code)}"><code>${code}</code></a>`,
  );
  return `<article class="card exchange" id="${exchangeAnchor(target.id)}">
<div><h3>${target.id}</h3><p class="tags"><span>${escapeHtml(target.title)}</span><span>${target.protocol}</span>${links.join("")}</p></div>
<div class="views">${views.join("")}</div>
</article>`;
}

function view(exchange: ExchangeResult, hops: Hops, isBad: boolean, caption: string | undefined): string {
  const lines = exchange.events.flatMap((event) => {
    const sample =
      event.kind === "complete" && event.sample !== "" ? [`${" ".repeat(TIME_WIDTH)}   ${event.sample}`] : [];
    return [...linesOf(event), ...sample];
  });
  return `<figure>${caption === undefined ? "" : `<figcaption>${caption}</figcaption>`}${diagramOf(exchange, hops, isBad)}<details><summary>Bytes</summary>${linesBlock(lines)}</details></figure>`;
}

function hopsOf(exchange: ExchangeResult, { settings, direct, target, url, findings }: ProbeResult): Hops {
  const names = ["client", "proxy", "origin"];
  if (settings.proxy !== undefined) {
    const hasTunnel = url.startsWith("https:") && exchange.events.some(({ kind }) => kind === "sent");
    return { names, peer: hasTunnel ? 2 : 1 };
  }
  if (direct) return { names, peer: 1 };
  return { names: ["client", hasProxySigns(target, findings) ? "proxy or origin" : "server"], peer: 1 };
}

function hasProxySigns({ identified }: EndpointResult, findings: readonly Finding[]): boolean {
  return identified.some(({ role }) => role !== "server") || findings.some(({ hop }) => hop === "proxy");
}
