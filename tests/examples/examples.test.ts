import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { handshake } from "../../src/testing/testing.js";
import { deadline } from "../helpers/deadline.js";
import { WireClient } from "../helpers/wire.js";
import { Checkout, REPOSITORY } from "./checkout.js";

// Builds the package first.
jest.setTimeout(60_000);

let checkout: Checkout;
let clients: WireClient[] = [];

beforeAll(async () => {
  checkout = await Checkout.make();
  await checkout.build();
});
afterEach(() => {
  for (const client of clients) client.destroy();
  clients = [];
});
afterAll(() => checkout.remove());

async function started(example: string): Promise<{ url: string; folder: string }> {
  const folder = path.join(checkout.folder, "stored", example);
  await fs.mkdir(folder, { recursive: true });
  const program = checkout.start([path.join("examples", example, "server.mjs"), "0", folder]);
  return { url: `http://127.0.0.1:${await program.port()}`, folder };
}

async function fileNames(folder: string): Promise<string[]> {
  return (await fs.readdir(folder)).sort();
}

test.each(["connect", "express-multer", "express-stream", "fastify-express", "nestjs", "route-guard", "testing"])(
  "%s has a README of three lines",
  async (name) => {
    const readme = await fs.readFile(path.join(REPOSITORY, "examples", name, "README.md"), "utf8");
    expect(readme.trimEnd().split("\n")).toHaveLength(3);
  },
);

test("an example can be imported and started on a port of one's own", async () => {
  const program = checkout.start([
    "--input-type=module",
    "-e",
    `import { start } from "./examples/connect/server.mjs";
     const server = await start();
     console.log("imported", server.listening, server.address().port > 0);
     server.close();`,
  ]);
  expect(await program.end()).toBe(0);
  expect(program.output).toBe("imported true true\n");
});

describe.each(["fastify-express", "nestjs"])("%s", (example) => {
  test("takes an image, and refuses by type and size before the content is sent", async () => {
    const { url } = await started(example);
    const put = (type: string) => handshake(url).put("/images/1").set("Content-Type", type);
    const { body } = await put("image/png").send("hello").expectContinue(201);
    expect(body).toBe("5 bytes\n");
    await put("text/plain").withhold(5).expectRefusal(415);
    await put("image/png")
      .withhold(2 ** 20 + 1)
      .expectRefusal(413);
  });
});

describe("express-multer", () => {
  const TYPE = "multipart/form-data; boundary=edge";
  const FORM =
    '--edge\r\nContent-Disposition: form-data; name="photo"; filename="photo.png"\r\nContent-Type: image/png\r\n\r\na photo\r\n--edge--\r\n';
  const post = (url: string, type = TYPE) => handshake(url).post("/photos").set("Content-Type", type);

  test("stores the file of a form after one 100", async () => {
    const { url, folder } = await started("express-multer");
    const answer = await post(url).send(FORM).expectContinue(201);
    const { file, bytes } = JSON.parse(answer.body);
    expect(bytes).toBe(7);
    expect(await fs.readFile(path.join(folder, file), "utf8")).toBe("a photo");
  });

  test("refuses what is too large, of unknown length or no form, before it is sent", async () => {
    const { url, folder } = await started("express-multer");
    const before = await fileNames(folder);
    await post(url).withhold(10_485_761).expectRefusal(413);
    await post(url).chunked().withhold().expectRefusal(411);
    await post(url, "image/png").withhold(7).expectRefusal(415);
    expect(await fileNames(folder)).toEqual(before);
  });
});

describe("express-stream", () => {
  const put = (url: string, name: string) => handshake(url).put(`/files/${name}`);

  test("stores an upload byte for byte after one 100", async () => {
    const { url, folder } = await started("express-stream");
    const content = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 251));
    const answer = await put(url, "notes.bin").send(content).expectContinue(201);
    expect(JSON.parse(answer.body)).toEqual({ file: "notes.bin", bytes: content.length });
    expect(content.equals(await fs.readFile(path.join(folder, "notes.bin")))).toBe(true);
  });

  test("refuses by size and by name before the content is sent, and stores nothing", async () => {
    const { url, folder } = await started("express-stream");
    const before = await fileNames(folder);
    await put(url, "large").withhold(1_048_577).expectRefusal(413);
    await put(url, ".profile").withhold(7).expectRefusal(400);
    expect(await fileNames(folder)).toEqual(before);
  });

  test("leaves no half a file when the limit is passed or the client leaves", async () => {
    const { url, folder } = await started("express-stream");
    const before = await fileNames(folder);
    const pieces = Array.from({ length: 17 }, () => Buffer.alloc(65_536));
    expect(await put(url, "endless").chunked().send(pieces)).toMatchObject({ status: 413, continues: 1 });

    const leaving = await WireClient.connect(Number(new URL(url).port));
    clients.push(leaving);
    leaving.send("PUT /files/half HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\nonly this");
    await untilSome(folder, (names) => names.some((name) => name.endsWith(".partial")));
    leaving.destroy();
    await untilSome(folder, (names) => !names.some((name) => name.endsWith(".partial")));
    expect(await fileNames(folder)).toEqual(before);
  });
});

describe("route-guard", () => {
  const put = (url: string, target: string, type: string, authorization = "Bearer open-sesame") =>
    handshake(url).put(target).set({ "Content-Type": type, Authorization: authorization });

  test("sends one 100 when both guards have accepted", async () => {
    const { url } = await started("route-guard");
    const { body } = await put(url, "/images/1", "image/png").send("image").expectContinue(201);
    expect(JSON.parse(body)).toEqual({ id: "1", bytes: 5, handshake: "continued" });
  });

  test("refuses by the guard of the application and by that of the route", async () => {
    const { url } = await started("route-guard");
    await put(url, "/images/1", "image/png", "Bearer wrong").withhold(5).expectRefusal(401);
    await put(url, "/images/1", "text/plain").withhold(5).expectRefusal(415);
    await put(url, "/images/1", "image/png").withhold(1_048_577).expectRefusal(413);
    await put(url, "/notes/1", "text/plain", "Bearer wrong").withhold(5).expectRefusal(401);
  });

  test("holds a route without a guard of its own to the one of the application", async () => {
    const { url } = await started("route-guard");
    await put(url, "/notes/1", "text/plain").send("notes").expectContinue(201);
  });
});

describe("connect", () => {
  test("digests an upload after one 100", async () => {
    const { url } = await started("connect");
    const { body } = await handshake(url).put("/digest").send("hello").expectContinue(201);
    expect(body.trim()).toBe(createHash("sha256").update("hello").digest("hex"));
  });

  test("refuses by size and for want of a length before the content is sent", async () => {
    const { url } = await started("connect");
    await handshake(url).put("/digest").withhold(1_048_577).expectRefusal(413);
    await handshake(url).put("/digest").chunked().withhold().expectRefusal(411);
  });
});

async function untilSome(folder: string, isTrue: (names: string[]) => boolean): Promise<void> {
  const end = performance.now() + deadline(8_000);
  while (!isTrue(await fileNames(folder))) {
    if (performance.now() > end) throw new Error(`still in the folder: ${await fileNames(folder)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
