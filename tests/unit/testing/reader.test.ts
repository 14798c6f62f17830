import type { Socket } from "node:net";
import { PassThrough } from "node:stream";
import { expect, test } from "@jest/globals";
import { Reader } from "../../../src/testing/misbehave/reader.js";

const HEAD = "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

async function read(content: string) {
  const socket = new PassThrough();
  const reader = new Reader(socket as never as Socket);
  const head = reader.head();
  for (const byte of HEAD + content) socket.write(byte, "latin1");
  socket.end();
  const found = await reader.content((await head) as never);
  await reader.bytes(Number.POSITIVE_INFINITY).then((rest) => expect(content).toBe(found + rest));
  return found;
}

// RFC 9112 §7.1
test.each([
  "0\r\n\r\n",
  "5\r\nhello\r\n0\r\n\r\n",
  // Content that looks like the last chunk.
  "7\r\na0\r\n\r\nb\r\n1;name=value\r\nc\r\n0\r\n\r\n",
  "5\r\nhello\r\n0\r\nDigest: a\r\nX: b\r\n\r\n",
])("content in chunks is %j, and nothing behind it", async (content) => {
  expect(await read(`${content}GET /next HTTP/1.1\r\n\r\n`)).toBe(content);
});

test.each(["5\r\nhel", "5\r\nhello\r\n", "no chunk", ""])(
  "content that ends in the middle is what came of it: %j",
  async (content) => {
    expect(content.startsWith(await read(content))).toBe(true);
  },
);
