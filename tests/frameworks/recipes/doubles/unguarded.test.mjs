import assert from "node:assert/strict";
import { test } from "node:test";
import { unguarded } from "express-expectations";
import { makeApp } from "./app.mjs";

test("every route that takes content has a guard in front", () => {
  assert.deepEqual(unguarded(makeApp()), []);
});
