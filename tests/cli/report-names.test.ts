import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { main } from "../../src/cli/main.js";
import { namesOf } from "../../src/cli/report/names.js";
import { fakeTerminal, REFUSAL } from "../helpers/report-log.js";

const folder = mkdtempSync(join(tmpdir(), "expectations-names-"));
const at = (...names: string[]) => names.map((name) => join(folder, name));

beforeAll(() => {
  mkdirSync(join(folder, "old"));
  for (const name of ["app.log", "app.log.2", "app.log.10", ".hidden.log", "a[1].log", "old/app.log", "other.txt"]) {
    writeFileSync(join(folder, name), `${JSON.stringify({ ...REFUSAL, policy: name })}\n`);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  ["app.log*", ["app.log", "app.log.2", "app.log.10"]],
  ["app.log.?", ["app.log.2"]],
  ["*/app.log", ["old/app.log"]],
  ["**/app.log", ["app.log", "old/app.log"]],
  ["{app,other}.{log,txt}", ["app.log", "other.txt"]],
  [".hid*", [".hidden.log"]],
  // The name of a file is no pattern, whatever is in it.
  ["a[1].log", ["a[1].log"]],
  ["app.log", ["app.log"]],
  ["nothing*", ["nothing*"]],
  ["missing.log", ["missing.log"]],
])("%s", async (pattern, expected) => {
  const found = await namesOf([join(folder, pattern)]);
  expect(found).toEqual(at(...expected));
});

test("a file that several patterns match is read once", async () => {
  expect(await namesOf(at("app.log", "app.*", "*.log.10"))).toEqual(at("app.log", "app.log.2", "app.log.10"));
});

test("standard input stays standard input", async () => {
  expect(await namesOf(["-"])).toEqual(["-"]);
});

test("report reads what a pattern stands for, and says if that is nothing", async () => {
  const terminal = fakeTerminal();
  expect(await main(["report", "--json", join(folder, "**/*.log*")], terminal)).toBe(0);
  expect(JSON.parse(terminal.stdout.text).refused).toBe(6);
  const other = fakeTerminal();
  expect(await main(["report", join(folder, "x*")], other)).toBe(3);
  expect(other.stderr.text).toBe(`express-expectations report: ${join(folder, "x*")}: there is no such file\n`);
});
