import { STATUS_CODES } from "node:http";
import { contentSecurityPolicy as policyOf } from "../../pages/content-security-policy.js";
import { escapeHtml, htmlDocument } from "../../pages/html.js";
import type { Summary } from "../summary.js";
import { PAGE_SCRIPT } from "./script.js";
import { PAGE_STYLE } from "./style.js";

/** Options of {@link renderPage}. */
interface PageOptions {
  /** Heading and document title. Default "Refused uploads". */
  readonly title?: string;
  /** Whether to draw the server-sent events of the relative URL `events`. Default: no network access. */
  readonly live?: boolean;
}

/**
 * Returns a summary as one self-contained HTML document, with its style, script and data.
 *
 * Values from requests become text nodes, never markup. The document's {@link contentSecurityPolicy} blocks all other
 * scripts and all loads.
 *
 * @param summary - the data; with `live`, the data until the first event.
 */
export function renderPage(summary: Summary, options: PageOptions = {}): string {
  const { title = "Refused uploads", live = false } = options;
  const settings = { live, statusNames: STATUS_CODES };
  const body = `<header>
<div>
<h1>${escapeHtml(title)}</h1>
<p id="span" class="muted"></p>
</div>
<p id="connection" role="status" hidden></p>
</header>
<main id="main">
<noscript><p class="card notice">${escapeHtml(inShort(summary))} Tables and chart need JavaScript.</p></noscript>
</main>
<footer id="read" class="muted"></footer>
<script type="application/json" id="summary">${embeddable(summary)}</script>
<script type="application/json" id="settings">${embeddable(settings)}</script>`;
  return htmlDocument({ title, style: PAGE_STYLE, script: PAGE_SCRIPT, live, body });
}

/**
 * Returns the `Content-Security-Policy` of a page. It allows only the page's own style and script, by their digests.
 *
 * @param live - whether the page may fetch from its own origin.
 */
export function contentSecurityPolicy(live: boolean): string {
  return policyOf({ style: PAGE_STYLE, script: PAGE_SCRIPT, live });
}

// Without "<", no value can end the script element. JSON has it in strings only, where it can be escaped.
function embeddable(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}

function inShort({ refused, errors, omitted }: Summary): string {
  const left = omitted > 0 ? `, ${omitted} more left out of the log` : "";
  return `${refused} refused${left}, ${errors} ${errors === 1 ? "error" : "errors"}.`;
}
