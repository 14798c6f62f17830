import { existsSync } from "node:fs";
import { describe } from "@jest/globals";
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Locator,
  type Page,
} from "playwright-core";
import { deadline } from "./deadline.js";

const CHROMIUM = "/usr/bin/chromium";
const DEADLINE_MS = 10_000;

const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Tests that need a browser; where this machine has none they are skipped, and the reason is printed. */
export function describeInBrowser(what: string, tests: () => void): void {
  const name = `${what} in a browser`;
  if (existsSync(CHROMIUM)) {
    describe(name, tests);
    return;
  }
  const reason = `no ${CHROMIUM} on this machine`;
  process.stderr.write(`skipped: ${reason}\n`);
  describe.skip(`${name} (skipped: ${reason})`, tests);
}

/** Starts Debian's Chromium without a window. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ARGS });
}

/** A page, with all that it complained about and fetched. */
export interface WatchedPage {
  readonly page: Page;
  /** Console errors and warnings, uncaught exceptions, violations of its Content-Security-Policy. */
  readonly complaints: string[];
  /** URLs in the order in which they were asked for. */
  readonly requests: string[];
}

/** By browser, and by the options in JSON: to make a context costs more than to open a page in one. */
const contexts = new WeakMap<Browser, Map<string, Promise<BrowserContext>>>();

function contextOf(browser: Browser, options: BrowserContextOptions): Promise<BrowserContext> {
  const made = contexts.get(browser) ?? new Map<string, Promise<BrowserContext>>();
  contexts.set(browser, made);
  const key = JSON.stringify(options);
  const context = made.get(key) ?? browser.newContext({ timezoneId: "UTC", locale: "en-GB", ...options });
  made.set(key, context);
  return context;
}

/** Opens an empty page. Pages with the same options share a profile, in which the pages under test keep nothing. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const page = await (await contextOf(browser, options)).newPage();
  page.setDefaultTimeout(deadline(DEADLINE_MS));
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => requests.push(request.url()));
  return { page, complaints, requests };
}

/** For `afterEach`. */
export async function closePages(browser: Browser): Promise<void> {
  await Promise.all(browser.contexts().flatMap((context) => context.pages().map((page) => page.close())));
}

/** The text of an element as it can be seen: what is hidden is no part of it. */
export async function textOf(element: Locator): Promise<string> {
  return (await element.allInnerTexts()).join("\n").trim();
}

/** Texts that can be seen in the table of a section, cell by cell. */
export async function rowsOf(page: Page, heading: string): Promise<string[][]> {
  const rows = await page.getByRole("region", { name: heading, exact: true }).locator("tbody tr").all();
  return Promise.all(rows.map((row) => row.locator("th .key, td:visible").allInnerTexts()));
}

/** What a headline number says. */
export function figureOf(page: Page, name: string): Locator {
  return page
    .locator(".figures > div")
    .filter({ has: page.getByText(name, { exact: true }) })
    .locator("dd");
}

/** By how many pixels a page is wider than its window. */
export function overflowOf(page: Page): Promise<number> {
  return page.evaluate<number>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
}
