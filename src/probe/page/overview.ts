import { bytesText } from "../../pages/bytes.js";
import { escapeHtml } from "../../pages/html.js";
import type { ExchangeId, ExchangeResult } from "../exchange-result.js";
import type { Identification, ProbeResult } from "../result.js";
import { exchangeAnchor } from "./anchors.js";
import { isTroubled } from "./exchanges.js";
import { type ExchangePair, pairsOf, ran } from "./pairs.js";

/** Returns the section with a table of all exchanges: the answer, and the content sent. */
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
${shown.map((pair) => overviewRow(pair, direct !== undefined, isTroubled(pair, result))).join("\n")}
</tbody>
</table>
${skippedList(both.map(({ target: one }) => one))}
${identifiedList([...target.identified, ...(direct?.identified ?? [])])}
</div>
</section>`;
}

function overviewRow({ target, direct }: ExchangePair, hasDirect: boolean, isBad: boolean): string {
  const { id, title } = target;
  const cells = hasDirect
    ? [answerCell(target), direct ? answerCell(direct) : ""]
    : [answerCell(target), contentText(target)];
  const differs = hasDirect && ran(direct) && answerText(target) !== answerText(direct);
  return `<tr${differs ? ` class="differs"` : ""}><th scope="row"><span class="mark ${isBad ? "bad" : "good"}"><span aria-hidden="true">${isBad ? "✗" : "✓"}</span><span class="hidden-text">${isBad ? "not as expected" : "as expected"}</span></span> <a href="#${exchangeAnchor(id)}">${id}</a><small>${escapeHtml(title)}</small></th>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
}

function answerCell(exchange: ExchangeResult): string {
  const { verdictMs } = exchange.summary;
  if (!ran(exchange)) return "left out";
  return `${escapeHtml(answerText(exchange))}${verdictMs === undefined ? "" : `<small>after ${verdictMs} ms</small>`}`;
}

/** Returns the statuses that came, in order. */
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
  const sent = summary.contentBytesSent === 0 ? "none" : bytesText(summary.contentBytesSent);
  return announced === "chunked" ? sent : `${sent} of ${bytesText(announced)}`;
}

function skippedList(exchanges: readonly ExchangeResult[]): string {
  const reasons = new Map<string, ExchangeId[]>();
  for (const { id, skipped } of exchanges) {
    if (skipped !== undefined) reasons.set(skipped, [...(reasons.get(skipped) ?? []), id]);
  }
  if (reasons.size === 0) return "";
  const items = [...reasons].map(([reason, ids]) => `<li>Left out: ${ids.join(", ")} (${escapeHtml(reason)})</li>`);
  return `<ul class="seen muted">${items.join("")}</ul>`;
}

function identifiedList(identified: readonly Identification[]): string {
  const each = new Map(identified.map((one) => [one.name, one]));
  if (each.size === 0) return "";
  const items = [...each.values()].map(
    ({ name, confidence, because }) => `<li>Seen: ${escapeHtml(name)}, ${confidence} (${escapeHtml(because)})</li>`,
  );
  return `<ul class="seen">${items.join("")}</ul>`;
}
