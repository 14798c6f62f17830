import { STATUS_CODES } from "node:http";
import { contentSecurityPolicy as policyOf } from "../../pages/content-security-policy.js";
import { escapeHtml, htmlDocument } from "../../pages/html.js";
import { QUESTIONS, type Question, type Summary } from "../summary.js";
import { PAGE_SCRIPT } from "./script.js";
import { PAGE_STYLE } from "./style.js";

/** Options of {@link renderPage}. */
interface PageOptions {
  /** Heading and document title. Default "Refused uploads". */
  readonly title?: string;
  /** Draws every summary that comes from the relative URL `events` (server-sent events). Default: no network at all. */
  readonly live?: boolean;
}

/** What each question is called on the page. */
const HEADINGS: Readonly<Record<Question, string>> = {
  software: "Client software",
  client: "Client address",
  route: "Route",
  policy: "Policy",
  status: "Status",
  expectation: "Expectation",
  method: "Method",
  httpVersion: "HTTP version",
};

/**
 * Draws a summary as one HTML document that needs nothing else: style, script and data are inside of it.
 *
 * Values from requests are data of the document and become text of it, never markup; its
 * {@link contentSecurityPolicy} lets no other script run and nothing be fetched.
 *
 * @param summary - what to show; with `live`, what to show until the first event comes.
 */
export function renderPage(summary: Summary, options: PageOptions = {}): string {
  const { title = "Refused uploads", live = false } = options;
  const settings = {
    live,
    questions: QUESTIONS.map((question) => ({ question, heading: HEADINGS[question] })),
    statusNames: STATUS_CODES,
  };
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
 * The `Content-Security-Policy` of a page: its own style and script, known by their digests, and nothing else.
 *
 * @param live - whether the page may fetch from its own origin.
 */
export function contentSecurityPolicy(live: boolean): string {
  return policyOf({ style: PAGE_STYLE, script: PAGE_SCRIPT, live });
}

// Nothing in JSON but strings has a `<`; escaped, no value can end the element it stands in.
function embeddable(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}

function inShort({ refused, errors, omitted }: Summary): string {
  const left = omitted > 0 ? `, ${omitted} more left out of the log` : "";
  return `${refused} refused${left}, ${errors} ${errors === 1 ? "error" : "errors"}.`;
}
