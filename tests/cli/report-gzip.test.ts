import { once } from "node:events";
import { Readable } from "node:stream";
import { crc32, deflateRawSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "@jest/globals";
import { main } from "../../src/cli/main.js";
import { gunzipped } from "../../src/cli/report/gzip.js";
import { fakeTerminal, REFUSAL } from "../helpers/report-log.js";

const LINE = `${JSON.stringify({ time: "2026-11-22T08:00:00.000Z", ...REFUSAL })}\n`;

async function unpack(bytes: Buffer, size = bytes.length): Promise<{ text: string; code: string | undefined }> {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  let text = "";
  try {
    for await (const chunk of gunzipped(Readable.from(pieces, { objectMode: true }))) text += chunk.toString("latin1");
    return { text, code: undefined };
  } catch (error) {
    return { text, code: (error as NodeJS.ErrnoException).code };
  }
}

/** A member with every optional field of RFC 1952 §2.3. */
function memberWithAll(content: string): Buffer {
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(content));
  trailer.writeUInt32LE(content.length, 4);
  const header = Buffer.from([0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 3]);
  const fields = Buffer.from("\x03\x00abcname\0comment\0\x12\x34", "latin1");
  return Buffer.concat([header, fields, deflateRawSync(content), trailer]);
}

const packed = gzipSync("hello ");
const large = Array.from({ length: 300_000 }, (_, i) => `${(i * 7_919) % 104_729}\n`).join("");

describe.each([1, 7, 65_536])("in pieces of %i bytes", (size) => {
  test.each<[string, Buffer, string, string | undefined]>([
    ["one member", packed, "hello ", undefined],
    ["two members", Buffer.concat([packed, packed]), "hello hello ", undefined],
    ["an empty member", gzipSync(""), "", undefined],
    ["all fields of a header", Buffer.concat([memberWithAll("hello "), packed]), "hello hello ", undefined],
    ["zeros behind it", Buffer.concat([packed, Buffer.alloc(600)]), "hello ", undefined],
    ["a member behind zeros", Buffer.concat([packed, Buffer.alloc(600), packed]), "hello hello ", undefined],
    ["garbage behind it", Buffer.concat([packed, Buffer.from("garbage")]), "hello ", "ERR_TRAILING_DATA"],
    ["one byte of garbage", Buffer.concat([packed, Buffer.from("g")]), "hello ", "ERR_TRAILING_DATA"],
    ["half a member behind it", Buffer.concat([packed, packed.subarray(0, 12)]), "hello h", "Z_BUF_ERROR"],
    ["no trailer", packed.subarray(0, -8), "hello ", "Z_BUF_ERROR"],
    ["half a header", packed.subarray(0, 5), "", "Z_BUF_ERROR"],
    ["a wrong checksum", Buffer.concat([packed.subarray(0, -8), Buffer.alloc(8, 1)]), "hello ", "Z_DATA_ERROR"],
    ["another method", Buffer.concat([Buffer.from([0x1f, 0x8b, 9]), packed.subarray(3)]), "", "Z_DATA_ERROR"],
  ])("%s", async (_what, bytes, text, code) => {
    expect(await unpack(bytes, size)).toEqual({ text, code });
  });
});

test("large data come whole, with garbage behind, too", async () => {
  const bytes = Buffer.concat([gzipSync(large), gzipSync(large), Buffer.from("garbage")]);
  for (const size of [1_000, 65_536, bytes.length]) {
    const { text, code } = await unpack(bytes, size);
    expect(code).toBe("ERR_TRAILING_DATA");
    expect(text === large + large).toBe(true);
  }
});

test("a reader that stops early leaves nothing open", async () => {
  const source = Readable.from([gzipSync(large)], { objectMode: true });
  for await (const chunk of gunzipped(source)) {
    expect(chunk.length).toBeGreaterThan(0);
    break;
  }
  if (!source.destroyed) await once(source, "close");
});

test("a failure of the source is thrown", async () => {
  const source = Readable.from(
    (function* () {
      yield gzipSync(large).subarray(0, 1_000);
      throw Object.assign(new Error("broken"), { code: "EIO" });
    })(),
    { objectMode: true },
  );
  await expect(async () => {
    for await (const _ of gunzipped(source));
  }).rejects.toThrow("broken");
});

test("report keeps what stands before garbage, and ends with 3", async () => {
  const stdin = Buffer.concat([gzipSync(LINE.repeat(3)), Buffer.from("garbage")]);
  const terminal = fakeTerminal({ stdin });
  expect(await main(["report", "--json"], terminal)).toBe(3);
  expect(terminal.stderr.text).toBe(
    "express-expectations report: standard input: something else follows its gzip data, and was left out\n",
  );
  expect(JSON.parse(terminal.stdout.text).refused).toBe(3);
});
