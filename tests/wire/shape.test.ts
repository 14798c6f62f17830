import { execFile } from "node:child_process";
import * as path from "node:path";
import { promisify } from "node:util";
import { afterEach, expect, test } from "@jest/globals";
import { silent } from "../../src/index.js";
import { closeServers, type Handler, startAttached, store } from "../helpers/servers.js";
import { WireClient } from "../helpers/wire.js";
import { transpiled } from "../redis/processes.js";

afterEach(closeServers);

test.each([
  ["Express 4", "express4"],
  ["Express 5", "express"],
])("responses behind %s share one hidden class", async (_kind, name) => {
  const program = path.join(transpiled(path.join(__dirname, "shape-child.mjs")), "shape-child.mjs");
  const { stdout } = await promisify(execFile)(process.execPath, [program, name], { timeout: 15_000 });
  expect(JSON.parse(stdout)).toEqual([true, true]);
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
