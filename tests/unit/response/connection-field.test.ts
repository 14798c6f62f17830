import { OutgoingMessage, type ServerResponse } from "node:http";
import { describe, expect, test } from "@jest/globals";
import { type HeadFields, withClose } from "../../../src/response/connection-field.js";

/** A response with fields that were set before. */
function responseWith(fields: Record<string, string> = {}): ServerResponse {
  const res = new OutgoingMessage() as ServerResponse;
  for (const [name, value] of Object.entries(fields)) res.setHeader(name, value);
  return res;
}

describe("a response without fields of its own", () => {
  test.each<[fields: HeadFields, expected: HeadFields]>([
    [{}, { Connection: "close" }],
    [{ A: "1" }, { A: "1", Connection: "close" }],
    [
      { A: "1", connection: "keep-alive", "KEEP-ALIVE": "timeout=5" },
      { A: "1", Connection: "close" },
    ],
    [[], ["Connection", "close"]],
    [
      ["A", "1", "B", "2"],
      ["A", "1", "B", "2", "Connection", "close"],
    ],
    [
      ["Connection", "keep-alive", "A", "connection", "Keep-Alive", "timeout=5"],
      ["A", "connection", "Connection", "close"],
    ],
    [
      [
        ["A", "1"],
        ["connection", "x"],
        ["Keep-Alive", "x"],
      ],
      [
        ["A", "1"],
        ["Connection", "close"],
      ],
    ],
  ])("writes it with %j as %j", (fields, expected) => {
    const res = responseWith();
    expect(withClose(res, fields)).toEqual(expected);
    expect(res.getHeaderNames()).toEqual([]);
  });

  test.each([undefined, null])("sets it if it is written with %p", (fields) => {
    const res = responseWith();
    expect(withClose(res, fields as never)).toBeUndefined();
    expect(res.getHeaders()).toEqual({ connection: "close" });
  });
});

describe("a response with fields of its own", () => {
  test.each<[fields: HeadFields | undefined, expected: HeadFields | undefined]>([
    [undefined, undefined],
    [{ A: "1" }, { A: "1" }],
    [{ A: "1", Connection: "keep-alive" }, { A: "1" }],
    [
      ["A", "1", "Keep-Alive", "x"],
      ["A", "1"],
    ],
    [[["Connection", "x"]], []],
  ])("sets it, and is written with the others of %j", (fields, expected) => {
    const res = responseWith({ B: "2", "Keep-Alive": "timeout=5", Connection: "keep-alive" });
    expect(withClose(res, fields)).toEqual(expected);
    expect(res.getHeaders()).toEqual({ b: "2", connection: "close" });
  });
});

test("the application's own object is left as it is", () => {
  const fields = { Connection: "keep-alive" };
  withClose(responseWith(), fields);
  expect(fields).toEqual({ Connection: "keep-alive" });
});
