import { spawnSync } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { afterAll, afterEach, beforeAll, expect, jest, test } from "@jest/globals";
import { deadline } from "../helpers/deadline.js";
import { WireClient } from "../helpers/wire.js";
import { Checkout } from "./checkout.js";

// Builds the package first.
jest.setTimeout(60_000);

const MEBIBYTE = 2 ** 20;
const hasCurl = spawnSync("curl", ["--aws-sigv4", "a:b", "--version"]).status === 0;
if (!hasCurl) process.stderr.write("skipped: examples/s3-compatible with curl: no curl that knows --aws-sigv4\n");

let checkout: Checkout;
let folder: string;
let port: number;
let clients: WireClient[] = [];

beforeAll(async () => {
  checkout = await Checkout.make();
  await checkout.build();
  folder = path.join(checkout.folder, "stored");
  await fs.mkdir(folder);
  port = await checkout.start(["examples/s3-compatible/server.mjs", "0", folder]).port();
});
afterEach(() => {
  for (const client of clients) client.destroy();
  clients = [];
});
afterAll(() => checkout.remove());

const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** AWS Signature Version 4, written by itself: the example's own must agree with it, and with curl's. */
function signed(
  target: string,
  { secret = "open-sesame", payload = "UNSIGNED-PAYLOAD", at = new Date() } = {},
): string[] {
  const date = at.toISOString().replace(/[-:]|\.\d+/g, "");
  const scope = `${date.slice(0, 8)}/eu-central-1/s3/aws4_request`;
  const names = "host;x-amz-content-sha256;x-amz-date";
  const [where = "", query = ""] = target.split("?");
  const fields = `host:test\nx-amz-content-sha256:${payload}\nx-amz-date:${date}\n`;
  const request = `PUT\n${where}\n${query}\n${fields}\n${names}\n${payload}`;
  let key: string | Buffer = `AWS4${secret}`;
  for (const part of scope.split("/")) key = hmac(key, part);
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(request)}`).toString("hex");
  return [
    `PUT ${target} HTTP/1.1`,
    `X-Amz-Date: ${date}`,
    `X-Amz-Content-Sha256: ${payload}`,
    `Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  ];
}

/** Sends a head that expects a 100; the content only if the server asks for it. */
async function put(head: string[], length: number | undefined, content = ""): Promise<WireClient> {
  const wire = await WireClient.connect(port);
  clients.push(wire);
  const framing = length === undefined ? "Transfer-Encoding: chunked" : `Content-Length: ${length}`;
  wire.send([...head, "Host: test", framing, "Expect: 100-continue", "", ""].join("\r\n"));
  await wire.until("an answer", () => wire.statuses.length > 0);
  if (wire.statuses[0] === 100) wire.send(content);
  await wire.final();
  return wire;
}

function expectRefusal(wire: WireClient, status: number, code: string): void {
  expect(wire.statuses).toEqual([status]);
  expect(wire.finals[0]).toMatchObject({ headers: { connection: "close", "content-type": "application/xml" } });
  expect(wire.finals[0]?.body).toContain(`<Code>${code}</Code>`);
}

test("stores what is signed, after one 100", async () => {
  const wire = await put(signed("/photos/2026/a%20b.txt?x-id=PutObject"), 5, "hello");
  expect(wire.statuses).toEqual([100, 200]);
  expect(wire.finals[0]?.headers.etag).toBe(`"${createHash("md5").update("hello").digest("hex")}"`);
  expect(await fs.readFile(path.join(folder, "photos", "2026%2Fa%20b.txt"), "utf8")).toBe("hello");
});

test("refuses in the order of the checks, before a byte is sent", async () => {
  const forged = { secret: "guessed" };
  const whole = 101 * MEBIBYTE;
  expectRefusal(await put(signed("/NO/key", forged), whole), 400, "InvalidRequest");
  expectRefusal(await put(signed("/photos/%2e%2e", forged), whole), 400, "InvalidRequest");
  expectRefusal(await put(signed("/photos/..%2f..", forged), whole), 403, "SignatureDoesNotMatch");
  expectRefusal(await put(signed("/photos/key", forged), undefined), 411, "MissingContentLength");
  expectRefusal(
    await put(signed("/photos/key", { payload: "STREAMING-UNSIGNED-PAYLOAD-TRAILER" }), 5),
    501,
    "NotImplemented",
  );
  expectRefusal(await put(signed("/photos/key", forged), whole), 403, "SignatureDoesNotMatch");
  expectRefusal(
    await put(signed("/photos/key", { at: new Date(Date.now() - 16 * 60_000) }), 5),
    403,
    "SignatureDoesNotMatch",
  );
  expectRefusal(await put(["PUT /photos/key HTTP/1.1"], 5), 403, "SignatureDoesNotMatch");
  expectRefusal(await put(signed("/photos/key"), whole), 429, "TooManyRequests");
  expectRefusal(await put(signed("/photos/key"), 65 * MEBIBYTE), 413, "EntityTooLarge");
});

test("takes nothing from the quota for what is refused", async () => {
  for (let i = 0; i < 3; i++) expectRefusal(await put(signed("/photos/key"), 80 * MEBIBYTE), 413, "EntityTooLarge");
  expect((await put(signed("/photos/small"), 5, "hello")).statuses).toEqual([100, 200]);
});

test("refuses what is there already, where the client asks for that", async () => {
  expect((await put(signed("/photos/once"), 5, "hello")).statuses).toEqual([100, 200]);
  const again = [...signed("/photos/once"), "If-None-Match: *"];
  expectRefusal(await put(again, 5), 412, "PreconditionFailed");
});

test("stores nothing whose content is not what was signed", async () => {
  const other = await put(signed("/photos/forged", { payload: sha256("hello") }), 5, "HELLO");
  expect(other.statuses).toEqual([100, 400]);
  const same = await put(signed("/photos/true", { payload: sha256("hello") }), 5, "hello");
  expect(same.statuses).toEqual([100, 200]);
  const names = await fs.readdir(path.join(folder, "photos"));
  expect(names).toContain("true");
  expect(names).not.toContain("forged");
  const partials = async () => (await fs.readdir(folder)).filter((name) => name.endsWith(".partial"));
  // The answer goes out before the last of it is removed.
  for (const end = Date.now() + deadline(8_000); (await partials()).length > 0 && Date.now() < end; )
    await new Promise((resolve) => setTimeout(resolve, 5));
  expect(await partials()).toEqual([]);
});

(hasCurl ? test : test.skip)("agrees with curl's signature, and curl sends nothing of what is refused", async () => {
  const file = await checkout.write("curl.txt", "from curl".repeat(1_000));
  const curl = (secret: string) =>
    spawnSync("curl", [
      ...["-sS", "-o", "-", "-w", "\n%{http_code} %{size_upload}", "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD"],
      ...["-H", "Expect: 100-continue", "--aws-sigv4", "aws:amz:us-east-1:s3", "--user", `AKIDEXAMPLE:${secret}`],
      ...["-T", file, "--max-time", "20", `http://127.0.0.1:${port}/photos/curl.txt`],
    ]).stdout.toString();
  expect(curl("open-sesame")).toMatch(/\n200 9000$/);
  expect(await fs.readFile(path.join(folder, "photos", "curl.txt"), "utf8")).toBe("from curl".repeat(1_000));
  expect(curl("guessed")).toMatch(/SignatureDoesNotMatch.*\n403 0$/s);
});
