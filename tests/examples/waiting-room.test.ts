import * as fs from "node:fs/promises";
import * as path from "node:path";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { until } from "../helpers/until.js";
import { Checkout, type Program, REPOSITORY } from "./checkout.js";

// Builds the package first.
jest.setTimeout(60_000);

let checkout: Checkout;
let url: string;

beforeAll(async () => {
  checkout = await Checkout.make();
  await checkout.build();
  const server = checkout.start(["examples/waiting-room/server.mjs", "0"]);
  url = `http://127.0.0.1:${await server.port()}`;
});
afterAll(() => checkout.remove());

const json = async (target: string) => (await (await fetch(url + target)).json()) as Record<string, number>;

/** @param pieceMs - how long a client takes for each of its sixteen pieces. */
function clients(count: number, pieceMs: number): Program {
  return checkout.start(["examples/waiting-room/clients.mjs", url, String(count), String(pieceMs)]);
}

test("has a README of three lines", async () => {
  const readme = await fs.readFile(path.join(REPOSITORY, "examples/waiting-room/README.md"), "utf8");
  expect(readme.trimEnd().split("\n")).toHaveLength(3);
});

test("100 clients share five places: all are stored, the page shows them", async () => {
  const program = clients(100, 10);
  await until("most of them wait", async () => Number((await json("/places")).waiting) > 50);
  expect(await json("/places")).toMatchObject({ name: "files", limit: 5, inUse: 5 });
  expect(await program.end()).toBe(0);
  expect(program.output).toMatch(/^100 of 100 uploads stored\n0 refused with 503\n[1-5] at the same time at most\n/);
  expect(await json("/uploads/summary.json")).toMatchObject({ accepted: 100, refused: 0 });
  await until("all places are free", async () => (await json("/places")).inUse === 0);
});

test("of 120 clients 15 are refused, and told when to come again", async () => {
  const program = clients(120, 10);
  expect(await program.end()).toBe(0);
  expect(program.output).toMatch(/^105 of 120 uploads stored\n15 refused with 503\n/);
  expect(await json("/uploads/summary.json")).toMatchObject({ refused: 15 });
});
