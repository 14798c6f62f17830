import { spawnSync } from "node:child_process";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { Checkout } from "./checkout.js";

// Builds the package first.
jest.setTimeout(60_000);

const DEMO = "examples/demo/demo.mjs";

let checkout: Checkout;

beforeAll(async () => {
  checkout = await Checkout.make();
  await checkout.build();
});
afterAll(() => checkout.remove());

test("without curl, the demo says how to install it and exits with 1", async () => {
  const empty = path.join(checkout.folder, "empty");
  await fs.mkdir(empty);
  const demo = checkout.start([DEMO], { PATH: empty });
  expect(await demo.end()).toBe(1);
  expect(demo.output).toContain("apt-get install curl");
});

const hasCurl = spawnSync("curl", ["--version"]).error === undefined;

(hasCurl ? describe : describe.skip)("with curl", () => {
  test("every exchange goes as it says, and the demo ends by itself with 0", async () => {
    const demo = checkout.start([DEMO], { NO_COLOR: "1" });
    const exitCode = await demo.end();
    expect(demo.output).toContain("All 9 exchanges went as they say");
    expect(exitCode).toBe(0);
    expect(demo.output).not.toContain("\u001b[");
    // The client of the last exchange does not wait: what it has sent by the refusal is for the race to say.
    const waiting = demo.output.slice(0, demo.output.indexOf("\n9  "));
    expect(waiting.match(/body bytes sent {2}0$/gm)).toHaveLength(6);
  });

  test("an application that goes otherwise is noticed, and the demo exits with 1", async () => {
    const app = path.join(checkout.folder, "examples/demo/app.mjs");
    const source = await fs.readFile(app, "utf8");
    await fs.writeFile(app, source.replace('maxSize("10mb")', 'maxSize("200mb")'));
    const demo = checkout.start([DEMO]);
    expect(await demo.end()).toBe(1);
    expect(demo.output).toMatch(/✗ status 413/);
    expect(demo.output).toContain("2 of 9 exchanges went otherwise");
  });
});
