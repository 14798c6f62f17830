import * as http from "node:http";
import * as net from "node:net";
import { expect, test } from "@jest/globals";
import express from "express";
import fastify from "fastify";
import { attach } from "../../../src/index.js";

const server = http.createServer();
const BUNS = { fetch() {}, reload() {}, stop() {}, port: 3000 };
const DENOS = { addr: {}, finished: Promise.resolve(), shutdown() {}, ref() {} };

test.each<[string, unknown, string]>([
  ["nothing", undefined, "received undefined; expected a server of node:http, node:https or node:http2"],
  ["a server of TCP", net.createServer(), "received an object; expected a server of"],
  ["an application of Express", express(), "an Express application is none: pass what app.listen() returns"],
  ["an application of Fastify", fastify(), "its property server is one"],
  ["what has a server", { server }, "its property server is one"],
  ["what has a listener, as hapi", { listener: server }, "its property listener is one"],
  ["Bun's own server", BUNS, "Bun.serve() sends the 100 before any of your code runs: pass a server of node:http's"],
  ["Deno's own server", DENOS, "Deno.serve() sends the 100 before any of your code runs: pass a server of node:http's"],
])("attach says what is right when it gets %s", (_what, value, message) => {
  expect(() => attach(value as never)).toThrow(message);
});
