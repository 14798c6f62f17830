import { readFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, expect, jest, test } from "@jest/globals";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { Aggregate } from "../../src/report/aggregate.js";
import type { Decision } from "../../src/report/decision.js";
import { renderPage } from "../../src/report/page/page.js";
import type { Summary } from "../../src/report/summary.js";
import {
  closePages,
  describeInBrowser,
  figureOf,
  openPage,
  overflowOf,
  rowsOf,
  startBrowser,
  textOf,
} from "../helpers/browser.js";
import { deadline } from "../helpers/deadline.js";

jest.setTimeout(60_000);

const START = Date.UTC(2026, 10, 21, 9, 0);
const MINUTE = 60_000;

function refusal(minute: number, changes: Partial<Decision> = {}): Decision {
  return {
    event: "expectation.refused",
    time: START + minute * MINUTE,
    method: "PUT",
    route: "/files/:name",
    policy: "maxSize",
    status: 413,
    expectation: "100-continue",
    client: "192.0.2.1",
    userAgent: "curl/8.5.0",
    httpVersion: "1.1",
    bytesSpared: 2 ** 20,
    withheld: true,
    durationMs: 0.5,
    ...changes,
  };
}

function summed(decisions: readonly Decision[], top = 10): Summary {
  const aggregate = new Aggregate({ top });
  for (const decision of decisions) aggregate.add(decision);
  return aggregate.summary();
}

const ORDINARY: readonly Decision[] = [
  ...Array.from({ length: 1_200 }, (_, i) => refusal(i % 50)),
  refusal(10, { status: 401, policy: "authorize", client: "2001:db8::7", userAgent: "Boto3/1.34.0", method: "POST" }),
  refusal(20, { event: "expectation.error", status: 500, policy: "lookUp", withheld: false }),
  { event: "expectation.omitted", omitted: 214 },
  ...Array.from({ length: 12 }, (_, i) => refusal(30 + i, { route: `/routes/${i}`, bytesSpared: 100 })),
];

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
  let browser: Browser;
  let folder: string;

  beforeAll(async () => {
    folder = await fs.mkdtemp(path.join(os.tmpdir(), "expectations-page-"));
    browser = await startBrowser();
  });
  afterEach(() => closePages(browser));
  afterAll(async () => {
    await browser?.close();
    await fs.rm(folder, { recursive: true, force: true });
  });

  async function opened(html: string, options: BrowserContextOptions = {}) {
    const file = path.join(folder, `${Math.random()}.html`);
    await fs.writeFile(file, html);
    const watched = await openPage(browser, options);
    const url = pathToFileURL(file).href;
    await watched.page.goto(url);
    return { ...watched, url };
  }

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

  /** The numbers of the chart's table, column by column. */
  async function toldBy(page: Page): Promise<number[][]> {
    const rows = await page.locator("details tbody tr").all();
    const told = await Promise.all(rows.map((row) => row.locator("td").allInnerTexts()));
    return told.map((cells) => cells.slice(0, 2).map((cell) => Number(cell.replaceAll(",", ""))));
  }

  test("draws all decisions, and tells each column in a table", async () => {
    const summary = summed(ORDINARY);
    const { page } = await opened(renderPage(summary));
    const chart = page.getByRole("region", { name: "Over time" });
    const image = chart.getByRole("img");
    expect(await image.getAttribute("aria-label")).toContain("most refused: 21 Nov 2026, 09:10:00");
    expect(await inkOf(page)).toBeGreaterThan(0.2);

    await chart.getByText("As a table").focus();
    await page.keyboard.press("Enter");
    await chart.locator("tbody tr").first().waitFor();
    const { buckets } = summary.overTime;
    const told = await toldBy(page);
    expect(told.reduce((sum, [refused = 0]) => sum + refused, 0)).toBe(1_213);
    expect(told.reduce((sum, [, errors = 0]) => sum + errors, 0)).toBe(1);
    expect(told.length).toBeLessThan(buckets.length);

    const box = (await chart.locator(".u-over").boundingBox()) as { x: number; y: number };
    await page.mouse.move(box.x + 3, box.y + 50);
    expect(await textOf(chart.locator(".readout"))).toMatch(
      /^21 Nov 2026, 09:00:00, 30 s: 24 refused, 0 errors, 24 MiB not sent$/,
    );
  });

  test("zooms by dragging, by keyboard, and back", async () => {
    const { page, complaints } = await opened(renderPage(summed(ORDINARY)));
    const chart = page.getByRole("region", { name: "Over time" });
    await chart.getByText("As a table").click();
    const wholeTable = await toldBy(page);
    const box = (await chart.locator(".u-over").boundingBox()) as { x: number; y: number; width: number };
    await page.mouse.move(box.x + box.width / 4, box.y + 50);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2, box.y + 60, { steps: 4 });
    await page.mouse.up();
    await chart.getByRole("img", { name: /in \d+ spans of 5 s;/ }).waitFor();
    const zoomed = await toldBy(page);
    // A quarter of 50 minutes with 24 refusals each, and the errors and refusals that are single.
    expect(zoomed.reduce((sum, [refused = 0]) => sum + refused, 0)).toBeGreaterThan(10 * 24);
    expect(zoomed.reduce((sum, [refused = 0]) => sum + refused, 0)).toBeLessThan(15 * 24);

    for (const name of ["Zoom in", "Later", "Earlier", "Zoom out"]) {
      await chart.getByRole("button", { name, exact: true }).focus();
      await page.keyboard.press("Enter");
    }
    await chart.getByRole("button", { name: "Whole" }).focus();
    await page.keyboard.press("Enter");
    expect(await toldBy(page)).toEqual(wholeTable);
    await page.mouse.dblclick(box.x + box.width / 2, box.y + 50);
    expect(await toldBy(page)).toEqual(wholeTable);
    expect(complaints).toEqual([]);
  });

  test("opens a report of a million refusals in under a second", async () => {
    const aggregate = new Aggregate({ top: 20 });
    for (let i = 0; i < 1_000_000; i++) aggregate.add(refusal(i / 300, { client: `10.0.${i % 7}.${i % 250}` }));
    const html = renderPage(aggregate.summary());
    const { page, complaints } = await opened("<!doctype html><title>warm</title>");
    const file = path.join(folder, "million.html");
    await fs.writeFile(file, html);
    await page.goto(pathToFileURL(file).href);
    await page.locator(".plot canvas").waitFor();
    const tookMs = await page.evaluate<number>("performance.now()");
    expect(tookMs).toBeLessThan(deadline(1_000));
    expect(await textOf(figureOf(page, "Refused"))).toBe("1,000,000");
    // Two days in spans of two minutes and more: enough to look at an hour.
    await page.getByRole("button", { name: "Zoom in" }).click();
    await page.getByRole("button", { name: "Zoom in" }).click();
    await page.getByRole("img", { name: /in \d+ spans of 5 min;/ }).waitFor();
    expect(complaints).toEqual([]);
  });

  test("shows dates where the report is of several days", async () => {
    const { page } = await opened(renderPage(summed([refusal(0), refusal(3 * 24 * 60, { policy: "quota" })])));
    expect((await rowsOf(page, "Policy")).map((cells) => cells.at(-1))).toEqual(["21 Nov, 09:00", "24 Nov, 09:00"]);
  });

  test("tells times that are far from all others, and does not stretch the chart to them", async () => {
    const decisions = [...Array.from({ length: 50 }, (_, i) => refusal(i)), refusal(0, { time: 86_400_000 })];
    const summary = { ...summed(decisions), read: { ...READ, outside: 3, untimed: 1, filtered: 2 } };
    const { page } = await opened(renderPage(summary));
    expect(await textOf(page.locator(".odd"))).toBe(
      "1 decision is from 2 Jan 1970, 00:00:00, far from all others, and not in the chart: a clock may be wrong.",
    );
    expect(await textOf(page.locator("#span"))).toContain("(49 min)");
    expect(await textOf(page.locator("#read"))).toMatch(
      /2 records are outside the requested time; 1 record has no time, .*; 2 records were left out by --where\.$/,
    );
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

  test.each([
    ["light", {}],
    ["dark", { colorScheme: "dark" }],
    ["forced colours", { forcedColors: "active" }],
    ["390 px", { viewport: { width: 390, height: 844 }, isMobile: true }],
  ] as const)("has no fault that axe finds: %s", async (_name, options) => {
    const { page, complaints } = await opened(renderPage(summed(ORDINARY, 20)), options);
    await page.getByText("As a table").click();
    const faults = await page.evaluate<string[]>(
      `(async () => { ${AXE}; return (await axe.run()).violations.map(({ id, help }) => id + ": " + help); })()`,
    );
    expect(faults).toEqual([]);
    expect(await inkOf(page)).toBeGreaterThan(0.2);
    expect(await overflowOf(page)).toBe(0);
    expect(complaints).toEqual([]);
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

const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/** The share of the chart's pixels that are drawn. */
function inkOf(page: Page): Promise<number> {
  return page.evaluate<number>(`(() => {
    const canvas = document.querySelector(".plot canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let drawn = 0;
    for (let i = 3; i < data.length; i += 4) if (data[i] > 0) drawn++;
    return drawn / (data.length / 4);
  })()`);
}

const READ = { bytes: 1.5 * 2 ** 20, lines: 1_220, malformed: 3, foreign: 1 };

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
