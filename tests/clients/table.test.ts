import * as fs from "node:fs/promises";
import * as path from "node:path";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { Checkout, REPOSITORY } from "../examples/checkout.js";

// Builds the package first.
jest.setTimeout(90_000);
const DEADLINE_MS = 60_000;

const SUITE = ["run.mjs", "suite", "drivers"];
const RUN = "tests/clients/run.mjs";
const DOCUMENT = "docs/clients.md";

let page: string;
const checkouts: Checkout[] = [];

beforeAll(async () => {
  page = await fs.readFile(path.join(REPOSITORY, DOCUMENT), "utf8");
});
afterAll(() => Promise.all(checkouts.map((checkout) => checkout.remove())));

/** The runner and its clients, with a page and changes of their own: the tests run side by side. */
async function suite(document: string, change: (text: string) => string = (text) => text): Promise<Checkout> {
  const checkout = await Checkout.make();
  checkouts.push(checkout);
  for (const name of SUITE) {
    const from = path.join(REPOSITORY, "tests/clients", name);
    await fs.cp(from, path.join(checkout.folder, "tests/clients", name), { recursive: true });
  }
  await checkout.build();
  await checkout.write(DOCUMENT, document);
  const server = "tests/clients/suite/server.mjs";
  await checkout.write(server, change(await fs.readFile(path.join(checkout.folder, server), "utf8")));
  return checkout;
}

/** Runs one client, which every machine with Node has, against a page. */
async function runGot(...args: Parameters<typeof suite>): Promise<{ code: unknown; output: string }> {
  const checkout = await suite(...args);
  const program = checkout.start([RUN, "--only", "got with the header", "--runs", "1"]);
  const code = await program.end(DEADLINE_MS);
  return { code, output: program.output };
}

const rowOf = (name: string) => page.split("\n").find((line) => line.startsWith(`| ${name} `)) ?? "";

test.concurrent("a client sees what the page says of it", async () => {
  const { code, output } = await runGot(page);
  expect(output).toContain("Tests: 1 passed, 0 failed, 0 skipped");
  expect(output).not.toContain("docs:");
  expect(code).toBe(0);
});

test.concurrent("a run fails where the page says something else of a client, and names the cell", async () => {
  const row = rowOf("got with the header");
  const { code, output } = await runGot(page.replace(row, row.replace("413", "403")));
  expect(output).toContain("docs: got with the header, in mid-body: the table says 403, this run 413");
  expect(code).toBe(1);
});

test.concurrent("a run fails where the page has no such client, and where it has one that there is not", async () => {
  const row = rowOf("got with the header");
  const { code, output } = await runGot(page.replace(row, row.replace("got with the header", "gopher")));
  expect(output).toContain("docs: got with the header: not in the table");
  expect(output).toContain("docs: gopher: no such client");
  expect(code).toBe(1);
});

test.concurrent("a run fails where a client sees another status than it should", async () => {
  const { code, output } = await runGot(page, (text) =>
    text.replace("const refused = () => refuse(403);", "const refused = () => refuse(409);"),
  );
  expect(output).toContain("got with the header, refused at once, 1 times: saw 409");
  expect(code).toBe(1);
});

test.concurrent("a client that is not there is skipped, with the reason and what brings it", async () => {
  const checkout = await suite(page);
  const program = checkout.start([RUN, "--only", "wget with", "--runs", "1"], { PATH: checkout.folder });
  expect(await program.end(DEADLINE_MS)).toBe(0);
  expect(program.output).toContain("skipped: wget with the header: wget is not installed; Debian's packages: wget");
  expect(program.output).toContain("Tests: 0 passed, 0 failed, 1 skipped");
});
