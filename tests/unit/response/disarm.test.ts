import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { disarm, disarmWithHead } from "../../../src/response/disarm.js";

function response(): ServerResponse {
  return new ServerResponse(new IncomingMessage(new Socket()));
}

describe("a disarmed response", () => {
  let res: ServerResponse;
  let write: jest.Mock;
  beforeEach(() => {
    res = response();
    res.statusCode = 413;
    disarm(res);
    write = jest.fn();
    (res as unknown as { _send: unknown })._send = write;
  });
  afterEach(() => expect(write).not.toHaveBeenCalled());

  test("ignores every method that would write, and returns itself", () => {
    const all = res as unknown as Record<string, (...args: unknown[]) => unknown>;
    for (const name of ["setHeader", "appendHeader", "removeHeader", "setHeaders", "writeHead", "addTrailers"]) {
      expect([name, all[name]?.("X-A", "1")]).toEqual([name, res]);
    }
    for (const name of ["flushHeaders", "writeContinue", "writeProcessing", "writeEarlyHints", "destroy"]) {
      expect([name, all[name]?.()]).toEqual([name, res]);
    }
    expect(res.getHeaderNames()).toEqual([]);
    expect(res.destroyed).toBe(false);
  });

  test("calls back, later", async () => {
    const order: string[] = [];
    expect(res.write("a", () => order.push("write"))).toBe(true);
    expect(res.end("b", "utf8", () => order.push("end"))).toBe(res);
    order.push("here");
    await new Promise(process.nextTick);
    expect(order).toEqual(["here", "write", "end"]);
    expect(res.writableEnded).toBe(false);
  });

  test("needs no callback", () => {
    expect(res.write("a")).toBe(true);
    expect(res.end()).toBe(res);
  });

  test("keeps its status", () => {
    res.statusCode = 200;
    expect(res.statusCode).toBe(413);
  });

  test("says that its head is sent while it finishes, and no longer", async () => {
    expect(res.headersSent).toBe(false);
    const seen: boolean[] = [];
    res.on("finish", () => seen.push(res.headersSent));
    res.emit("finish");
    expect(seen).toEqual([true]);
    await new Promise(process.nextTick);
    expect(res.headersSent).toBe(false);
  });

  test("may emit an error that nobody listens for", () => {
    expect(() => res.emit("error", new Error("write after end"))).not.toThrow();
  });

  test("may be changed again by a wrapper", () => {
    const own = jest.fn(() => true);
    res.write = own as never;
    res.write("a");
    expect(own).toHaveBeenCalledTimes(1);
    expect(() => Object.defineProperty(res, "end", { value: own })).not.toThrow();
  });
});

test("a test double without the methods of a response can be disarmed", () => {
  const double = { statusCode: 200 } as ServerResponse;
  expect(() => disarm(double)).not.toThrow();
  expect("writeHead" in double).toBe(false);
  expect(double.end()).toBe(double);
});

test("a response that a wrapper ends later is disarmed with its head", () => {
  const res = response();
  disarmWithHead(res, 413);
  res.statusCode = 200;
  expect(res.writeHead(200, { "X-A": "1" })).toBe(res);
  expect(res.statusCode).toBe(413);
  expect((res as unknown as { _header: string })._header).toMatch(/^HTTP\/1\.1 413 /);
  expect(res.setHeader("X-B", "2")).toBe(res);
  expect(res.getHeaderNames()).toEqual([]);
});
