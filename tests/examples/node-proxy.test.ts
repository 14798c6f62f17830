import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { WireClient } from "../helpers/wire.js";
import { Checkout } from "./checkout.js";

// Builds the package first.
jest.setTimeout(60_000);

let checkout: Checkout;
let port: number;

beforeAll(async () => {
  checkout = await Checkout.make();
  await checkout.build();
  port = await checkout.start(["examples/node-proxy/server.mjs", "0"]).port();
});
afterAll(() => checkout.remove());

const put = (...fields: string[]) =>
  ["PUT /images/1 HTTP/1.1", "Host: test", "Expect: 100-continue", ...fields, "", ""].join("\r\n");

test("node-proxy passes on the origin's one 100, the content and the answer", async () => {
  const wire = await WireClient.connect(port);
  wire.send(put("Content-Type: image/png", "Content-Length: 5"));
  await wire.status(100);
  wire.send("image");
  expect(JSON.parse((await wire.final()).body)).toEqual({ id: "1", bytes: 5 });
  expect(wire.statuses).toEqual([100, 201]);
  wire.destroy();
});

test.each([
  [413, ["Content-Type: image/png", "Content-Length: 2097153"]],
  [415, ["Content-Type: text/plain", "Content-Length: 5"]],
  [411, ["Content-Type: image/png", "Transfer-Encoding: chunked"]],
])("node-proxy passes on the origin's %i before the content is sent", async (status, fields) => {
  const wire = await WireClient.connect(port);
  wire.send(put(...fields));
  await wire.final();
  expect(wire.statuses).toEqual([status]);
  await wire.closed();
});

test.each(["DELETE", "OPTIONS"])("node-proxy refuses a %s with content of unknown length", async (method) => {
  const wire = await WireClient.connect(port);
  wire.send(`${method} /images/1 HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nimage\r\n0\r\n\r\n`);
  await wire.final();
  expect(wire.statuses).toEqual([411]);
  await wire.closed();
});
