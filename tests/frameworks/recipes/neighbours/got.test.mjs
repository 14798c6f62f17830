import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { attach, expectations, maxSize } from "express-expectations";
import got from "got";
import { save } from "../save.mjs";

const guard = expectations({ policies: [maxSize("1kb")], logger: { warn() {}, error() {} } });
const app = (req, res) => guard(req, res, () => save("a", req).then((digest) => res.writeHead(201).end(digest)));

test("got sends the field, does not wait, and gets every verdict", async (t) => {
  const server = attach(createServer(app)).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const url = `http://127.0.0.1:${server.address().port}`;
  const put = (body) =>
    got.put(url, { body, headers: { expect: "100-continue" }, throwHttpErrors: false, retry: { limit: 0 } });
  assert.equal((await put("hello")).statusCode, 201);
  assert.equal((await put("x".repeat(1_025))).statusCode, 413);
});
