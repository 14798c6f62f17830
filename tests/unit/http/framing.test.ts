import { describe, expect, test } from "@jest/globals";
import { framingFault } from "../../../src/http/framing.js";
import type { HttpRequest } from "../../../src/http/message.js";

function statusOf(rawHeaders: string[], httpVersion = "1.1", maxHeadersCount?: number | null): number | undefined {
  const [httpVersionMajor, httpVersionMinor] = httpVersion.split(".").map(Number);
  const req = { rawHeaders, httpVersionMajor, httpVersionMinor };
  return framingFault(req as unknown as HttpRequest, maxHeadersCount)?.status;
}

describe("Transfer-Encoding", () => {
  test.each([
    ["chunked", undefined],
    ["Chunked", undefined],
    ["gzip, chunked", 501],
    ["gzip;level=9 , CHUNKED", 501],
    ["gzip, deflate, chunked", 501],
    ["gzip", 400],
    ["xchunked", 400],
    ["chunked, gzip", 400],
    ["chunked, chunked", 400],
    ["chunked;x=1, chunked", 400],
    ["gzip, chunked;x=1", 400],
    ["gzip, chunked,", 400],
    [", chunked", 400],
    ["@, chunked", 400],
    ["", 400],
  ])("%j: %s", (codings, status) => {
    expect(statusOf(["Host", "a", "Transfer-Encoding", codings])).toBe(status);
  });

  test.each([
    [["gzip", "chunked"], 501],
    [["chunked", "gzip"], 400],
    [["chunked", "chunked"], 400],
  ])("the lines %j are one list: %d", (lines, status) => {
    expect(statusOf(lines.flatMap((line) => ["transfer-encoding", line]))).toBe(status);
  });

  test.each(["chunked", "gzip, chunked"])("%j in HTTP/1.0: 400", (codings) => {
    expect(statusOf(["Transfer-Encoding", codings], "1.0")).toBe(400);
  });

  test("takes time linear in its length", () => {
    const begunAt = performance.now();
    expect(statusOf(["Transfer-Encoding", `${"gzip ,".repeat(100_000)}chunked`])).toBe(501);
    expect(performance.now() - begunAt).toBeLessThan(1_000);
  });
});

test.each([
  ["0.9", 505],
  ["1.0", undefined],
  ["1.1", undefined],
  ["2.0", 505],
])("HTTP/%s in a request line: %s", (version, status) => {
  expect(statusOf(["Host", "a"], version)).toBe(status);
});

describe("the number of fields", () => {
  test.each([
    [5, 5, undefined],
    [5, 6, 431],
    [5, 31, 431],
    [31, 30, undefined],
    // The first batch of Node 20 ends here, and others may have followed.
    [31, 31, 431],
    [64, 64, undefined],
    [64, 65, 431],
    [null, 1_000, undefined],
    [undefined, 1_001, 431],
    [0, 5_000, undefined],
  ])("with a limit of %s, %d: %s", (limit, fields, status) => {
    const rawHeaders = Array.from({ length: fields }, (_, i) => [`X-${i}`, "1"]).flat();
    expect(statusOf(rawHeaders, "1.1", limit)).toBe(status);
  });
});
