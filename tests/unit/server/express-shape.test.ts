import { createServer, IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { expect, test } from "@jest/globals";
import express from "express";
import { keepShape, needsShape } from "../../../src/server/express-shape.js";

const IS_OLD_NODE = !("writeInformation" in ServerResponse.prototype);

test("only a server with an Express application needs it, and only on Node 20 and 22", () => {
  expect(needsShape(createServer(express()))).toBe(IS_OLD_NODE);
  expect(needsShape(createServer(() => {}).on("request", express()))).toBe(IS_OLD_NODE);
  expect(needsShape(createServer(() => {}))).toBe(false);
  expect(needsShape(createServer(Object.assign(() => {}, { request: {} })))).toBe(false);
  expect(needsShape(createServer())).toBe(false);
});

test("gives a request and a response the fields that Express sets, and changes none", () => {
  const req = new IncomingMessage(new Socket());
  const res = new ServerResponse(req);
  res.statusCode = 201;
  Object.assign(req, { originalUrl: "/a" });
  Object.assign(res, { locals: { user: 1 } });
  keepShape(req as never, res as never);
  const fields = ["next", "baseUrl", "originalUrl", "params", "res", "_parsedUrl"];
  expect(fields.filter((field) => !Object.hasOwn(req, field))).toEqual([]);
  expect(["locals", "statusCode", "statusMessage"].filter((field) => !Object.hasOwn(res, field))).toEqual([]);
  expect(req).toMatchObject({ originalUrl: "/a", next: undefined, params: undefined });
  expect(res).toMatchObject({ locals: { user: 1 }, statusCode: 201, statusMessage: undefined });
});
