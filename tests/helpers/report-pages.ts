import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { Aggregate } from "../../src/report/aggregate.js";
import type { Decision } from "../../src/report/decision.js";
import type { Summary } from "../../src/report/summary.js";
import { closePages, openPage, startBrowser, type WatchedPage } from "./browser.js";

const START = Date.UTC(2026, 10, 21, 9, 0);
const MINUTE = 60_000;

/** One refusal, so many minutes after the first. */
export function refusal(minute: number, changes: Partial<Decision> = {}): Decision {
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

/** The sums of decisions. */
export function summed(decisions: readonly Decision[], top = 10): Summary {
  const aggregate = new Aggregate({ top });
  for (const decision of decisions) aggregate.add(decision);
  return aggregate.summary();
}

/** What an ordinary log has: many of one kind, and some of others. */
export const ORDINARY: readonly Decision[] = [
  ...Array.from({ length: 1_200 }, (_, i) => refusal(i % 50)),
  refusal(10, { status: 401, policy: "authorize", client: "2001:db8::7", userAgent: "Boto3/1.34.0", method: "POST" }),
  refusal(20, { event: "expectation.error", status: 500, policy: "lookUp", withheld: false }),
  { event: "expectation.omitted", omitted: 214 },
  ...Array.from({ length: 12 }, (_, i) => refusal(30 + i, { route: `/routes/${i}`, bytesSpared: 100 })),
];

/** What was read of a log. */
export const READ = { bytes: 1.5 * 2 ** 20, lines: 1_220, malformed: 3, foreign: 1 };

/** Pages that are opened as files, as readers of a report do. */
export class ReportPages {
  private constructor(
    readonly browser: Browser,
    readonly folder: string,
  ) {}

  static async start(): Promise<ReportPages> {
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), "expectations-page-"));
    return new ReportPages(await startBrowser(), folder);
  }

  /** Opens a page. */
  async open(html: string, options: BrowserContextOptions = {}): Promise<WatchedPage & { readonly url: string }> {
    const file = path.join(this.folder, `${Math.random()}.html`);
    await fs.writeFile(file, html);
    const watched = await openPage(this.browser, options);
    const url = pathToFileURL(file).href;
    await watched.page.goto(url);
    return { ...watched, url };
  }

  /** For `afterEach`. */
  close(): Promise<void> {
    return closePages(this.browser);
  }

  async end(): Promise<void> {
    await this.browser.close();
    await fs.rm(this.folder, { recursive: true, force: true });
  }
}

/** The share of the chart's pixels that are drawn. */
export function inkOf(page: Page): Promise<number> {
  return page.evaluate<number>(`(() => {
    const canvas = document.querySelector(".plot canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let drawn = 0;
    for (let i = 3; i < data.length; i += 4) if (data[i] > 0) drawn++;
    return drawn / (data.length / 4);
  })()`);
}
