import { afterAll, afterEach, beforeAll, expect, jest, test } from "@jest/globals";
import type { BrowserContextOptions } from "playwright-core";
import { renderPage } from "../../src/report/page/page.js";
import { describeInBrowser, figureOf, overflowOf, rowsOf, textOf } from "../helpers/browser.js";
import { ORDINARY, READ, ReportPages, refusal, summed } from "../helpers/report-pages.js";

jest.setTimeout(60_000);

const HOSTILE = [
  "</script><img src=x onerror=\"document.title='owned'\">",
  "<img src=http://127.0.0.1:9/x onerror=alert(1)>",
  "\u202e\u2066moc.elpmaxe\u2069 rtl",
  `${"x".repeat(150)}/1.0`,
  "👩‍👩‍👧‍👦 uploader/1.0 🚀",
  "مُحَمِّل/2.0",
  "javascript:alert(1)",
  "\u0000\u001b[31mred\u0007",
];

describeInBrowser("the page", () => {
  let pages: ReportPages;
  beforeAll(async () => {
    pages = await ReportPages.start();
  });
  afterEach(() => pages.close());
  afterAll(() => pages?.end());

  const opened = (html: string, options: BrowserContextOptions = {}) => pages.open(html, options);

  test("shows the numbers of the summary, complains of nothing and fetches nothing", async () => {
    const summary = summed(ORDINARY, 20);
    expect(summary).toMatchObject({ refused: 1_213, errors: 1, omitted: 214 });
    const { page, complaints, requests, url } = await opened(renderPage({ ...summary, read: READ }));

    expect(await textOf(figureOf(page, "Refused"))).toBe("1,213");
    expect(await textOf(figureOf(page, "Errors"))).toBe("1");
    expect(await textOf(figureOf(page, "Left out of the log"))).toBe("214");
    expect(await textOf(figureOf(page, "Bytes not sent"))).toBe("1.17 GiB");
    expect(await textOf(figureOf(page, "Bytes not received"))).toBe("1 MiB");
    expect(await textOf(figureOf(page, "Median time to refuse"))).toMatch(/^0\.5 ms\n/);
    expect(await figureOf(page, "Accepted").count()).toBe(0);
    expect(await textOf(page.locator("#span"))).toBe("21 Nov 2026, 09:00:00 to 09:49:00 UTC (49 min)");
    expect(await textOf(page.locator("#read"))).toBe(
      "Read 1,220 lines, 1.5 MiB. 3 lines are no JSON object; 1 line is of other software.",
    );

    expect((await rowsOf(page, "Client address")).map((cells) => cells.slice(0, 2))).toEqual([
      ["192.0.2.1", "1,213"],
      ["2001:db8::7", "1"],
    ]);
    expect(await rowsOf(page, "Status")).toEqual([
      ["413 Payload Too Large", "1,212", "100%", "1.17 GiB", "0 B", "09:49:00"],
      ["401 Unauthorized", "1", "<1%", "1 MiB", "0 B", "09:10:00"],
      ["500 Internal Server Error", "1", "<1%", "0 B", "1 MiB", "09:20:00"],
    ]);
    for (const heading of ["Client software", "Policy", "Route", "Method"]) {
      expect((await rowsOf(page, heading)).length).toBeGreaterThan(0);
    }
    expect(complaints).toEqual([]);
    expect(requests).toEqual([url]);
  });

  test("shows dates where the report is of several days", async () => {
    const { page } = await opened(renderPage(summed([refusal(0), refusal(3 * 24 * 60, { policy: "quota" })])));
    expect((await rowsOf(page, "Policy")).map((cells) => cells.at(-1))).toEqual(["21 Nov, 09:00", "24 Nov, 09:00"]);
  });

  test("gathers addresses by network, and unfolds them by keyboard", async () => {
    const decisions = Array.from({ length: 40 }, (_, i) => refusal(i, { client: `10.0.${i % 4}.${i}` }));
    const { page } = await opened(renderPage(summed(decisions)));
    const section = page.getByRole("region", { name: "Client address" });
    expect((await rowsOf(page, "Client address")).map(([key]) => key)).toEqual([
      "10.0.0.0/24",
      "10.0.1.0/24",
      "10.0.2.0/24",
      "10.0.3.0/24",
    ]);
    await section.getByRole("button", { name: "10.0.2.0/24", expanded: false }).focus();
    await page.keyboard.press("Enter");
    expect(await section.locator("tr.inner").count()).toBe(5);
    expect(await section.getByRole("button", { name: "10.0.2.0/24", expanded: true }).count()).toBe(1);
  });

  test("tells what is the same in all once, without a table", async () => {
    const { page } = await opened(renderPage(summed([refusal(0), refusal(1)])));
    expect(await textOf(page.getByRole("region", { name: "The same in all" }))).toContain("413 Payload Too Large");
    expect(await page.locator(".answers table").count()).toBe(0);
  });

  test("shows the first rows of a long answer, and all of them by keyboard", async () => {
    const { page } = await opened(renderPage(summed(ORDINARY, 20)));
    const routes = page.getByRole("region", { name: "Route", exact: true });
    expect(await rowsOf(page, "Route")).toHaveLength(8);
    const button = routes.getByRole("button", { name: "Show all 13" });
    await button.focus();
    await page.keyboard.press("Enter");
    expect(await rowsOf(page, "Route")).toHaveLength(13);
    expect(await routes.getByRole("button", { name: "Show fewer", expanded: true }).count()).toBe(1);
  });

  test("says what is known about a suspect, and what to change", async () => {
    const summary = summed(ORDINARY);
    const { page } = await opened(renderPage(summary));
    const text = await textOf(page.getByRole("region", { name: "Client notes" }));
    expect(summary.suspects.map(({ id }) => id)).toContain("curl");
    for (const { name, known, change, leaveOut } of summary.suspects) {
      for (const expected of [name, ...known, ...change, ...leaveOut]) expect(text).toContain(expected);
    }
    expect(text).toContain("413 Payload Too Large × 1,212");
  });

  test.each([
    ["light", { viewport: { width: 1280, height: 800 } }],
    ["390 px", { viewport: { width: 390, height: 844 }, isMobile: true }],
    ["320 px", { viewport: { width: 320, height: 568 }, isMobile: true }],
  ] as const)("shows hostile values as text and within the window: %s", async (_name, options) => {
    const decisions = HOSTILE.flatMap((value, i) => [
      refusal(i, { userAgent: value, client: value, route: value, policy: value, expectation: value, method: value }),
      refusal(i, { httpVersion: value }),
    ]);
    const summary = summed([...ORDINARY, ...decisions], 100);
    const title = "Refused </title><script>document.title='owned'</script>";
    const { page, complaints, requests, url } = await opened(renderPage(summary, { title }), options);
    const closed = page.getByRole("button", { name: /Show all/ });
    while ((await closed.count()) > 0) await closed.first().click();

    for (const [heading, question] of [
      ["Policy", "policy"],
      ["Route", "route"],
    ] as const) {
      const keys = page.getByRole("region", { name: heading, exact: true }).locator("tbody bdi");
      expect(await keys.allTextContents()).toEqual(summary.by[question].rows.map(({ key }) => key));
    }
    const shown = await page
      .getByRole("region", { name: "Policy", exact: true })
      .locator("tbody bdi")
      .allTextContents();
    expect(shown).toContain(HOSTILE[0]);
    expect(await page.locator("img, script:not([type]):not(:last-of-type), iframe, a").count()).toBe(0);
    expect(await page.title()).toBe(title);
    expect(await overflowOf(page)).toBe(0);
    expect(complaints).toEqual([]);
    expect(requests).toEqual([url]);
  });

  test("runs no script that somebody puts into the document", async () => {
    const html = renderPage(summed(ORDINARY)).replace("</body>", "<script>document.title = 'owned'</script></body>");
    const { page, complaints } = await opened(html);
    expect(await page.title()).toBe("Refused uploads");
    expect(complaints.join()).toContain("Content Security Policy");
  });

  test("is dark where the reader likes it so, with text that can be read in both", async () => {
    const html = renderPage(summed(ORDINARY));
    const grounds: string[] = [];
    for (const colorScheme of ["light", "dark"] as const) {
      const { page } = await opened(html, { colorScheme });
      const colours = await page.evaluate<Record<string, string>>(`(() => {
          const of = (selector) => getComputedStyle(document.querySelector(selector));
          return { ground: of("body").backgroundColor, card: of(".card").backgroundColor, ink: of("body").color, muted: of("#span").color };
        })()`);
      grounds.push(colours.ground ?? "");
      for (const text of ["ink", "muted"]) {
        for (const ground of ["ground", "card"]) {
          expect(contrast(colours[text] ?? "", colours[ground] ?? "")).toBeGreaterThanOrEqual(4.5);
        }
      }
    }
    expect(grounds[0]).not.toBe(grounds[1]);
  });

  test("says so where nothing was refused", async () => {
    const { page, complaints } = await opened(renderPage(summed([])));
    expect(await textOf(page.locator("main"))).toContain("Nothing was refused.");
    expect(await page.getByRole("region").count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test("tells the main numbers without JavaScript", async () => {
    const { page } = await opened(renderPage(summed(ORDINARY)), { javaScriptEnabled: false });
    expect(await textOf(page.locator("main"))).toBe(
      "1213 refused, 214 more left out of the log, 1 error. Tables and chart need JavaScript.",
    );
  });
});

/** WCAG 2.2: contrast ratio. */
function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const [red, green, blue] = (colour.match(/[\d.]+/g) ?? []).slice(0, 3).map((part) => {
    const value = Number(part) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
