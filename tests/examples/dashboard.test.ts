import * as fs from "node:fs/promises";
import * as path from "node:path";
import { afterAll, afterEach, beforeAll, expect, jest, test } from "@jest/globals";
import { WireClient } from "../helpers/wire.js";
import { Checkout, type Program, REPOSITORY } from "./checkout.js";

// Builds the package first.
jest.setTimeout(60_000);

const PASSWORD = "päss:word";

let checkout: Checkout;
let program: Program;
let port: number;
let clients: WireClient[] = [];

beforeAll(async () => {
  checkout = await Checkout.make();
  await checkout.build();
  program = checkout.start(["examples/dashboard/server.mjs", "0"], { DASHBOARD_PASSWORD: PASSWORD });
  port = await program.port();
});
afterEach(() => {
  for (const client of clients) client.destroy();
  clients = [];
});
afterAll(() => checkout.remove());

const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

async function get(target: string, authorization?: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}${target}`, { headers: authorization ? { authorization } : {} });
}

async function put(type: string, length: number): Promise<number[]> {
  const wire = await WireClient.connect(port);
  clients.push(wire);
  const head = ["PUT /files/photo HTTP/1.1", "Host: test", "Expect: 100-continue", `Content-Type: ${type}`];
  wire.send([...head, `Content-Length: ${length}`, "", ""].join("\r\n"));
  await wire.until("an answer", () => wire.statuses.length > 0);
  if (wire.statuses[0] === 100) wire.send(Buffer.alloc(length));
  await wire.final();
  return wire.statuses;
}

test("has a README of three lines", async () => {
  const readme = await fs.readFile(path.join(REPOSITORY, "examples/dashboard/README.md"), "utf8");
  expect(readme.trimEnd().split("\n")).toHaveLength(3);
});

test("does not start without a password", async () => {
  const open = checkout.start(["examples/dashboard/server.mjs", "0"], { DASHBOARD_PASSWORD: "" });
  expect(await open.end()).toBe(1);
  expect(open.output).toContain("set DASHBOARD_PASSWORD");
});

test.each(["/ops/uploads", "/ops/uploads/", "/ops/uploads/summary.json", "/ops/uploads/events"])(
  "asks for the password: %s",
  async (target) => {
    for (const wrong of [undefined, basic("operator", "wrong"), basic("root", PASSWORD), "Basic", "Bearer x"]) {
      const response = await get(target, wrong);
      expect([response.status, response.headers.get("www-authenticate")]).toEqual([
        401,
        'Basic realm="uploads", charset="UTF-8"',
      ]);
      expect(await response.text()).toBe("Who are you?\n");
    }
  },
);

test("shows the operator who was refused and why", async () => {
  expect([await put("image/png", 2 ** 20 + 1), await put("text/plain", 5), await put("image/png", 5)]).toEqual([
    [413],
    [415],
    [100, 201],
  ]);
  const operator = basic("operator", PASSWORD);
  const summary = await (await get("/ops/uploads/summary.json", operator)).json();
  expect(summary).toMatchObject({ refused: 2, accepted: 1, bytesSpared: 2 ** 20 + 6 });
  const page = await get("/ops/uploads", operator);
  expect([page.status, new URL(page.url).pathname]).toEqual([200, "/ops/uploads/"]);
  expect(await page.text()).toMatch(/^<!doctype html>/);
});
