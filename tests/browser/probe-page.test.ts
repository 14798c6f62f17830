import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, expect, jest, test } from "@jest/globals";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { expectations, maxSize, silent } from "../../src/index.js";
import type { ExchangeResult } from "../../src/probe/exchange-result.js";
import type { ProbeResult } from "../../src/probe/result.js";
import {
  axeFaults,
  closePages,
  describeInBrowser,
  openPage,
  overflowOf,
  startBrowser,
  textOf,
} from "../helpers/browser.js";
import { closeServers, start, startAttached, store } from "../helpers/servers.js";
import { runProbe } from "../probe/command.js";
import { CONTINUE, closePeers, listenRaw, response, type Served, startPeer } from "../probe/peer.js";

jest.setTimeout(60_000);

const ran = ({ exchanges }: ProbeResult["target"]) => exchanges.filter(({ events }) => events.length > 0);

/** A result that was measured, and the page of the same run. */
interface Report {
  readonly result: ProbeResult;
  readonly file: string;
}

describeInBrowser("the probe's page", () => {
  let browser: Browser;
  let folder: string;
  let healthy: Report;
  let blind: Report;
  let mute: Report;
  let behindProxy: Report;
  let hostile: Report;

  beforeAll(async () => {
    folder = await fs.mkdtemp(path.join(os.tmpdir(), "expectations-probe-page-"));
    browser = await startBrowser();
    [healthy, blind, mute, behindProxy, hostile] = await Promise.all([
      healthyReport(),
      blindReport(),
      muteReport(),
      proxyReport(),
      hostileReport(),
    ]);
  });
  afterEach(() => closePages(browser));
  afterAll(async () => {
    await browser?.close();
    await closePeers();
    await closeServers();
    await fs.rm(folder, { recursive: true, force: true });
  });

  async function probed(name: string, ...args: string[]): Promise<Report> {
    const file = path.join(folder, `${name}.html`);
    const { stdout, stderr, code } = await runProbe(["--yes", "--json", "--html", file, ...args]);
    if (stderr !== "") throw new Error(stderr);
    const result = JSON.parse(stdout) as ProbeResult;
    expect(code).toBe(result.verdict.exitCode);
    return { result, file };
  }

  async function healthyReport(): Promise<Report> {
    const guard = expectations({ policies: [maxSize("2mb")], logger: silent });
    const { port } = await startAttached(
      "Express 5",
      { use: [guard], routes: { "/upload": store } },
      { logger: silent },
    );
    return probed("healthy", `http://127.0.0.1:${port}/upload?token=hidden`);
  }

  /** Node by itself, with an application that refuses everything. */
  async function blindReport(): Promise<Report> {
    const refuse = (_: unknown, res: { statusCode: number; end(): void }) => {
      res.statusCode = 413;
      res.end();
    };
    const { port } = await start("node:http", { routes: { "/upload": refuse as never } });
    return probed("blind", `http://127.0.0.1:${port}/upload`);
  }

  async function muteReport(): Promise<Report> {
    const { url } = await startPeer(async (served) => {
      if (!served.isHandshake) return false;
      await served.content();
      served.send(response("201 Created"));
      return true;
    });
    return probed("mute", "--timeout", "1", url);
  }

  async function proxyReport(): Promise<Report> {
    const refuses = (served: Served) => {
      if (!served.isHandshake) return false;
      served.end(response("413 Content Too Large", ["Connection: close"]));
      return true;
    };
    const origin = await startPeer(refuses);
    const proxy = await startPeer(async (served) => {
      if (!served.isHandshake) return false;
      served.send(CONTINUE);
      await served.content();
      served.end(response("413 Content Too Large", ["Connection: close"]));
      return true;
    });
    return probed("proxy", "--via", origin.url, proxy.url);
  }

  async function hostileReport(): Promise<Report> {
    const { url } = await startPeer((served) => {
      if (!served.isHandshake) return false;
      const fields = ["Connection: close", `Server: "><img src=x onerror=alert(1)>`, `X-Long: ${"y".repeat(3_000)}`];
      served.end(response("417 <script>document.title='owned'</script>", fields, "</pre></svg><style>*{}</style>"));
      return true;
    });
    return probed("hostile", url);
  }

  const urlOf = ({ file }: Report): string => pathToFileURL(file).href;

  async function opened(report: Report, options: BrowserContextOptions = {}) {
    const watched = await openPage(browser, options);
    await watched.page.goto(urlOf(report));
    return watched;
  }

  /** Opens what is folded because it is as expected. */
  async function unfold(page: Page): Promise<void> {
    const folded = page.locator(".folded > summary");
    if ((await folded.count()) > 0) await folded.click();
  }

  const exchange = (page: Page, id: string): Locator => page.locator(`#exchange-${id}`);

  test("complains of nothing and fetches nothing, in light and dark", async () => {
    const reports = [healthy, blind, mute, behindProxy, hostile];
    const grounds: Record<string, string[]> = { light: [], dark: [] };
    for (const colorScheme of ["light", "dark"] as const) {
      const { page, complaints, requests } = await openPage(browser, { colorScheme });
      for (const report of reports) {
        await page.goto(urlOf(report));
        await page.evaluate(OPEN_ALL);
        grounds[colorScheme]?.push(await page.evaluate<string>("getComputedStyle(document.body).backgroundColor"));
      }
      expect(complaints).toEqual([]);
      expect(requests).toEqual(reports.map(urlOf));
    }
    for (const [i, ground] of grounds.light?.entries() ?? []) expect(ground).not.toBe(grounds.dark?.[i]);
  });

  test("says the verdict first, of a healthy server nothing to change", async () => {
    const { page } = await opened(healthy);
    expect(healthy.result.verdict.outcome).toBe("healthy");
    expect(await textOf(page.getByRole("heading").first())).toBe(healthy.result.verdict.headline);
    expect(await textOf(page.getByRole("banner"))).toMatch(
      /^HEALTHY\s+100 Continue.*\nRequest\nPUT http:.*\?token=\[hidden\]/,
    );
    expect(await page.title()).toBe(`HEALTHY: PUT ${healthy.result.url}`);
    expect(await page.getByRole("heading", { level: 2 }).allInnerTexts()).toEqual(["Exchanges", "On the wire"]);
  });

  test("tells each finding with its code, cause and evidence, the most severe first", async () => {
    const { page } = await opened(blind);
    const { findings } = blind.result;
    expect(findings.map(({ code }) => code)).toContain("blind-continue");
    const cards = await page.locator(".finding").all();
    expect(cards).toHaveLength(findings.length);
    for (const [i, { code, severity, cause, evidence }] of findings.entries()) {
      const card = cards[i] as Locator;
      expect(await textOf(card.locator("code"))).toBe(code);
      expect(await textOf(card.locator(".severity"))).toBe(severity);
      expect(await textOf(card.locator(".cause"))).toBe(cause);
      const lines = (await textOf(card.locator("pre").first())).split("\n").map((line) => line.trim());
      const shown = evidence[0]?.lines.flatMap((line) => [line.slice(0, 11).trim(), line.slice(11).trim()]) ?? [];
      expect(lines.filter((line) => line !== "")).toEqual(shown.filter((part) => part !== ""));
    }
  });

  test("tells what to change once, by side, with commands that copy as they are", async () => {
    const { page } = await opened(blind);
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    const fixes = blind.result.findings.flatMap((finding) => finding.fixes);
    const section = page.getByRole("region", { name: "What to change" });
    expect(await section.getByRole("heading", { level: 3 }).allInnerTexts()).toEqual(
      ["client", "proxy", "server"]
        .filter((side) => fixes.some((fix) => fix.side === side))
        .map((side) => `On the ${side}`),
    );
    const texts = await section.locator(".fix > p:first-child").allInnerTexts();
    expect(texts.sort()).toEqual([...new Set(fixes.map(({ text }) => text))].sort());

    const attach = section.locator(".fix").filter({ hasText: "take over the handshake" });
    expect((await attach.locator(".for a").allInnerTexts()).length).toBeGreaterThan(1);
    await attach.getByRole("button").click();
    await attach.getByRole("button", { name: "Copied" }).waitFor();
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe(
      fixes.find(({ text }) => text.includes("take over the handshake"))?.code,
    );
  });

  test("draws each exchange that ran, and what it says is what was measured", async () => {
    const { page } = await openPage(browser);
    for (const report of [healthy, blind, mute]) {
      const { result } = report;
      await page.goto(urlOf(report));
      await unfold(page);
      expect(await page.locator(".exchange").count()).toBe(ran(result.target).length);
      for (const one of ran(result.target)) {
        const label = await exchange(page, one.id).getByRole("img").getAttribute("aria-label");
        expect(label?.split("; ").map((step) => /^(?:\w[\w-]*: )?([\d.]+) ms/.exec(step)?.[1])).toEqual(timesOf(one));
        for (const event of one.events) {
          if (event.kind === "received") expect(label).toContain(`server to client: ${event.status} `);
        }
      }
    }
  });

  test("time runs downwards, and a long silence is longer than a short one", async () => {
    const { page } = await opened(mute);
    const tops = await topsOf(exchange(page, "late"));
    expect(tops.length).toBeGreaterThan(2);
    expect(tops).toEqual([...tops].sort((a, b) => a - b));
    const heightOf = async (id: string) => (await exchange(page, id).locator(".wait").boundingBox())?.height ?? 0;
    expect(await heightOf("late")).toBeGreaterThan(await heightOf("http10"));
    expect(await exchange(page, "withheld").locator(".diagram").textContent()).toContain("1000 ms of silence");
  });

  test("content is a bar, thicker the more there is of it; what was not sent is dashed", async () => {
    const { page } = await opened(healthy);
    await unfold(page);
    const bar = async (id: string, kind: ".sent .bar" | ".gap") =>
      (await exchange(page, id).locator(kind).boundingBox())?.height ?? 0;
    expect(await bar("control", ".sent .bar")).toBeGreaterThan(5);
    expect(await bar("pushed", ".sent .bar")).toBeGreaterThan(await bar("control", ".sent .bar"));
    expect(await bar("large", ".gap")).toBeGreaterThan(await bar("withheld", ".gap"));
    expect(await exchange(page, "control").locator(".gap").count()).toBe(0);
    expect(await exchange(page, "plain").locator(".bar, .gap").count()).toBe(1);
    const dashes = "getComputedStyle(document.querySelector('#exchange-large .gap')).strokeDasharray";
    expect(await page.evaluate(dashes)).not.toBe("none");
  });

  test("shows client, proxy and origin, with and without the proxy, and where they differ", async () => {
    const { page } = await opened(behindProxy);
    const { result } = behindProxy;
    expect(result.findings.map(({ code }) => code)).toContain("proxy-continue");
    const hops = await exchange(page, "withheld").locator(".hop").allTextContents();
    expect(hops).toEqual(["client", "proxy", "origin", "client", "origin"]);
    expect(await page.locator(".diagram").count()).toBe(
      ran(result.target).length + ran(result.direct ?? result.target).length,
    );
    const row = page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: /expected withheld/ }) });
    expect((await row.getByRole("cell").allInnerTexts()).map((cell) => cell.split("\n")[0])).toEqual(["100", "413"]);
    expect(await row.getAttribute("class")).toBe("differs");
    const same = page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: /expected plain/ }) });
    expect(await same.getAttribute("class")).toBeNull();
  });

  test("folds what is as expected; colours and marks follow that, and no status", async () => {
    const { page } = await openPage(browser);
    const folded = page.locator(".folded .exchange");
    for (const report of [healthy, blind, behindProxy]) {
      await page.goto(urlOf(report));
      const { findings, target } = report.result;
      const bad = findings
        .filter(({ severity }) => severity !== "note")
        .flatMap(({ evidence }) => evidence.filter(({ isReference }) => !isReference).map((one) => one.exchange));
      const open = await page.locator(".exchange h3:visible").allInnerTexts();
      expect(open.sort()).toEqual([...new Set(bad)].sort());
      expect(await folded.count()).toBe(ran(target).length - open.length);
      expect(await page.locator(".overview .mark.bad").count()).toBe(open.length);
      expect(await page.locator(".folded .diagram .bad").count()).toBe(0);
      for (const id of open) expect(await exchange(page, id).locator(".bad").count()).toBeGreaterThan(0);
    }
    // The healthy server answered with a 417 and a 413 too, as it should.
    await page.goto(urlOf(healthy));
    const good = await page.locator(".diagram .good text").allTextContents();
    expect(good.join()).toMatch(/417|413/);

    await page.goto(`${urlOf(healthy)}#exchange-withheld`);
    await exchange(page, "withheld").locator(".diagram").waitFor();
  });

  test("has no fault that axe finds, also with forced colours", async () => {
    for (const options of [{}, { colorScheme: "dark" }, { forcedColors: "active" }] as const) {
      const { page, complaints } = await opened(blind, options);
      await page.evaluate(OPEN_ALL);
      expect(await axeFaults(page)).toEqual([]);
      expect(complaints).toEqual([]);
    }
  });

  test("through a forward proxy, a refused tunnel ends at the proxy", async () => {
    const proxy = await listenRaw((socket) => {
      socket.once("data", () =>
        socket.end(response("407 Proxy Authentication Required", ["Proxy-Authenticate: Basic"])),
      );
    });
    const report = await probed("tunnel", "--proxy", `127.0.0.1:${proxy.port}`, "https://origin.invalid/upload");
    const { page } = await opened(report);
    expect(await exchange(page, "plain").locator(".hop").allTextContents()).toEqual(["client", "proxy", "origin"]);
    const label = await exchange(page, "plain").getByRole("img").getAttribute("aria-label");
    expect(label).toContain("proxy to client: 407 Proxy Authentication Required");
  });

  test("what the peer sends is text, whole, and does nothing", async () => {
    const { page, complaints } = await opened(hostile);
    expect(await page.title()).toMatch(/^FINDINGS: PUT /);
    expect(await page.locator("img, script:not(:last-of-type), svg script, svg style, body style").count()).toBe(0);
    const bytes = exchange(page, "withheld").locator("details");
    await bytes.locator("summary").click();
    const text = await textOf(bytes.locator("pre"));
    expect(text).toContain("HTTP/1.1 417 <script>document.title='owned'</script>");
    expect(text).toContain(`Server: "><img src=x onerror=alert(1)>`);
    expect(text).toContain("</pre></svg><style>*{}</style>");
    expect(complaints).toEqual([]);
  });

  test.each([320, 390, 768, 1280])("is no wider than a window of %i pixels", async (width) => {
    const { page } = await openPage(browser, { viewport: { width, height: 800 } });
    for (const report of [healthy, blind, behindProxy, hostile]) {
      await page.goto(urlOf(report));
      await page.evaluate(OPEN_ALL);
      expect(await overflowOf(page)).toBe(0);
      const cut = await page.evaluate<string[]>(TEXTS_OUTSIDE);
      expect(cut).toEqual([]);
    }
  });

  test("works with the keyboard alone", async () => {
    const { page } = await opened(blind);
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("What to change");
    await page.keyboard.press("Enter");
    await page.waitForFunction("location.hash === '#fixes'");
    await page.locator(".folded > summary").focus();
    await page.keyboard.press("Enter");
    const bytes = exchange(page, "plain").locator("summary");
    await bytes.focus();
    await page.keyboard.press("Enter");
    await exchange(page, "plain").locator("pre").waitFor();
  });

  test("on paper everything is open, and closed again afterwards", async () => {
    const { page } = await opened(blind);
    await page.emulateMedia({ media: "print" });
    const open = () => page.locator("details[open]").count();
    expect(await open()).toBe(0);
    await page.evaluate("dispatchEvent(new Event('beforeprint'))");
    expect(await open()).toBe(await page.locator("details").count());
    expect(await page.locator(".copy button:visible").count()).toBe(0);
    await page.evaluate("dispatchEvent(new Event('afterprint'))");
    expect(await open()).toBe(0);
  });

  test("is whole without JavaScript, but for the buttons", async () => {
    const { page } = await opened(blind, { javaScriptEnabled: false });
    expect(await page.locator(".finding").count()).toBe(blind.result.findings.length);
    expect(await page.locator(".diagram").count()).toBe(ran(blind.result.target).length);
    expect(await page.getByRole("button").count()).toBe(0);
  });

  test("a page that cannot be written is said, and ends with 3", async () => {
    const { url } = await startPeer();
    const { code, stdout, stderr } = await runProbe(["--only", "plain", "--html", path.join(folder, "no", "x"), url]);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^HEALTHY/);
    expect(stderr).toMatch(/^express-expectations probe: .*no\/x: .+\n$/);
  });
});

/** Times of the steps in a diagram's label; undefined for what never happened. */
function timesOf({ events, announced, summary }: ExchangeResult): (string | undefined)[] {
  const drawn = events.filter((event) => event.kind !== "complete" || event.bytes > 0);
  const times = drawn.map(({ atMs }) => (atMs < 100 ? atMs.toFixed(1) : atMs.toFixed(0)));
  return announced !== "none" && summary.contentBytesSent === 0 ? [...times, undefined] : times;
}

/** Where the arrows, bars and waits of a diagram begin, in the order of events. */
async function topsOf(card: Locator): Promise<number[]> {
  const boxes = await Promise.all((await card.locator(".arrow, .bar, .wait").all()).map((one) => one.boundingBox()));
  return boxes.map((box) => box?.y ?? Number.NaN);
}

const OPEN_ALL = "for (const one of document.querySelectorAll('details')) one.open = true";

/** Texts in diagrams that stand out at a side. */
const TEXTS_OUTSIDE = `[...document.querySelectorAll(".diagram")].flatMap((svg) => {
  const edges = svg.getBoundingClientRect();
  return [...svg.querySelectorAll("text")].filter((text) => {
    const { left, right } = text.getBoundingClientRect();
    return left < edges.left - 1 || right > edges.right + 1;
  }).map((text) => text.textContent);
})`;
