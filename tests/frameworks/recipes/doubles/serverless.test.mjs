import assert from "node:assert/strict";
import { test } from "node:test";
import { configure } from "@codegenie/serverless-express";
import { createMocks } from "node-mocks-http";
import serverlessHttp from "serverless-http";
import { makeApp, makeGuard } from "./app.mjs";

const headers = { "content-type": "image/png" };
const event = (body) => ({
  httpMethod: "PUT",
  path: "/images/1",
  headers: { ...headers, "content-length": String(body.length) },
  body,
  requestContext: { identity: { sourceIp: "127.0.0.1" } },
});
const large = "x".repeat(1_025);

test("serverless-http", async () => {
  const handler = serverlessHttp(makeApp());
  assert.equal((await handler(event("hello"), {})).body, "stored 5");
  assert.equal((await handler(event(large), {})).statusCode, 413);
});

test("@codegenie/serverless-express", async () => {
  const handler = configure({ app: makeApp() });
  assert.equal((await handler(event("hello"), {})).body, "stored 5");
  assert.equal((await handler(event(large), {})).statusCode, 413);
});

test("node-mocks-http, for a guard by itself", () => {
  const fields = { "content-length": String(large.length), ...headers };
  const { req, res } = createMocks({ method: "PUT", url: "/images/1", headers: fields });
  makeGuard()(req, res, () => assert.fail("accepted"));
  assert.equal(res._getStatusCode(), 413);
});
