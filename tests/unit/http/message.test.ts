import { describe, expect, test } from "@jest/globals";
import {
  announcedContent,
  type HttpRequest,
  http2Stream,
  isBare,
  isHttp11,
  isSafe,
  mediaTypeOf,
} from "../../../src/http/message.js";

function http1(headers: object): HttpRequest {
  return { headers, httpVersionMajor: 1, httpVersionMinor: 1 } as HttpRequest;
}

function http2(headers: object, endAfterHeaders: boolean): HttpRequest {
  return { headers, httpVersionMajor: 2, httpVersionMinor: 0, stream: { endAfterHeaders } } as unknown as HttpRequest;
}

describe("content and expectations", () => {
  test.each([
    ["no fields", http1({}), 0, true],
    ["a length of 0", http1({ "content-length": "0" }), 0, true],
    ["a length", http1({ "content-length": "5" }), 5, false],
    ["chunked", http1({ "transfer-encoding": "chunked" }), undefined, false],
    ["chunked beside a length", http1({ "transfer-encoding": "chunked", "content-length": "0" }), undefined, false],
    ["Expect", http1({ expect: "100-continue" }), 0, false],
    ["an empty Expect", http1({ expect: "" }), 0, false],
    ["HTTP/2, ended by its fields", http2({}, true), 0, true],
    ["HTTP/2, ended by its fields, a length", http2({ "content-length": "5" }, true), 0, false],
    ["HTTP/2, open", http2({}, false), undefined, false],
    ["HTTP/2, open, a length of 0", http2({ "content-length": "0" }, false), 0, false],
    ["HTTP/2, open, a length", http2({ "content-length": "5" }, false), 5, false],
  ])("%s", (_, req, length, isWithoutBoth) => {
    expect(announcedContent(req)).toEqual({ length });
    expect(isBare(req)).toBe(isWithoutBoth);
  });
});

test("HTTP/1 has no stream", () => {
  const req = http2({}, true);
  expect(http2Stream(req)).toBe((req as { stream: unknown }).stream);
  expect(http2Stream({ ...req, httpVersionMajor: 1 } as HttpRequest)).toBeUndefined();
});

test.each([
  ["GET", true],
  ["HEAD", true],
  ["OPTIONS", true],
  ["TRACE", true],
  ["PUT", false],
  ["get", false],
  ["", false],
  [undefined, false],
])("%s is safe: %s", (method, isOne) => {
  expect(isSafe(method)).toBe(isOne);
});

test.each([
  ["image/png", "image/png"],
  ["Image/PNG", "image/png"],
  [" image/png ; charset=utf-8", "image/png"],
  ["image/png;", "image/png"],
  ["image", undefined],
  ["image/", undefined],
  ["/png", undefined],
  ["image/png/x", undefined],
  ["image /png", undefined],
  ["imagexpng", undefined],
  ["image png", undefined],
  ["image,png", undefined],
  ["", undefined],
  [undefined, undefined],
  [["image/png"], undefined],
])("the media type of %j: %s", (field, type) => {
  expect(mediaTypeOf(http1({ "content-type": field }))).toBe(type);
});

test.each([
  [0, 9, false],
  [1, 0, false],
  [1, 1, true],
  [2, 0, true],
  ["1", "1", true],
  ["1", "0", false],
])("HTTP/%s.%s is HTTP/1.1 or later: %s", (httpVersionMajor, httpVersionMinor, isOne) => {
  expect(isHttp11({ httpVersionMajor, httpVersionMinor } as HttpRequest)).toBe(isOne);
});
