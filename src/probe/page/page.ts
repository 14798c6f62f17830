import { escapeHtml, htmlDocument } from "../../pages/html.js";
import type { ProbeResult } from "../result.js";
import { exchangesSection } from "./exchanges.js";
import { findingsSection } from "./findings.js";
import { fixesSection } from "./fixes.js";
import { overviewSection } from "./overview.js";
import { PROBE_PAGE_SCRIPT } from "./script.js";
import { PROBE_PAGE_STYLE } from "./style.js";

/**
 * Returns the result of a probe as one self-contained HTML document.
 *
 * Everything that the peer sent is escaped. The document's Content-Security-Policy blocks all loads.
 */
export function renderProbePage(result: ProbeResult): string {
  const { verdict, settings, url } = result;
  const body = [
    verdictSection(result),
    `<main class="stack">`,
    findingsSection(result),
    fixesSection(result.findings),
    overviewSection(result),
    exchangesSection(result),
    "</main>",
    footer(result),
  ];
  return htmlDocument({
    title: `${WORDS[verdict.outcome]}: ${settings.method} ${url}`,
    style: PROBE_PAGE_STYLE,
    script: PROBE_PAGE_SCRIPT,
    body: body.filter((part) => part !== "").join("\n"),
  });
}

const WORDS = { healthy: "HEALTHY", findings: "FINDINGS", unreachable: "UNREACHABLE" } as const;

const CONTENT = {
  sent: "sent",
  declined: "not sent: declined",
  "not confirmed": "not sent: --yes sends it",
} as const;

function verdictSection({ verdict, scenarios, settings, url, direct, startedAt, durationMs }: ProbeResult): string {
  const facts: [name: string, value: string][] = [
    ["Request", `${settings.method} ${url}`],
    ...(settings.proxy === undefined ? [] : [["Forward proxy", settings.proxy] as [string, string]]),
    ...(direct ? [["Without the proxy", direct.url] as [string, string]] : []),
    ["Content", CONTENT[settings.content]],
    ["Credentials", credentialsOf(settings)],
    ["Began", `${startedAt.slice(0, 19).replace("T", " ")} UTC`],
    ["Took", durationMs < 10_000 ? `${durationMs} ms` : `${Math.round(durationMs / 1_000)} s`],
  ];
  // The headline names the first one.
  const others = scenarios.slice(1).map(({ title }) => escapeHtml(title));
  return `<header class="card verdict ${verdict.outcome}">
<div>
<p class="word">${WORDS[verdict.outcome]}</p>
<h1>${escapeHtml(verdict.headline)}</h1>
${others.length === 0 ? "" : `<p class="scenarios">Also: ${others.join("; ")}.</p>`}
<dl class="facts">${facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${escapeHtml(value)}</dd></div>`).join("")}</dl>
</div>
</header>`;
}

function credentialsOf({ hasCredentials, hasProxyCredentials }: ProbeResult["settings"]): string {
  const to = [...(hasCredentials ? ["the endpoint"] : []), ...(hasProxyCredentials ? ["the forward proxy"] : [])];
  return to.length === 0 ? "none" : `for ${to.join(" and ")}, not shown`;
}

function footer({ settings }: ProbeResult): string {
  return `<footer class="muted">One wait takes ${settings.timeoutMs} ms at most. Credentials and query values are left out; characters other than printable ASCII are shown as <code>\\xNN</code>.</footer>`;
}
