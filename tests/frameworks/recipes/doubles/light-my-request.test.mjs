import assert from "node:assert/strict";
import { test } from "node:test";
import inject from "light-my-request";
import { makeApp } from "./app.mjs";

// In a file of its own: it changes the prototypes of Express, and other tools no longer work in the same process.
test("light-my-request gets every verdict", async () => {
  const headers = { "content-type": "image/png" };
  const put = (payload) => inject(makeApp(), { method: "PUT", url: "/images/1", headers, payload });
  assert.equal((await put("hello")).payload, "stored 5");
  assert.equal((await put("x".repeat(1_025))).statusCode, 413);
});
