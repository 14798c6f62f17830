import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { Checkout, REPOSITORY } from "../examples/checkout.js";

// Builds the package first, and starts three test runners.
jest.setTimeout(120_000);
const DEADLINE_MS = 60_000;

const EXAMPLE = path.join(REPOSITORY, "examples/testing");
const BIN = path.join(REPOSITORY, "node_modules");

/** Runs the tests of a folder whose name contains that of the runner. */
const RUNNERS: Readonly<Record<string, (folder: string) => string[]>> = {
  jest: (folder) => [
    path.join(BIN, "jest/bin/jest.js"),
    ...["--rootDir", folder, "--testMatch", "**/*.jest.test.cjs", "--config", "{}"],
  ],
  vitest: (folder) => [path.join(BIN, "vitest/vitest.mjs"), "run", "--root", folder, "vitest"],
  node: (folder) => ["--test", path.join(folder, "app.node.test.mjs")],
};

let checkout: Checkout;
beforeAll(async () => {
  checkout = await Checkout.make();
  await checkout.build();
});
afterAll(() => checkout.remove());

/** The example as a project of a user's, with the package installed. */
function project(name: string, change: (app: string) => string = (app) => app): string {
  const folder = path.join(checkout.folder, "projects", name);
  mkdirSync(path.join(folder, "node_modules"), { recursive: true });
  symlinkSync(checkout.folder, path.join(folder, "node_modules/express-expectations"), "junction");
  writeFileSync(path.join(folder, "package.json"), `{ "name": "project-${name}", "private": true }`);
  for (const file of readdirSync(EXAMPLE)) {
    const text = readFileSync(path.join(EXAMPLE, file), "utf8");
    writeFileSync(path.join(folder, file), file === "app.cjs" ? change(text) : text);
  }
  return folder;
}

describe.each(Object.entries(RUNNERS))("%s", (name, args) => {
  const run = async (folder: string) => {
    // A runner that finds itself within another one behaves differently.
    const env = { JEST_WORKER_ID: undefined, NODE_ENV: undefined, NODE_TEST_CONTEXT: undefined, NO_COLOR: "1" };
    const program = checkout.start(args(folder), env);
    const code = await program.end(DEADLINE_MS);
    return { code, output: program.output };
  };

  test.concurrent("the tests of the example pass, with fake timers, too", async () => {
    const { code, output } = await run(project(`${name}-guarded`));
    if (code !== 0) throw new Error(output);
    expect(output).toMatch(/\b5 passed|pass 5\b/);
  });

  test.concurrent("they fail without the guard, and show what was on the wire", async () => {
    const unguarded = (app: string) => app.replace('"/images/:id", guard, ', '"/images/:id", ');
    const { code, output } = await run(project(`${name}-unguarded`, unguarded));
    expect(output).toMatch(/\b3 failed|fail 3\b/);
    expect(output).toMatch(/no final status came: the server waits for the content/);
    expect(output).toMatch(/→ PUT \/images\/1 HTTP\/1\.1/);
    expect(code).not.toBe(0);
  });
});
