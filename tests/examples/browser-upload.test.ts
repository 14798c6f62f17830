import { spawn } from "node:child_process";
import * as fs from "node:fs/promises";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { Checkout } from "./checkout.js";

// Builds the package first.
jest.setTimeout(60_000);

let checkout: Checkout;
let origin: string;

beforeAll(async () => {
  checkout = await Checkout.make();
  await checkout.build();
  const port = await checkout.start(["examples/browser-upload/server.mjs", "0"], { TMPDIR: checkout.folder }).port();
  origin = `http://127.0.0.1:${port}`;
});
afterAll(() => checkout.remove());

const FIELDS = { Authorization: "Bearer open-sesame", "Content-Type": "image/png", "If-None-Match": "*" };

async function ask(fields: Record<string, string>, name = "photo.png") {
  const headers = { ...FIELDS, "Upload-Length": "5", ...fields };
  const response = await fetch(`${origin}/files/${name}`, { method: "OPTIONS", headers });
  return [response.status, response.headers.get("Upload-Verdict")];
}

test("answers questions, stores what it has accepted, and refuses the same name from then on", async () => {
  expect(await ask({})).toEqual([204, "accept"]);
  expect(await ask({ Authorization: "Bearer wrong" })).toEqual([401, "refuse"]);
  expect(await ask({ "Content-Type": "text/html" })).toEqual([415, "refuse"]);
  expect(await ask({ "Upload-Length": String(100 * 2 ** 20 + 1) })).toEqual([413, "refuse"]);
  const stored = await fetch(`${origin}/files/photo.png`, { method: "PUT", headers: FIELDS, body: "hello" });
  expect(stored.status).toBe(201);
  expect(await ask({})).toEqual([412, "refuse"]);
});

test("serves the page, its policy and the module of the package", async () => {
  const page = await fetch(origin);
  expect(page.headers.get("Content-Security-Policy")).toContain("default-src 'none'");
  expect(await page.text()).toContain('src="/page.js"');
  const module = await fetch(`${origin}/express-expectations/browser.js`);
  expect(module.headers.get("Content-Type")).toMatch(/javascript/);
  expect(await module.text()).toBe(await fs.readFile(`${checkout.folder}/dist/browser/upload.js`, "utf8"));
});

test("npm start in its folder starts it, and needs nothing else", async () => {
  const cwd = `${checkout.folder}/examples/browser-upload`;
  const npm = spawn("npm", ["start", "--", "0"], { cwd, detached: true, stdio: ["ignore", "pipe", "inherit"] });
  try {
    const lines = createInterface({ input: npm.stdout })[Symbol.asyncIterator]();
    let port: string | undefined;
    while (port === undefined) {
      const { value, done } = await lines.next();
      if (done) throw new Error("it ended");
      port = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(value)?.[1];
    }
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
  } finally {
    // npm, its shell and the server.
    process.kill(-(npm.pid as number), "SIGKILL");
  }
});
