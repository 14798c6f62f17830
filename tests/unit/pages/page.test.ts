import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { describe, expect, test } from "@jest/globals";
import { contentSecurityPolicy, renderPage } from "../../../src/report/page/page.js";
import { PAGE_SCRIPT } from "../../../src/report/page/script.js";
import { PAGE_STYLE } from "../../../src/report/page/style.js";
import { QUESTIONS, type Rows, type Summary } from "../../../src/report/summary.js";

function summary(changes: Partial<Summary> = {}): Summary {
  const none: Rows = { rows: [], others: 0 };
  return {
    schema: 2,
    refused: 0,
    errors: 0,
    accepted: 0,
    omitted: 0,
    bytesSpared: 0,
    bytesWithheld: 0,
    by: Object.fromEntries(QUESTIONS.map((question) => [question, none])) as Record<(typeof QUESTIONS)[number], Rows>,
    overTime: { stepMs: 1_000, buckets: [] },
    suspects: [],
    ...changes,
  };
}

function withClient(key: string): Summary {
  const of = summary();
  return {
    ...of,
    by: { ...of.by, client: { rows: [{ key, count: 1, bytesSpared: 0, bytesWithheld: 0 }], others: 0 } },
  };
}

const dataOf = (html: string) => /<script type="application\/json" id="summary">(.*?)<\/script>/s.exec(html)?.[1] ?? "";

describe("renderPage", () => {
  test.each([
    "</script><img src=x onerror=alert(1)>",
    "<!--<script>",
    "</SCRIPT >",
    "&lt;\u2028\u2029\u202e",
    "👩‍👩‍👧‍👦",
    '"; \\u003c/script',
  ])("carries %j as data, whole, and lets it end nothing", (hostile) => {
    const given = withClient(hostile);
    const html = renderPage(given);
    expect(dataOf(html)).not.toContain("<");
    expect(JSON.parse(dataOf(html))).toEqual(given);
    const harmless = renderPage(withClient("harmless"));
    expect(html.match(/<[a-z!/]/gi)).toEqual(harmless.match(/<[a-z!/]/gi));
  });

  test("escapes its title", () => {
    const html = renderPage(summary(), { title: `</title><script>alert("1")</script>&'` });
    expect(html).not.toContain("<script>alert");
    expect(
      html.match(/&#60;\/title&#62;&#60;script&#62;alert\(&#34;1&#34;\)&#60;\/script&#62;&#38;&#39;/g),
    ).toHaveLength(2);
  });

  test("names nothing that a browser would fetch, and what it runs by its digest", () => {
    const html = renderPage(summary());
    expect(html).not.toMatch(/\s(?:src|href|action|srcset)=(?!"data:)/);
    expect(html).not.toMatch(/@import|url\(/);
    const digestOf = (text = "") => createHash("sha256").update(text).digest("base64");
    const script = /<script>(.*?)<\/script>/s.exec(html)?.[1];
    const style = /<style>(.*?)<\/style>/s.exec(html)?.[1];
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1];
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`script-src 'sha256-${digestOf(script)}';`);
    expect(policy).toContain(`style-src 'sha256-${digestOf(style)}';`);
    expect([script, style]).toEqual([PAGE_SCRIPT, PAGE_STYLE]);
  });

  test("may fetch from its own origin where it is live, and nowhere else otherwise", () => {
    expect(contentSecurityPolicy(true)).toContain("connect-src 'self'");
    expect(contentSecurityPolicy(false)).not.toContain("connect-src");
  });

  test("says the main numbers to those without JavaScript", () => {
    const html = renderPage(summary({ refused: 12, errors: 1, omitted: 30 }));
    expect(/<noscript>(.*?)<\/noscript>/s.exec(html)?.[1]).toContain(
      "12 refused, 30 more left out of the log, 1 error.",
    );
  });
});

test("the pages' scripts put text into the document, never markup", () => {
  const folder = path.resolve(__dirname, "../../../src/pages/browser");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => /\.tsx?$/.test(file));
  expect(files.length).toBeGreaterThan(10);
  for (const file of files) {
    expect(readFileSync(path.join(folder, file), "utf8")).not.toMatch(
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|eval\(|new Function/i,
    );
  }
});
