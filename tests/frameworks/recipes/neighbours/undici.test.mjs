import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createSecureServer } from "node:http2";
import { Readable } from "node:stream";
import { test } from "node:test";
import { attach, expectations, maxSize } from "express-expectations";
import { Client, request } from "undici";
import { save } from "../save.mjs";

const guard = expectations({ policies: [maxSize("1kb")], logger: { warn() {}, error() {} } });
const app = (req, res) => guard(req, res, () => save("a", req).then((digest) => res.writeHead(201).end(digest)));
const pems = { key: readFileSync(process.env.KEY), cert: readFileSync(process.env.CERT) };

/** Content that notes whether somebody has read of it. */
function content(text) {
  const read = { isRead: false };
  async function* pieces() {
    read.isRead = true;
    yield text;
  }
  return Object.assign(read, { body: Readable.from(pieces(), { objectMode: false }) });
}

test("over HTTP/2, undici waits for the 100 with expectContinue", async (t) => {
  const server = attach(createSecureServer(pems, app)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = new Client(`https://127.0.0.1:${server.address().port}`, {
    allowH2: true,
    connect: { rejectUnauthorized: false },
  });
  t.after(() => client.destroy());
  t.after(() => server.close());
  const put = async (text) => {
    const { body, ...read } = content(text);
    const headers = { "content-length": String(text.length) };
    const response = await client.request({ method: "PUT", path: "/", headers, body, expectContinue: true });
    await response.body.dump();
    return { status: response.statusCode, read };
  };
  assert.equal((await put("hello")).status, 201);
  assert.equal((await put("x".repeat(1_025))).status, 413);
});

test("over HTTP/1.1, undici refuses to send Expect", async (t) => {
  const server = attach(createServer(app)).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const options = { method: "PUT", headers: { expect: "100-continue" }, body: "hello" };
  await assert.rejects(request(`http://127.0.0.1:${server.address().port}`, options), {
    code: "UND_ERR_NOT_SUPPORTED",
  });
});
