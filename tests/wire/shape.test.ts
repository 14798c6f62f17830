import { once } from "node:events";
import type { ServerResponse } from "node:http";
import * as v8 from "node:v8";
import { afterEach, expect, test } from "@jest/globals";
import { expectations, maxSize, silent } from "../../src/index.js";
import { closeServers, type Handler, startAttached, store } from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";

afterEach(closeServers);

v8.setFlagsFromString("--allow-natives-syntax");
const haveSameHiddenClass = new Function("a", "b", "return %HaveSameMap(a, b)") as (a: object, b: object) => boolean;
v8.setFlagsFromString("--no-allow-natives-syntax");

test.each(["Express 4", "Express 5"] as const)("responses behind %s share one hidden class", async (kind) => {
  const responses: ServerResponse[] = [];
  const keep: Handler = (_req, res) => void responses.push(res);
  const guard = expectations({ logger: silent, policies: [maxSize("1mb")] }) as Handler;
  const { server, port } = await startAttached(kind, { routes: { "/files": [guard, keep] } }, { logger: silent });
  for (let i = 0; i < 4; i++) {
    const arrived = once(server, "request");
    const wire = await WireClient.connect(port);
    wire.send("PUT /files HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    await arrived;
  }
  for (const res of responses) {
    res.statusCode = 201;
    res.statusMessage = "Created";
  }
  // The first one of a process is laid out before V8 knows what is to come.
  const [, second, ...others] = responses as [ServerResponse, ServerResponse];
  expect(others).toHaveLength(2);
  for (const other of others) expect(haveSameHiddenClass(second, other)).toBe(true);
});

// Code that serves both asks `"originalUrl" in req`, and swagger-stats `"route" in req`.
test.each([
  ["node:http", []],
  ["Connect", ["originalUrl"]],
  ["Express 4", ["baseUrl", "locals", "next", "originalUrl", "params", "query", "res"]],
  ["Express 5", ["baseUrl", "locals", "next", "originalUrl", "params", "res"]],
] as const)("on %s, a middleware finds what it finds without this package", async (kind, expected) => {
  const names = ["baseUrl", "locals", "next", "originalUrl", "params", "query", "res", "route"];
  let found: string[] = [];
  const look: Handler = (req, res, next) => {
    found = names.filter((name) => Object.hasOwn(req, name) || Object.hasOwn(res, name));
    next();
  };
  const { port } = await startAttached(kind, { use: [look], routes: { "/files": store } }, { logger: silent });
  const wire = await WireClient.connect(port);
  wire.send("PUT /files HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\n12345");
  expect((await wire.final()).status).toBe(201);
  expect(found).toEqual(expected);
});
