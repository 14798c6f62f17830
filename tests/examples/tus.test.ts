import { randomBytes } from "node:crypto";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { afterAll, afterEach, beforeAll, expect, jest, test } from "@jest/globals";
import { deadline } from "../helpers/deadline.js";
import { WireClient } from "../helpers/wire.js";
import { Checkout, command } from "./checkout.js";

// Builds the package first.
jest.setTimeout(60_000);

const MEBIBYTE = 2 ** 20;

let checkout: Checkout;
let clients: WireClient[] = [];
let port: number;

beforeAll(async () => {
  checkout = await Checkout.make();
  await checkout.build();
  port = await checkout.start(["examples/tus/server.mjs", "0"], { TMPDIR: checkout.folder }).port();
});
afterEach(() => {
  for (const client of clients) client.destroy();
  clients = [];
});
afterAll(() => checkout.remove());

async function connect(): Promise<WireClient> {
  const client = await WireClient.connect(port);
  clients.push(client);
  return client;
}

const request = (line: string, ...fields: string[]) =>
  [line, "Host: test", "Tus-Resumable: 1.0.0", ...fields, "", ""].join("\r\n");

async function create(length: number, ...fields: string[]) {
  const wire = await connect();
  wire.send(request("POST /files HTTP/1.1", `Upload-Length: ${length}`, "Content-Length: 0", ...fields));
  return wire.final();
}

test("refuses by Upload-Length to create an upload that is too large, and says how large one may be", async () => {
  const refusal = await create(100 * MEBIBYTE + 1);
  expect(refusal).toMatchObject({ status: 413, headers: { "upload-limit": `max-size=${100 * MEBIBYTE}` } });
  expect(JSON.parse(refusal.body).detail).toBe("larger than 104857600 bytes");
  expect((await create(100 * MEBIBYTE)).status).toBe(201);
});

test("refuses a PATCH whose length is over the limit before it is sent, and stores nothing of it", async () => {
  const { headers } = await create(20 * MEBIBYTE);
  const { pathname } = new URL(headers.location ?? "");
  const wire = await connect();
  const type = "Content-Type: application/offset+octet-stream";
  wire.send(
    request(
      `PATCH ${pathname} HTTP/1.1`,
      "Upload-Offset: 0",
      type,
      `Content-Length: ${9 * MEBIBYTE}`,
      "Expect: 100-continue",
    ),
  );
  expect((await wire.final()).status).toBe(413);
  expect(wire.statuses).toEqual([413]);
  const again = await connect();
  again.send(request(`HEAD ${pathname} HTTP/1.1`));
  await again.until("the offset", () => /upload-offset: 0\r\n/i.test(again.text));
});

test("a client goes on where its PATCH was cut off, until all is stored", async () => {
  const content = randomBytes(20 * MEBIBYTE + 7);
  const file = await checkout.write("file.bin", "");
  await fs.writeFile(file, content);
  const endpoint = `http://127.0.0.1:${port}/files`;
  const output = await command(process.execPath, ["examples/tus/client.mjs", file, endpoint], checkout.folder);
  const [, statuses = "", url = ""] = /^201 (.*) (http:\S+)$/m.exec(output) ?? [];
  // The last one is stored. Each of those before was cut off, whether or not its refusal was seen.
  expect(statuses.split(" ").length).toBeGreaterThanOrEqual(3);
  expect(statuses).toMatch(/ 204$/);
  const stored = await fetch(url, { signal: AbortSignal.timeout(deadline(10_000)) });
  expect(Buffer.from(await stored.arrayBuffer()).equals(content)).toBe(true);
  expect(path.basename(new URL(url).pathname)).not.toBe("files");
});
