import { escapeHtml } from "../pages/html.js";
import { linesOf, size } from "./describe.js";
import { diagramOf, type Hops } from "./page-diagram.js";
import { exchangeAnchor, findingAnchor, linesBlock, TIME_WIDTH } from "./page-lines.js";
import type { EndpointResult, ExchangeId, ExchangeResult, Finding, Identification, ProbeResult } from "./result.js";

/** One exchange, at the URL and, where it was asked, without the proxy. */
interface Both {
  readonly target: ExchangeResult;
  readonly direct: ExchangeResult | undefined;
}

function pairsOf({ target, direct }: ProbeResult): Both[] {
  return target.exchanges.map((one) => ({
    target: one,
    direct: direct?.exchanges.find(({ id }) => id === one.id),
  }));
}

const ran = (one: ExchangeResult | undefined): one is ExchangeResult => one !== undefined && one.events.length > 0;

/** All exchanges in a table: what came, and how much was sent. */
export function overviewSection(result: ProbeResult): string {
  const { target, direct } = result;
  const both = pairsOf(result);
  if (both.length === 0) return "";
  const shown = both.filter((pair) => ran(pair.target) || ran(pair.direct));
  const heads = direct ? ["Through the proxy", "Without it"] : ["Answer", "Content sent"];
  return `<section aria-labelledby="overview">
<h2 id="overview">Exchanges</h2>
<div class="card">
<table class="overview">
<thead><tr><th scope="col">Exchange</th>${heads.map((head) => `<th scope="col">${head}</th>`).join("")}</tr></thead>
<tbody>
${shown.map((pair) => overviewRow(pair, direct !== undefined)).join("\n")}
</tbody>
</table>
${leftOut(both.map(({ target: one }) => one))}
${seenList([...target.identified, ...(direct?.identified ?? [])])}
</div>
</section>`;
}

function overviewRow({ target, direct }: Both, hasDirect: boolean): string {
  const { id, title } = target;
  const cells = hasDirect
    ? [answerCell(target), direct ? answerCell(direct) : ""]
    : [answerCell(target), contentText(target)];
  const differs = hasDirect && ran(direct) && answerText(target) !== answerText(direct);
  return `<tr${differs ? ` class="differs"` : ""}><th scope="row"><a href="#${exchangeAnchor(id)}">${id}</a><small>${escapeHtml(title)}</small></th>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
}

function answerCell(exchange: ExchangeResult): string {
  const { verdictMs } = exchange.summary;
  if (!ran(exchange)) return "left out";
  return `${escapeHtml(answerText(exchange))}${verdictMs === undefined ? "" : `<small>after ${verdictMs} ms</small>`}`;
}

/** What came, in order. */
function answerText({ events }: ExchangeResult): string {
  const second = events.findIndex((event) => event.kind === "sent" && event.what === "second head");
  const steps = (second < 0 ? events : events.slice(0, second)).flatMap((event) => {
    if (event.kind === "received") return String(event.status);
    if (event.kind === "reset") return "broken connection";
    return event.kind === "malformed" ? "no HTTP" : [];
  });
  if (steps.length > 0) return steps.join(", ");
  return events.some(({ kind }) => kind === "end") ? "end of the connection" : "nothing";
}

function contentText({ announced, summary }: ExchangeResult): string {
  if (announced === "none") return "none to send";
  const sent = summary.contentBytesSent === 0 ? "none" : size(summary.contentBytesSent);
  return announced === "chunked" ? sent : `${sent} of ${size(announced)}`;
}

function leftOut(exchanges: readonly ExchangeResult[]): string {
  const reasons = new Map<string, ExchangeId[]>();
  for (const { id, skipped } of exchanges) {
    if (skipped !== undefined) reasons.set(skipped, [...(reasons.get(skipped) ?? []), id]);
  }
  if (reasons.size === 0) return "";
  const items = [...reasons].map(([reason, ids]) => `<li>Left out: ${ids.join(", ")} (${escapeHtml(reason)})</li>`);
  return `<ul class="seen muted">${items.join("")}</ul>`;
}

function seenList(identified: readonly Identification[]): string {
  const each = new Map(identified.map((one) => [one.name, one]));
  if (each.size === 0) return "";
  const items = [...each.values()].map(
    ({ name, confidence, because }) => `<li>Seen: ${escapeHtml(name)}, ${confidence} (${escapeHtml(because)})</li>`,
  );
  return `<ul class="seen">${items.join("")}</ul>`;
}

/** Each exchange with its diagram and its bytes. */
export function exchangesSection(result: ProbeResult): string {
  const both = pairsOf(result).filter((pair) => ran(pair.target) || ran(pair.direct));
  if (both.length === 0) return "";
  return `<section aria-labelledby="diagrams">
<h2 id="diagrams">On the wire</h2>
<p class="legend muted">Time runs downwards, distances grow with its logarithm. Bars are content, the thicker the more; dashed ones were announced and not sent.</p>
<div class="exchanges${result.direct ? " both" : ""}">
${both.map((pair) => exchangeCard(pair, result)).join("\n")}
</div>
</section>`;
}

function exchangeCard({ target, direct }: Both, result: ProbeResult): string {
  const views = [
    ...(ran(target) ? [view(target, hopsOf(target, result), direct ? "Through the proxy" : undefined)] : []),
    ...(ran(direct) ? [view(direct, { names: ["client", "origin"], peer: 1 }, "Without the proxy")] : []),
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

function view(exchange: ExchangeResult, hops: Hops, caption: string | undefined): string {
  const lines = exchange.events.flatMap((event) => {
    const sample =
      event.kind === "complete" && event.sample !== "" ? [`${" ".repeat(TIME_WIDTH)}   ${event.sample}`] : [];
    return [...linesOf(event), ...sample];
  });
  return `<figure>${caption === undefined ? "" : `<figcaption>${caption}</figcaption>`}${diagramOf(exchange, hops)}<details><summary>Bytes</summary>${linesBlock(lines)}</details></figure>`;
}

function hopsOf(exchange: ExchangeResult, { settings, direct, target, url, findings }: ProbeResult): Hops {
  const names = ["client", "proxy", "origin"];
  if (settings.proxy !== undefined) {
    const hasTunnel = url.startsWith("https:") && exchange.events.some(({ kind }) => kind === "sent");
    return { names, peer: hasTunnel ? 2 : 1 };
  }
  if (direct) return { names, peer: 1 };
  return { names: ["client", mayBeProxy(target, findings) ? "proxy or origin" : "server"], peer: 1 };
}

function mayBeProxy({ identified }: EndpointResult, findings: readonly Finding[]): boolean {
  return identified.some(({ role }) => role !== "server") || findings.some(({ hop }) => hop === "proxy");
}
