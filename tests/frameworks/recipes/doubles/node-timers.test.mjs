import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { attach } from "express-expectations";
import { makeApp } from "./app.mjs";
import { upload } from "./upload.mjs";

test("mock.timers: uploads need no tick, and a tick ends a policy that never answers", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: Date.now() });
  let isReached;
  const reached = new Promise((resolve) => {
    isReached = resolve;
  });
  const slow = (req) => {
    if (!req.headers["x-slow"]) return true;
    isReached();
    return new Promise(() => {});
  };
  const server = attach(makeApp([slow]).listen(0, "127.0.0.1"));
  await once(server, "listening");
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  const { port } = server.address();
  assert.deepEqual(await upload(port, "hello"), { status: 201, body: "stored 5", isSent: true });
  assert.equal((await upload(port, "x".repeat(1_025))).status, 413);
  const answer = upload(port, "hello", { "X-Slow": "yes" });
  await reached;
  t.mock.timers.tick(5_000);
  assert.equal((await answer).status, 503);
});
