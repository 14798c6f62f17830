import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import * as http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type UploadBody, upload } from "../../src/client/client.js";
import { expectNothingDeadly } from "../helpers/deadly.js";
import { closeServers, listen, type RunningServer, start } from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { closeMisbehaving, digest, digestOf, put, startMisbehaving } from "../helpers/uploads.js";

expectNothingDeadly();
const folder = mkdtempSync(join(tmpdir(), "expectations-upload-"));
const path = join(folder, "content");
const content = Buffer.from(Array.from({ length: 200_000 }, (_, i) => i % 251));
writeFileSync(path, content);

let server: RunningServer;
let lengths: (string | undefined)[];
beforeEach(async () => {
  lengths = [];
  server = await start("node:http", {
    use: [
      (req, _res, done) => {
        lengths.push(req.headers["content-length"] ?? req.headers["transfer-encoding"]);
        done();
      },
    ],
    routes: { "/digest": digest },
  });
});
afterEach(async () => {
  await closeServers();
  await closeMisbehaving();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function* pieces() {
  for (let from = 0; from < content.length; from += 70_001) yield content.subarray(from, from + 70_001);
}

const KNOWN: Readonly<Record<string, () => UploadBody>> = {
  "a buffer": () => content,
  "bytes in the middle of others": () => new Uint8Array(Buffer.concat([Buffer.from("before"), content])).subarray(6),
  "an ArrayBuffer": () => new Uint8Array(content).buffer,
  "a DataView": () => new DataView(new Uint8Array(content).buffer),
  "a Blob": () => new Blob([content]),
  "a file": () => ({ file: path }),
  "the URL of a file": () => ({ file: pathToFileURL(path) }),
};

const UNKNOWN: Readonly<Record<string, () => UploadBody>> = {
  "a stream": () => Readable.from(pieces()),
  "a stream in object mode": () => Readable.from(pieces(), { objectMode: true }),
  "an async iterable": () => pieces(),
  "a web stream": () => Readable.toWeb(Readable.from(pieces(), { objectMode: false })) as never,
  "a function that returns a stream": () => () => Readable.from(pieces()),
  "a function that promises a web stream": () => async () => new Blob([content]).stream() as never,
};

test.each(Object.entries(KNOWN))("%s arrives byte for byte, with its length", async (_, make) => {
  const result = await put(server, "/digest", { body: make() });
  expect(result).toMatchObject({ status: 201, sentBytes: content.length, wasContinued: true });
  expect(result.body.toString()).toBe(digestOf(content));
  expect(lengths).toEqual([String(content.length)]);
});

describe.each(Object.entries(UNKNOWN))("%s arrives byte for byte", (_, make) => {
  test.each([
    ["in chunks", {}, "chunked"],
    ["with the length that is announced", { "content-length": content.length }, String(content.length)],
  ])("%s", async (_how, headers, framing) => {
    const result = await put(server, "/digest", { body: make(), headers });
    expect(result).toMatchObject({ status: 201, sentBytes: content.length, wasContinued: true });
    expect(result.body.toString()).toBe(digestOf(content));
    expect(lengths).toEqual([framing]);
  });
});

test("text is sent as UTF-8, in a stream, too", async () => {
  const text = "Ünïcode ✓";
  async function* words() {
    yield "Ünï";
    yield "code ✓";
  }
  for (const body of [text, words()]) {
    expect((await put(server, "/digest", { body })).body.toString()).toBe(digestOf(Buffer.from(text)));
  }
});

test("an empty body is no content: nothing is expected", async () => {
  const { url, heads } = await startMisbehaving();
  writeFileSync(join(folder, "empty"), "");
  for (const body of ["", Buffer.alloc(0), { file: join(folder, "empty") }]) {
    expect(await upload(url, { body })).toMatchObject({ status: 200, sentBytes: 0 });
  }
  expect(heads.map((head) => [head.expect, head.fields["content-length"]])).toEqual(Array(3).fill([undefined, "0"]));
});

test("progress is told as the system takes the bytes", async () => {
  const seen: [number, number | undefined][] = [];
  const onProgress = (progress: { sentBytes: number; totalBytes: number | undefined }) =>
    void seen.push([progress.sentBytes, progress.totalBytes]);
  await put(server, "/digest", { body: Buffer.alloc(2_500_000), onProgress });
  expect(seen).toEqual([
    [1_048_576, 2_500_000],
    [2_097_152, 2_500_000],
    [2_500_000, 2_500_000],
  ]);
  seen.length = 0;
  await put(server, "/digest", { body: pieces(), onProgress });
  expect(seen).toEqual([
    [70_001, undefined],
    [140_002, undefined],
    [200_000, undefined],
  ]);
});

describe("a body that is not what it says", () => {
  const ERRORS: [string, UploadBody, object, RegExp][] = [
    ["longer than announced", Readable.from(pieces()), { "Content-Length": 100 }, /longer than 100 bytes/],
    [
      "shorter than announced",
      Readable.from(pieces()),
      { "Content-Length": 200_001 },
      /ended after 200000 of 200001 bytes/,
    ],
    ["a stream that fails", () => Readable.from(failing()), {}, /disk on fire/],
    ["a stream that fails before it is read", gone(), {}, /ended/],
    ["a stream of objects", Readable.from([{}]), {}, /brings object, not bytes/],
    ["a function that throws", () => Promise.reject(new Error("no such part")), {}, /no such part/],
    ["a function that returns no stream", (() => 5) as never, {}, /received 5/],
    ["a file that is not there", { file: join(folder, "nothing") }, {}, /ENOENT/],
    ["a folder", { file: folder }, {}, /is not a file/],
  ];
  function gone() {
    const stream = new PassThrough();
    stream.on("error", () => {});
    return stream.destroy(new Error("gone"));
  }
  async function* failing() {
    yield content;
    throw new Error("disk on fire");
  }

  test.each(ERRORS)("%s: an error, and the server is not told that it is whole", async (_, body, headers, message) => {
    const ends: string[] = [];
    const cutOff = await listen(
      http.createServer((req) => {
        req.on("error", () => {});
        req.on("close", () => ends.push(req.complete ? "whole" : "cut off"));
        req.resume();
      }),
    );
    const error = await put(cutOff, "/", { body, headers: headers as never }).catch((e: unknown) => e);
    expect(error).toMatchObject({ message: expect.stringMatching(message) });
    expect(["ERR_UPLOAD_BODY", "ERR_EXPECT_OPTION"]).toContain((error as { code: string }).code);
    const closed = once(cutOff.server, "close");
    cutOff.server.close();
    await closed;
    expect(ends).not.toContain("whole");
  });
});

test.each<[string, object, RegExp]>([
  ["an unknown name", { bodyy: "x" }, /unknown option "bodyy"; did you mean body/],
  ["a body that is none", { body: 5 }, /body \}\): received 5; expected text, bytes/],
  [
    "a length that is wrong",
    { body: "upload", headers: { "Content-Length": 7 } },
    /Content-Length: 7"; expected the length of the body, 6/,
  ],
  ["Expect", { headers: { expect: "x" } }, /received "expect"; expected other fields/],
  ["Transfer-Encoding", { headers: { "Transfer-Encoding": "gzip" } }, /expected other fields/],
  ["a name that is none", { headers: { "a b": "x" } }, /a b/],
  ["a value that ends the line", { headers: { a: "x\r\nb: c" } }, /Invalid character/],
  ["a method that is none", { method: "P T" }, /P T/],
  ["no time to wait", { expectTimeoutMs: 0 }, /expectTimeoutMs \}\): received 0/],
  ["redirects that cannot be counted", { maxRedirects: Number.NaN }, /maxRedirects \}\): received NaN/],
  ["no fields", { headers: null as never }, /headers \}\): received null; expected an object/],
  ["a signal that is none", { signal: {} as never }, /signal \}\): received .+; expected an AbortSignal/],
  ["a callback that is 0", { onProgress: 0 as never }, /onProgress \}\): received 0; expected a function/],
  ["a callback that is none", { onProgress: true }, /onProgress \}\): received true; expected a function/],
])("%s is refused", async (_, options, message) => {
  await expect(put(server, "/digest", { body: "upload", ...options })).rejects.toMatchObject({
    code: "ERR_EXPECT_OPTION",
    message: expect.stringMatching(message),
  });
});

test.each(["/files", "ftp://example.com/", "http://"])("%s is no URL", async (url) => {
  await expect(upload(url, { body: "x" })).rejects.toMatchObject({ code: "ERR_EXPECT_OPTION" });
});

test("a body whose upload is refused is not opened, and a stream is destroyed", async () => {
  const { url } = await startMisbehaving("refuse-and-keep");
  let isOpened = false;
  const body = () => {
    isOpened = true;
    return Readable.from(pieces());
  };
  await upload(url, { body });
  expect(isOpened).toBe(false);
  const stream = Readable.from(pieces());
  await upload(url, { body: stream });
  expect(stream.destroyed).toBe(true);
});

test("the body waits for the server: what is not taken is not read", async () => {
  const { url, close } = await startMisbehaving("no-reading");
  let read = 0;
  async function* endless() {
    for (;;) {
      read += 65_536;
      yield Buffer.alloc(65_536);
    }
  }
  const sents: number[] = [];
  const result = upload(url, {
    body: endless(),
    idleTimeoutMs: 1_000,
    onProgress: ({ sentBytes }) => sents.push(sentBytes),
  });
  await expect(result).rejects.toMatchObject({ code: "ERR_UPLOAD_TIMEOUT" });
  // At most the piece that waits, and what a stream reads ahead.
  expect(read - (sents.at(-1) ?? 0)).toBeLessThanOrEqual(3 * 65_536);
  await close();
});

test("a body that is slow to come is no idle connection", async () => {
  async function* slow() {
    for (let i = 0; i < 4; i++) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      yield "piece";
    }
  }
  const result = await put(server, "/digest", { body: slow(), idleTimeoutMs: 100 });
  expect(result).toMatchObject({ status: 201, sentBytes: 20 });
});

test("a file that grows meanwhile is sent as far as it was announced", async () => {
  const growing = join(folder, "growing");
  writeFileSync(growing, "upload");
  const { url, heads } = await startMisbehaving(async (served) => {
    writeFileSync(growing, "upload and more");
    return served.head.length === 0;
  });
  expect(await upload(url, { body: { file: growing } })).toMatchObject({ status: 201, sentBytes: 6 });
  await until("one request", () => heads.length === 1);
});
