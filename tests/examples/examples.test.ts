import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";
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

async function started(example: string): Promise<{ port: number; folder: string }> {
  const folder = path.join(checkout.folder, "stored", example);
  await fs.mkdir(folder, { recursive: true });
  const program = checkout.start([path.join("examples", example, "server.mjs"), "0", folder]);
  return { port: await program.port(), folder };
}

/** Sends a head that expects a 100; the content only if the server asks for it. */
async function upload(port: number, head: string[], content: string | Buffer = ""): Promise<WireClient> {
  const wire = await WireClient.connect(port);
  clients.push(wire);
  wire.send([...head, "Host: test", "Expect: 100-continue", "", ""].join("\r\n"));
  await wire.until("an answer", () => wire.statuses.length > 0);
  if (wire.statuses[0] === 100) wire.send(content);
  await wire.final();
  return wire;
}

function expectRefusal(wire: WireClient, status: number): void {
  expect(wire.statuses).toEqual([status]);
  expect(wire.finals[0]?.headers.connection).toBe("close");
}

async function fileNames(folder: string): Promise<string[]> {
  return (await fs.readdir(folder)).sort();
}

test.each(["connect", "express-multer", "express-stream", "fastify-express", "nestjs", "route-guard"])(
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
  const put = (type: string, length: number) => [
    "PUT /images/1 HTTP/1.1",
    `Content-Type: ${type}`,
    `Content-Length: ${length}`,
  ];

  test("takes an image, and refuses by type and size before the content is sent", async () => {
    const { port } = await started(example);
    const accepted = await upload(port, put("image/png", 5), "hello");
    expect(accepted.statuses).toEqual([100, 201]);
    expect(accepted.finals[0]?.body).toBe("5 bytes\n");
    expectRefusal(await upload(port, put("text/plain", 5)), 415);
    expectRefusal(await upload(port, put("image/png", 2 ** 20 + 1)), 413);
  });
});

describe("express-multer", () => {
  const form = (content: string) =>
    `--edge\r\nContent-Disposition: form-data; name="photo"; filename="photo.png"\r\nContent-Type: image/png\r\n\r\n${content}\r\n--edge--\r\n`;

  test("stores the file of a form after one 100", async () => {
    const { port, folder } = await started("express-multer");
    const body = form("a photo");
    const wire = await upload(
      port,
      ["POST /photos HTTP/1.1", "Content-Type: multipart/form-data; boundary=edge", `Content-Length: ${body.length}`],
      body,
    );
    expect(wire.statuses).toEqual([100, 201]);
    const { file, bytes } = JSON.parse(wire.finals[0]?.body ?? "");
    expect(bytes).toBe(7);
    expect(await fs.readFile(path.join(folder, file), "utf8")).toBe("a photo");
  });

  test("refuses what is too large, of unknown length or no form, before it is sent", async () => {
    const { port, folder } = await started("express-multer");
    const before = await fileNames(folder);
    const type = "Content-Type: multipart/form-data; boundary=edge";
    expectRefusal(await upload(port, ["POST /photos HTTP/1.1", type, "Content-Length: 10485761"]), 413);
    expectRefusal(await upload(port, ["POST /photos HTTP/1.1", type, "Transfer-Encoding: chunked"]), 411);
    expectRefusal(await upload(port, ["POST /photos HTTP/1.1", "Content-Type: image/png", "Content-Length: 7"]), 415);
    expect(await fileNames(folder)).toEqual(before);
  });
});

describe("express-stream", () => {
  const put = (name: string, ...fields: string[]) => [`PUT /files/${name} HTTP/1.1`, ...fields];

  test("stores an upload byte for byte after one 100", async () => {
    const { port, folder } = await started("express-stream");
    const content = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 251));
    const wire = await upload(port, put("notes.bin", `Content-Length: ${content.length}`), content);
    expect(wire.statuses).toEqual([100, 201]);
    expect(JSON.parse(wire.finals[0]?.body ?? "")).toEqual({ file: "notes.bin", bytes: content.length });
    expect(content.equals(await fs.readFile(path.join(folder, "notes.bin")))).toBe(true);
  });

  test("refuses by size and by name before the content is sent, and stores nothing", async () => {
    const { port, folder } = await started("express-stream");
    const before = await fileNames(folder);
    expectRefusal(await upload(port, put("large", "Content-Length: 1048577")), 413);
    expectRefusal(await upload(port, put(".profile", "Content-Length: 7")), 400);
    expect(await fileNames(folder)).toEqual(before);
  });

  test("leaves no half a file when the limit is passed or the client leaves", async () => {
    const { port, folder } = await started("express-stream");
    const before = await fileNames(folder);
    const chunk = `${(65_536).toString(16)}\r\n${"x".repeat(65_536)}\r\n`;
    const wire = await upload(port, put("endless", "Transfer-Encoding: chunked"), chunk.repeat(17));
    expect(wire.statuses).toEqual([100, 413]);

    const leaving = await WireClient.connect(port);
    clients.push(leaving);
    leaving.send([...put("half", "Content-Length: 1000", "Host: test"), "", "only this"].join("\r\n"));
    await untilSome(folder, (names) => names.some((name) => name.endsWith(".partial")));
    leaving.destroy();
    await untilSome(folder, (names) => !names.some((name) => name.endsWith(".partial")));
    expect(await fileNames(folder)).toEqual(before);
  });
});

describe("route-guard", () => {
  const token = "Authorization: Bearer open-sesame";

  test("sends one 100 when both guards have accepted", async () => {
    const { port } = await started("route-guard");
    const image = ["PUT /images/1 HTTP/1.1", token, "Content-Type: image/png", "Content-Length: 5"];
    const wire = await upload(port, image, "image");
    expect(wire.statuses).toEqual([100, 201]);
    expect(JSON.parse(wire.finals[0]?.body ?? "")).toEqual({ id: "1", bytes: 5, handshake: "continued" });
  });

  test("refuses by the guard of the application and by that of the route", async () => {
    const { port } = await started("route-guard");
    const image = ["PUT /images/1 HTTP/1.1", "Content-Length: 5"];
    expectRefusal(await upload(port, [...image, "Content-Type: image/png"]), 401);
    expectRefusal(await upload(port, [...image, token, "Content-Type: text/plain"]), 415);
    expectRefusal(
      await upload(port, ["PUT /images/1 HTTP/1.1", token, "Content-Type: image/png", "Content-Length: 1048577"]),
      413,
    );
    expectRefusal(await upload(port, ["PUT /notes/1 HTTP/1.1", "Content-Type: text/plain", "Content-Length: 5"]), 401);
  });

  test("holds a route without a guard of its own to the one of the application", async () => {
    const { port } = await started("route-guard");
    const wire = await upload(
      port,
      ["PUT /notes/1 HTTP/1.1", token, "Content-Type: text/plain", "Content-Length: 5"],
      "notes",
    );
    expect(wire.statuses).toEqual([100, 201]);
  });
});

describe("connect", () => {
  test("digests an upload after one 100", async () => {
    const { port } = await started("connect");
    const wire = await upload(port, ["PUT /digest HTTP/1.1", "Content-Length: 5"], "hello");
    expect(wire.statuses).toEqual([100, 201]);
    expect(wire.finals[0]?.body.trim()).toBe(createHash("sha256").update("hello").digest("hex"));
  });

  test("refuses by size and for want of a length before the content is sent", async () => {
    const { port } = await started("connect");
    expectRefusal(await upload(port, ["PUT /digest HTTP/1.1", "Content-Length: 1048577"]), 413);
    expectRefusal(await upload(port, ["PUT /digest HTTP/1.1", "Transfer-Encoding: chunked"]), 411);
  });
});

async function untilSome(folder: string, isTrue: (names: string[]) => boolean): Promise<void> {
  const end = performance.now() + deadline(8_000);
  while (!isTrue(await fileNames(folder))) {
    if (performance.now() > end) throw new Error(`still in the folder: ${await fileNames(folder)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
