import * as http from "node:http";
import { afterAll, afterEach, beforeAll, expect, jest, test } from "@jest/globals";
import express from "express";
import helmet from "helmet";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { type Dashboard, dashboard } from "../../src/dashboard/dashboard.js";
import { attach, expectations, maxSize, mediaTypes, silent } from "../../src/index.js";
import { publish } from "../../src/observe/diagnostics.js";
import type { Summary } from "../../src/report/summary.js";
import { placeChannel } from "../../src/support/places.js";
import { spaces } from "../../src/support/spaces.js";
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
import { closeServers, listen, type RunningServer } from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";

jest.setTimeout(60_000);

const MEBIBYTE = 2 ** 20;

describeInBrowser("the dashboard", () => {
  let browser: Browser;
  let board: Dashboard;
  let running: RunningServer;
  let isLocked = false;
  let clients: WireClient[] = [];

  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser?.close());
  afterEach(async () => {
    await closePages(browser);
    board.close();
    for (const client of clients) client.destroy();
    clients = [];
    isLocked = false;
    await closeServers();
  });

  /** An application with guards, and the dashboard of these guards. */
  async function start(): Promise<void> {
    board = dashboard({ logger: silent });
    const app = express();
    app.use(helmet());
    app.use("/ops", (_req, res, next) => (isLocked ? void res.status(401).end() : next()));
    app.use("/ops", board);
    app.put(
      "/files/:name",
      expectations({ policies: [mediaTypes(["image/*"]), maxSize("1mb")], logger: silent }),
      express.raw({ type: () => true, limit: "1mb" }),
      (_req, res) => void res.status(201).end(),
    );
    running = await listen(attach(http.createServer(app)));
  }

  const origin = () => `http://127.0.0.1:${running.port}`;

  async function open(options: BrowserContextOptions = {}) {
    const watched = await openPage(browser, options);
    // Without the slash: sent on to where relative URLs work.
    await watched.page.goto(`${origin()}/ops`);
    await untilConnected(watched.page, "Live");
    return watched;
  }

  const untilConnected = (page: Page, state: string) =>
    page.locator("#connection", { hasText: new RegExp(`^${state}$`) }).waitFor({ timeout: deadline(20_000) });

  const untilRefused = (page: Page, count: string) =>
    figureOf(page, "Refused")
      .filter({ hasText: new RegExp(`^${count}$`) })
      .waitFor();

  async function put(length: number, { type = "image/png", userAgent = "curl/8.5.0" } = {}): Promise<number> {
    const wire = await WireClient.connect(running.port);
    clients.push(wire);
    const head = ["PUT /files/photo HTTP/1.1", "Host: test", "Expect: 100-continue", `Content-Type: ${type}`];
    const fields = [`User-Agent: ${userAgent}`, `Content-Length: ${length}`, "", ""];
    wire.send([...head, ...fields].join("\r\n"));
    await wire.until("an answer", () => wire.statuses.length > 0);
    if (wire.statuses[0] === 100) wire.send(Buffer.alloc(length));
    return (await wire.final()).status;
  }

  test("shows a refused upload soon after it was refused, with the numbers of summary.json", async () => {
    await start();
    const { page, complaints, requests } = await open();
    expect(await textOf(page.locator("main"))).toContain("Nothing was refused.");
    expect([await put(2 * MEBIBYTE), await put(10), await put(10, { type: "text/plain" })]).toEqual([413, 201, 415]);
    await untilRefused(page, "2");

    const summary = (await (await fetch(`${origin()}/ops/summary.json`)).json()) as Summary;
    expect(summary).toMatchObject({ refused: 2, accepted: 1, errors: 0, bytesSpared: 2 * MEBIBYTE + 10 });
    await figureOf(page, "Accepted").filter({ hasText: /^1$/ }).waitFor();
    expect(await textOf(figureOf(page, "Errors"))).toBe("0");
    expect(await textOf(figureOf(page, "Bytes not sent"))).toBe("2 MiB");
    expect((await rowsOf(page, "Policy")).map(([key, count]) => [key, Number(count)])).toEqual(
      summary.by.policy.rows.map(({ key, count }) => [key, count]),
    );
    expect(await textOf(page.getByRole("region", { name: "The same in all" }))).toContain("/files/:name");
    expect(await textOf(page.locator("main"))).not.toContain("Nothing was refused.");
    await page.locator(".plot canvas").waitFor();

    expect(complaints).toEqual([]);
    expect(requests).toEqual([`${origin()}/ops`, `${origin()}/ops/`, `${origin()}/ops/events`]);
  });

  test("draws what clients say of themselves as text", async () => {
    await start();
    const { page, complaints, requests } = await open();
    const userAgent = "</script><img src=/stolen onerror=\"document.title='owned'\">";
    await put(2 * MEBIBYTE, { userAgent });
    await untilRefused(page, "1");
    // By now it is in the data of the document, too.
    await page.reload();
    await untilConnected(page, "Live");
    await untilRefused(page, "1");
    const summary = (await (await fetch(`${origin()}/ops/summary.json`)).json()) as Summary;
    expect(summary.by.software.rows[0]?.key).toContain("<");
    const same = page.getByRole("region", { name: "The same in all" });
    expect(await same.locator(".key").allTextContents()).toContain(summary.by.software.rows[0]?.key);
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.title()).toBe("Uploads");
    expect(complaints).toEqual([]);
    expect(requests.filter((url) => url.includes("stolen"))).toEqual([]);
  });

  test("shows what is in progress: places, waiting uploads, disk space", async () => {
    await start();
    const { page, complaints } = await open();
    expect(await page.getByRole("region", { name: "In progress" }).count()).toBe(0);
    const places = { name: "uploads", limit: 5, inUse: 5, waiting: 95 };
    publish(placeChannel, { change: "taken", waitedMs: 1_500, places });
    spaces().set("/srv/uploads", { path: "/srv/uploads", free: 3 * MEBIBYTE, expected: 512, update: async () => {} });
    try {
      const section = page.locator("section.present");
      await section.getByText("95").waitFor();
      const rows = await section.locator("tbody tr").allInnerTexts();
      expect(rows.map((row) => row.split(/[\n\t]+/))).toEqual([
        ["uploads", "5", "5", "95", "1.5 s", "1.5 s", "0", "0", "0", "0"],
        ["/srv/uploads", "3 MiB", "512 B"],
      ]);
      expect(await overflowOf(page)).toBe(0);
      expect(complaints).toEqual([]);
    } finally {
      spaces().clear();
    }
  });

  test("keeps what the reader has opened, and the focus, when new numbers come", async () => {
    await start();
    for (let i = 0; i < 9; i++) await put(2 * MEBIBYTE, { userAgent: `tool-${i}/1.0` });
    const { page } = await open();
    const software = page.getByRole("region", { name: "Client software" });
    await software.getByRole("button", { name: "Show all 9" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("As a table").click();
    await put(2 * MEBIBYTE, { userAgent: "tool-0/1.0" });
    await untilRefused(page, "10");
    expect(await rowsOf(page, "Client software")).toHaveLength(9);
    expect(await page.locator("details[open]").count()).toBe(1);
    expect(await page.evaluate<string>("document.activeElement.tagName")).toBe("SUMMARY");
    const refusedBySpan = await page.locator("details tbody td:nth-child(2)").allInnerTexts();
    expect(refusedBySpan.map(Number).reduce((sum, count) => sum + count, 0)).toBe(10);
  });

  test("says when it has lost the server, and finds back to it by itself", async () => {
    await start();
    const { page } = await open();
    isLocked = true;
    (running.server as http.Server).closeAllConnections();
    await untilConnected(page, "Reconnecting");
    // The server is there again, and answers with something else than events.
    await untilConnected(page, "Not connected");
    isLocked = false;
    await untilConnected(page, "Live");
    await put(2 * MEBIBYTE);
    await untilRefused(page, "1");
  });

  test.each([
    ["390 px", { viewport: { width: 390, height: 844 }, isMobile: true }],
    ["dark", { colorScheme: "dark" }],
  ] as const)("fits its window: %s", async (_name, options) => {
    await start();
    const places = { name: "x".repeat(64), limit: 5, inUse: 5, waiting: 95 };
    publish(placeChannel, { change: "taken", waitedMs: 1_500, places });
    await put(2 * MEBIBYTE, { userAgent: "x".repeat(1_000) });
    await put(2 * MEBIBYTE, { userAgent: "curl/8.5.0" });
    const { page, complaints } = await open(options);
    await untilRefused(page, "2");
    expect(await overflowOf(page)).toBe(0);
    expect(complaints).toEqual([]);
  });
});
