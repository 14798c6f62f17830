import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { attach } from "express-expectations";
import nock from "nock";
import { makeApp } from "./app.mjs";
import { upload } from "./upload.mjs";

let server;
before(async () => {
  nock.disableNetConnect();
  nock.enableNetConnect("127.0.0.1");
  server = attach(makeApp([isAllowed]).listen(0, "127.0.0.1"));
  await once(server, "listening");
});
after(() => {
  server.close();
  nock.restore();
});

/** A policy that asks another service, which nock stands for. */
async function isAllowed() {
  return (await fetch("http://permissions.test/uploads")).ok;
}

test("a policy's own request is mocked, and the handshake is real", async () => {
  const { port } = server.address();
  nock("http://permissions.test").get("/uploads").reply(200).get("/uploads").reply(403);
  assert.deepEqual(await upload(port, "hello"), { status: 201, body: "stored 5", isSent: true });
  const { status, isSent } = await upload(port, "hello");
  assert.deepEqual({ status, isSent }, { status: 417, isSent: false });
});
