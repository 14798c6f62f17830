import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { attach } from "express-expectations";
import { makeApp } from "./app.mjs";
import { upload } from "./upload.mjs";

test("an image is stored, a large one is refused before it is sent", async (t) => {
  const server = attach(makeApp().listen(0, "127.0.0.1"));
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address();
  assert.deepEqual(await upload(port, "hello"), { status: 201, body: "stored 5", isSent: true });
  const { status, isSent } = await upload(port, "x".repeat(1_025));
  assert.deepEqual({ status, isSent }, { status: 413, isSent: false });
});
