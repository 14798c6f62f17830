import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, jest, test } from "@jest/globals";
import { deadline } from "../helpers/deadline.js";
import { WireClient } from "../helpers/wire.js";
import { Checkout } from "./checkout.js";

// Builds the package first.
jest.setTimeout(60_000);

let checkout: Checkout;
let folder: string;
let port: number;
let clients: WireClient[] = [];

beforeAll(async () => {
  checkout = await Checkout.make();
  await checkout.build();
  folder = path.join(checkout.folder, "stored");
  await fs.mkdir(folder);
  port = await checkout.start(["examples/content-addressed/server.mjs", "0", folder]).port();
});
afterEach(() => {
  for (const client of clients) client.destroy();
  clients = [];
});
afterAll(() => checkout.remove());

const digest = (content: string) => createHash("sha256").update(content).digest();
const nameOf = (content: string) => digest(content).toString("hex");

/** Asks whether a file may come; sends nothing of it. */
async function ask(name: string, length: number, ...fields: string[]): Promise<WireClient> {
  const wire = await WireClient.connect(port);
  clients.push(wire);
  const head = [`PUT /blobs/${name} HTTP/1.1`, "Host: test", "Expect: 100-continue", `Content-Length: ${length}`];
  wire.send([...head, ...fields, "", ""].join("\r\n"));
  await wire.until("an answer", () => wire.statuses.length > 0);
  return wire;
}

test("the second upload of the same file costs no byte of it", async () => {
  const content = "a photo".repeat(10_000);
  const first = await ask(nameOf(content), content.length, "If-None-Match: *");
  expect(first.statuses).toEqual([100]);
  first.send(content);
  expect((await first.final()).status).toBe(201);
  expect(await fs.readFile(path.join(folder, nameOf(content)), "utf8")).toBe(content);

  const second = await ask(nameOf(content), content.length, "If-None-Match: *");
  expect(await second.final()).toMatchObject({ status: 412, headers: { connection: "close" } });
  expect(second.statuses).toEqual([412]);
  const third = await ask(nameOf(content), content.length, `If-None-Match: W/"${nameOf(content)}"`);
  expect(third.statuses).toEqual([412]);
});

test("of two that send the same file at the same time, one stores it", async () => {
  const content = "raced";
  const wires = await Promise.all([1, 2].map(() => ask(nameOf(content), content.length, "If-None-Match: *")));
  expect(wires.map((wire) => wire.statuses)).toEqual([[100], [100]]);
  for (const wire of wires) wire.send(content);
  const statuses = await Promise.all(wires.map(async (wire) => (await wire.final()).status));
  expect(statuses.sort()).toEqual([201, 412]);
});

test("stores nothing under a name that its content does not have", async () => {
  const wire = await ask(nameOf("promised"), 5);
  wire.send("other");
  expect((await wire.final()).status).toBe(422);
  expect(await fs.readdir(folder)).not.toContain(nameOf("promised"));
  const partials = async () => (await fs.readdir(folder)).filter((name) => name.endsWith(".partial"));
  // The answer goes out before the last of it is removed.
  for (const end = Date.now() + deadline(8_000); (await partials()).length > 0 && Date.now() < end; )
    await setTimeout(5);
  expect(await partials()).toEqual([]);
});

test("refuses by name and by Content-Digest before a byte is sent", async () => {
  expect((await ask("photo.png", 5)).statuses).toEqual([400]);
  expect(
    (await ask(nameOf("hello"), 5, `Content-Digest: sha-256=:${digest("other").toString("base64")}:`)).statuses,
  ).toEqual([400]);
  expect((await ask(nameOf("hello"), 5, "If-None-Match: everything")).statuses).toEqual([400]);
  const declared = await ask(nameOf("hello"), 5, `Content-Digest: sha-256=:${digest("hello").toString("base64")}:`);
  declared.send("hello");
  expect((await declared.final()).status).toBe(201);
});
