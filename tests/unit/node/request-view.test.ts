import { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import { expect, test } from "@jest/globals";
import { viewOf } from "../../../src/node/request-view.js";

const request = (properties: object = {}) =>
  Object.assign(new EventEmitter(), properties) as unknown as IncomingMessage & { user?: string };

test("has its own properties, and all others of the request", () => {
  const req = request({ method: "OPTIONS", user: "ada" });
  const view = viewOf(req, { method: { value: "PUT", enumerable: true } }) as typeof req;
  expect([view.method, view.user, req.method]).toEqual(["PUT", "ada", "OPTIONS"]);
  view.user = "grace";
  expect([view.user, req.user]).toEqual(["grace", "ada"]);
  expect(Object.keys(view)).toEqual(["method", "user"]);
});

test("a listener that is added to it stays when the request loses its own", () => {
  const req = request();
  const view = viewOf(req, {});
  const told: string[] = [];
  const own = () => {};
  req.on("end", own);
  view.on("close", () => told.push("on"));
  view.once("close", () => told.push("once"));
  req.off("end", own);
  req.emit("close");
  req.emit("close");
  expect(told).toEqual(["on", "once", "on"]);
  view.removeAllListeners();
  expect(req.listenerCount("close")).toBe(0);
});
