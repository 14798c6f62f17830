import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { attach } from "express-expectations";
import { HttpResponse, http } from "msw";
import { setupServer } from "msw/node";
import { makeApp } from "./app.mjs";
import { upload } from "./upload.mjs";

let isOk = true;
const mocks = setupServer(
  http.get("http://permissions.test/uploads", () => new HttpResponse(null, { status: isOk ? 200 : 403 })),
);
let server;
before(async () => {
  mocks.listen({ onUnhandledRequest: "bypass" });
  server = attach(makeApp([isAllowed]).listen(0, "127.0.0.1"));
  await once(server, "listening");
});
after(() => {
  server.close();
  mocks.close();
});

/** A policy that asks another service, which msw stands for. */
async function isAllowed() {
  return (await fetch("http://permissions.test/uploads")).ok;
}

test("a policy's own request is mocked, and the handshake is real", async () => {
  const { port } = server.address();
  assert.deepEqual(await upload(port, "hello"), { status: 201, body: "stored 5", isSent: true });
  isOk = false;
  const { status, isSent } = await upload(port, "hello");
  assert.deepEqual({ status, isSent }, { status: 417, isSent: false });
});
