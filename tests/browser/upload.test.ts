import { createHash, randomBytes } from "node:crypto";
import * as fs from "node:fs/promises";
import * as http from "node:http";
import type { Socket } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, afterEach, beforeAll, expect, jest, test } from "@jest/globals";
import { buildSync } from "esbuild";
import express from "express";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { RateLimiterMemory } from "rate-limiter-flexible";
import {
  attach,
  authorize,
  expectations,
  maxSize,
  mediaTypes,
  type Policy,
  preflight,
  quota,
  refuse,
  silent,
} from "../../src/index.js";
import { closePages, describeInBrowser, openPage, overflowOf, startBrowser } from "../helpers/browser.js";
import { deadline } from "../helpers/deadline.js";
import { closeServers, listen } from "../helpers/servers.js";

jest.setTimeout(60_000);

const REPOSITORY = path.resolve(__dirname, "../..");
const PUBLIC = path.join(REPOSITORY, "examples/browser-upload/public");
const MEBIBYTE = 2 ** 20;
const HEAD_BYTES = 16 * 1024;

/** The module as it is published. */
const MODULE: string = buildSync({
  entryPoints: [path.join(REPOSITORY, "src/browser/upload.ts")],
  bundle: true,
  minify: true,
  format: "esm",
  write: false,
}).outputFiles[0]!.text;

interface Application {
  readonly port: number;
  /** Bytes that the server has read of all connections, heads included. */
  read(): number;
  /** The SHA-256 of the content that was stored last. */
  stored(): string | undefined;
}

interface Served {
  readonly policies?: readonly Policy[];
  readonly asks?: "at the same URL" | "elsewhere" | "not at all";
  /** Milliseconds between one piece of content and the next. */
  readonly pauseMs?: number;
}

/** The page of examples/browser-upload, with a guard of the test's. */
async function serve({ policies = [], asks = "at the same URL", pauseMs = 0 }: Served): Promise<Application> {
  const app = express();
  const guard = expectations({ logger: silent, policies });
  let stored: string | undefined;
  if (asks === "at the same URL") app.options("/files/:name", preflight(guard));
  if (asks === "elsewhere") app.post("/files/:name/preflight", preflight(guard));
  app.put("/files/:name", guard, (req, res) => {
    const hash = createHash("sha256");
    req.on("error", () => {});
    req.on("data", (chunk) => {
      hash.update(chunk);
      if (pauseMs === 0) return;
      req.pause();
      setTimeout(() => req.resume(), pauseMs);
    });
    req.on("end", () => {
      stored = hash.digest("hex");
      res.sendStatus(201);
    });
  });
  app.get("/express-expectations/browser.js", (_req, res) => void res.type("js").send(MODULE));
  app.use(express.static(PUBLIC));
  const server = attach(http.createServer(app), { logger: silent, lingerMs: 1_000 });
  const sockets: Socket[] = [];
  server.on("connection", (socket: Socket) => sockets.push(socket));
  const { port } = await listen(server);
  return { port, read: () => sockets.reduce((sum, { bytesRead }) => sum + bytesRead, 0), stored: () => stored };
}

const signedIn = authorize((req) => req.headers.authorization === "Bearer open-sesame", { challenge: "Bearer" });

describeInBrowser("the page of examples/browser-upload", () => {
  let browser: Browser;
  let folder: string;
  const large = () => path.join(folder, "large.png");

  beforeAll(async () => {
    browser = await startBrowser();
    folder = await fs.mkdtemp(path.join(os.tmpdir(), "expectations-browser-"));
    // Without blocks on the disk.
    const file = await fs.open(large(), "w");
    await file.truncate(200 * MEBIBYTE);
    await file.close();
  });
  afterEach(async () => {
    await closePages(browser);
    await closeServers();
  });
  afterAll(async () => {
    await browser.close();
    await fs.rm(folder, { recursive: true });
  });

  /** Opens the page, and keeps the moments at which a file was chosen and at which the page said something about it. */
  async function open({ port }: Application, options: BrowserContextOptions = {}) {
    const watched = await openPage(browser, options);
    await watched.page.goto(`http://127.0.0.1:${port}/`);
    await watched.page.evaluate(`
      window.values = [];
      document.getElementById("files").addEventListener("change", () => { window.chosenAt = performance.now(); }, true);
      new MutationObserver((all) => {
        for (const { target } of all) if (target.localName === "progress") window.values.push(target.value);
      }).observe(document.getElementById("list"), { subtree: true, attributes: true });
      new MutationObserver(() => { window.saidAt ??= performance.now(); })
        .observe(document.getElementById("status"), { childList: true });
    `);
    return watched;
  }

  const choose = (page: Page, ...files: string[]) => page.locator("#files").setInputFiles(files);
  const said = async (page: Page, what: RegExp) => {
    await page
      .locator("#status")
      .filter({ hasText: what })
      .waitFor({ state: "attached", timeout: deadline(15_000) });
    return page.evaluate<number>("window.saidAt - window.chosenAt");
  };

  test.each<[string, readonly Policy[], RegExp]>([
    ["too large", [maxSize("100mb")], /^large\.png: not stored\. Larger than 100 MB\.$/],
    ["of a wrong type", [mediaTypes(["video/*"])], /Only images, videos and PDFs are taken\.$/],
    ["without credentials", [authorize(() => false, { challenge: "Bearer" })], /The token is missing or wrong\.$/],
    [
      "over quota",
      [quota({ limiter: new RateLimiterMemory({ points: MEBIBYTE, duration: 60 }), key: () => "all" })],
      /You have uploaded as much as you may for now\.$/,
    ],
    ["refused for a reason of the server's", [() => refuse(422, { reason: "no cats" })], /no cats\.$/],
  ])("says at once that a file of 200 MB is %s, and sends nothing of it", async (_name, policies, message) => {
    const app = await serve({ policies });
    const { page } = await open(app);
    const before = app.read();
    await choose(page, large());
    const tookMs = await said(page, message);
    expect(tookMs).toBeLessThan(deadline(200));
    expect(app.read() - before).toBeLessThan(HEAD_BYTES);
    expect(await page.locator("#list .refused .message").allInnerTexts()).toEqual([expect.stringMatching(/\S/)]);
    expect(await page.locator("progress").count()).toBe(0);
  });

  test("stores a file byte for byte, with a progress bar that moves", async () => {
    const app = await serve({ policies: [signedIn, maxSize("100mb")], pauseMs: 1 });
    const content = randomBytes(24 * MEBIBYTE);
    const file = path.join(folder, "photo.png");
    await fs.writeFile(file, content);
    const { page, complaints } = await open(app);
    await choose(page, file);
    await said(page, /^photo\.png: Stored$/);
    expect(app.stored()).toBe(createHash("sha256").update(content).digest("hex"));
    const values = await page.evaluate<number[]>("window.values");
    expect(values.length).toBeGreaterThan(3);
    expect(values).toEqual([...values].sort((a, b) => a - b));
    expect(values.at(-1)).toBe(1);
    expect(complaints).toEqual([]);
  });

  test("uploads as before to a server that does not answer questions", async () => {
    const app = await serve({ policies: [signedIn, maxSize("300mb")], asks: "not at all" });
    const { page } = await open(app);
    await choose(page, large());
    await said(page, /^large\.png: Stored$/);
    expect(app.stored()).toBe(
      createHash("sha256")
        .update(Buffer.alloc(200 * MEBIBYTE))
        .digest("hex"),
    );
  });

  test.each(["", " once"])("says why a server refuses in mid-body%s", async (once) => {
    let isClosed = false;
    const closed = refuse(403, { reason: "this account was closed a moment ago" });
    const closing: Policy = (_req, upload) => {
      if (isClosed) return closed;
      if (!upload.isPreflight) {
        const timer = setInterval(() => {
          if (upload.received < 8 * MEBIBYTE) return;
          clearInterval(timer);
          isClosed = once === "";
          upload.refuse(closed);
        }, 1);
        upload.onClose(() => clearInterval(timer));
      }
      return true;
    };
    const app = await serve({ policies: [closing] });
    const { page } = await open(app);
    await choose(page, large());
    await said(page, /this account was closed a moment ago\.$/);
    expect(app.stored()).toBeUndefined();
  });

  test("works by keyboard, and can cancel an upload", async () => {
    const app = await serve({ policies: [async (_req, { isPreflight }) => isPreflight || new Promise(() => {})] });
    const { page } = await open(app);
    await page.keyboard.press("Tab");
    expect(await page.evaluate<string>("document.activeElement.id")).toBe("token");
    await page.keyboard.press("Tab");
    expect(await page.evaluate<string>("document.activeElement.id")).toBe("files");
    const chosen = page.waitForEvent("filechooser");
    // The browser is told of it before it gets the next command.
    await page.evaluate("0");
    await page.keyboard.press("Enter");
    await (await chosen).setFiles(large());
    const cancel = page.getByRole("button", { name: "Cancel large.png" });
    await cancel.waitFor();
    await page.keyboard.press("Tab");
    expect(await page.evaluate<string>("document.activeElement.className")).toBe("cancel");
    await page.keyboard.press("Enter");
    await said(page, /Cancelled$/);
    expect(await page.evaluate<string>("document.activeElement.id")).toBe("files");
  });

  test("takes files that are dropped", async () => {
    const app = await serve({ policies: [maxSize(3)] });
    const { page } = await open(app);
    await page.evaluate(`{
      const dataTransfer = new DataTransfer();
      for (const [content, name] of [["abc", "a.png"], ["abcd", "b.png"]])
        dataTransfer.items.add(new File([content], name, { type: "image/png" }));
      document.getElementById("drop").dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
    }`);
    await page.locator("#list .stored").waitFor();
    await page.locator("#list .refused").waitFor();
    expect(await page.locator("#list .refused .message").allInnerTexts()).toEqual(["Larger than 3 bytes."]);
  });

  test.each<[string, BrowserContextOptions]>([
    ["light", {}],
    ["dark", { colorScheme: "dark" }],
    ["390 px", { viewport: { width: 390, height: 844 }, isMobile: true }],
  ])("axe finds nothing, and it fits its window: %s", async (name, options) => {
    const policies = [
      maxSize("100mb"),
      async (req: http.IncomingMessage) => !req.url?.includes("waits") || new Promise<boolean>(() => {}),
    ];
    const app = await serve({ policies });
    const { page } = await open(app, options);
    const files = ["photo of a very long name that goes on and on, as those of cameras do not.png", "waits.png"];
    for (const file of files) await fs.writeFile(path.join(folder, file), "content");
    await choose(page, large(), ...files.map((file) => path.join(folder, file)));
    await page.locator("#list .stored").waitFor();
    await page.locator("#list .refused").waitFor();
    await page.evaluate(await fs.readFile(require.resolve("axe-core/axe.min.js"), "utf8"));
    const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
      "axe.run()",
    );
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join()}`)).toEqual([]);
    expect(await overflowOf(page)).toBe(0);
    const shots = process.env.SCREENSHOTS;
    if (shots) await page.screenshot({ path: path.join(shots, `${name}.png`), fullPage: true });
  });

  /** Runs a function of the module in the page. */
  const inPage = <T>(page: Page, code: string): Promise<T> =>
    page.evaluate<T>(`import("/express-expectations/browser.js").then(async ({ ask, upload }) => {
      const file = new Blob(["hello"], { type: "image/png" });
      ${code}
    })`);

  test("asks at another URL, too", async () => {
    const app = await serve({ policies: [maxSize(4)], asks: "elsewhere" });
    const { page } = await open(app);
    const result = await inPage(page, `return upload("/files/a", file, { preflight: "/files/a/preflight" });`);
    expect(result).toMatchObject({ status: 413, ok: false, isSent: false, maxSize: 4, reason: "larger than 4 bytes" });
  });

  test("asks alone, and resolves with nothing where the upload is welcome", async () => {
    const app = await serve({ policies: [mediaTypes(["image/*"])] });
    const { page } = await open(app);
    expect(await inPage(page, `return [await ask("/files/a", file)]`)).toEqual([undefined]);
    const text = `return ask("/files/a", file, { headers: { "content-type": "text/plain" } });`;
    expect(await inPage(page, text)).toMatchObject({ status: 415, isSent: false });
    expect(app.stored()).toBeUndefined();
  });

  test("rejects where there is no server, and with the signal's reason where it is aborted", async () => {
    const app = await serve({ policies: [() => new Promise<boolean>(() => {})] });
    const { page } = await open(app);
    const failed = `try { await upload("http://127.0.0.1:1/a", file); } catch (error) { return String(error); }`;
    expect(await inPage(page, failed)).toBe("TypeError: network error");
    const aborted = `
      const abort = new AbortController();
      setTimeout(() => abort.abort("enough"), 20);
      try { await upload("/files/a", file, { signal: abort.signal }); } catch (error) { return error; }`;
    expect(await inPage(page, aborted)).toBe("enough");
    const before = `try { await upload("/files/a", file, { signal: AbortSignal.abort("early") }); } catch (error) { return error; }`;
    expect(await inPage(page, before)).toBe("early");
  });

  test("is not larger than 2 kB", () => {
    expect(Buffer.byteLength(MODULE)).toBeLessThanOrEqual(2_000);
  });
});
