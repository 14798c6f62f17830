import { once } from "node:events";
import { attach } from "express-expectations";
import { afterEach, expect, test, vi } from "vitest";
import { makeApp } from "./app.mjs";
import { upload } from "./upload.mjs";

afterEach(() => vi.useRealTimers());

test("vi.useFakeTimers: uploads need no tick, and a tick ends a policy that never answers", async () => {
  vi.useFakeTimers();
  const slow = vi.fn((req) => (req.headers["x-slow"] ? new Promise(() => {}) : true));
  const server = attach(makeApp([slow]).listen(0, "127.0.0.1"));
  await once(server, "listening");
  const { port } = server.address();
  expect(await upload(port, "hello")).toEqual({ status: 201, body: "stored 5", isSent: true });
  expect((await upload(port, "x".repeat(1_025))).status).toBe(413);
  const answer = upload(port, "hello", { "X-Slow": "yes" });
  await expect.poll(() => slow.mock.calls.length, { timeout: 5_000 }).toBe(2);
  vi.advanceTimersByTime(5_000);
  expect((await answer).status).toBe(503);
  server.closeAllConnections();
  server.close();
});
