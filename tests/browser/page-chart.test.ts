import { afterAll, afterEach, beforeAll, expect, jest, test } from "@jest/globals";
import type { BrowserContextOptions, Page } from "playwright-core";
import { Aggregate } from "../../src/report/aggregate.js";
import { renderPage } from "../../src/report/page/page.js";
import { axeFaults, describeInBrowser, figureOf, overflowOf, textOf } from "../helpers/browser.js";
import { deadline } from "../helpers/deadline.js";
import { inkOf, ORDINARY, READ, ReportPages, refusal, summed } from "../helpers/report-pages.js";

jest.setTimeout(60_000);

describeInBrowser("the chart of the page", () => {
  let pages: ReportPages;
  beforeAll(async () => {
    pages = await ReportPages.start();
  });
  afterEach(() => pages.close());
  afterAll(() => pages?.end());

  const opened = (html: string, options: BrowserContextOptions = {}) => pages.open(html, options);

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
    const { page, complaints } = await opened(html);
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

  test.each([
    ["light", {}],
    ["dark", { colorScheme: "dark" }],
    ["forced colours", { forcedColors: "active" }],
    ["390 px", { viewport: { width: 390, height: 844 }, isMobile: true }],
  ] as const)("has no fault that axe finds: %s", async (_name, options) => {
    const { page, complaints } = await opened(renderPage(summed(ORDINARY, 20)), options);
    await page.getByText("As a table").click();
    expect(await axeFaults(page)).toEqual([]);
    expect(await inkOf(page)).toBeGreaterThan(0.2);
    expect(await overflowOf(page)).toBe(0);
    expect(complaints).toEqual([]);
  });
});
