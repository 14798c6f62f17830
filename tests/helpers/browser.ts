import { existsSync, readFileSync } from "node:fs";
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

interface Profile {
  readonly context: Promise<BrowserContext>;
  /** Pages that no test uses: a page costs a process of its own. */
  readonly idle: Page[];
  readonly used: Page[];
}

/** By browser, and by the options that a page cannot change, in JSON. */
const profiles = new WeakMap<Browser, Map<string, Profile>>();

function profileOf(browser: Browser, options: BrowserContextOptions): Profile {
  const made = profiles.get(browser) ?? new Map<string, Profile>();
  profiles.set(browser, made);
  const key = JSON.stringify(options);
  const context = () => browser.newContext({ timezoneId: "UTC", locale: "en-GB", ...options });
  const profile = made.get(key) ?? { context: context(), idle: [], used: [] };
  made.set(key, profile);
  return profile;
}

const VIEWPORT = { width: 1280, height: 720 };

/** Opens an empty page. Tests use the same pages one after the other, in which the pages under test keep nothing. */
export async function openPage(
  browser: Browser,
  { viewport, colorScheme = "light", forcedColors = "none", ...options }: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const { context, idle, used } = profileOf(browser, options);
  const page = idle.pop() ?? (await (await context).newPage());
  used.push(page);
  page.setDefaultTimeout(deadline(DEADLINE_MS));
  await page.setViewportSize(viewport ?? VIEWPORT);
  await page.emulateMedia({ media: null, colorScheme, forcedColors });
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
  for (const { used, idle } of profiles.get(browser)?.values() ?? []) {
    for (const page of used.splice(0)) {
      page.removeAllListeners();
      await page.goto("about:blank");
      idle.push(page);
    }
  }
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

const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/** What axe finds wrong with a page. */
export function axeFaults(page: Page): Promise<string[]> {
  const faults = "(await axe.run()).violations.map(({ id, help }) => id + ': ' + help)";
  return page.evaluate<string[]>(`(async () => { ${AXE}; return ${faults}; })()`);
}
