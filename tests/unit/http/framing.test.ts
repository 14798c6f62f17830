import { describe, expect, test } from "@jest/globals";
import { framingFault } from "../../../src/http/framing.js";
import type { HttpRequest } from "../../../src/http/message.js";

function faultOf(rawHeaders: string[], httpVersion = "1.1", maxHeadersCount?: number | null) {
  const [httpVersionMajor, httpVersionMinor] = httpVersion.split(".").map(Number);
  const req = { rawHeaders, httpVersionMajor, httpVersionMinor };
  return framingFault(req as unknown as HttpRequest, maxHeadersCount);
}

function statusOf(...args: Parameters<typeof faultOf>): number | undefined {
  return faultOf(...args)?.status;
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
    ["gzip, @, chunked", 400],
    ["gzip, chunked, chunked", 400],
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

describe("Host and Content-Length", () => {
  test.each<[string[], string | undefined]>([
    [["Host", "a"], undefined],
    [["Host", "a", "host", "b"], "more than one Host"],
    [["HOST", "a", "Host", "a"], "more than one Host"],
    [["Content-Length", "5"], undefined],
    [["Content-Length", "5", "content-length", "5"], "more than one Content-Length"],
    [["CONTENT-LENGTH", ""], "Content-Length is not a number"],
    [["Content-Length", "-1"], "Content-Length is not a number"],
    [["Content-Length", "1x"], "Content-Length is not a number"],
    [["Content-Length", "x1"], "Content-Length is not a number"],
    [["Content-Length", "1, 1"], "Content-Length is not a number"],
    [["Content-Length", "9007199254740991"], undefined],
    [["Content-Length", "9007199254740992"], "Content-Length is too large"],
    [["Content-Length", "5", "Transfer-Encoding", "chunked"], "both Content-Length and Transfer-Encoding"],
    [["Transfer-Encoding", "gzip"], "a Transfer-Encoding other than chunked"],
    // The name of a field is the whole of it.
    [["X-Host", "a", "Hostx", "a", "Content-Lengthx", "x", "XContent-Length", "x"], undefined],
    // A name without its value is no field.
    [["Host", "a", "Host"], undefined],
    [["Content-Length"], undefined],
  ])("%j: %s", (rawHeaders, reason) => {
    expect(faultOf(rawHeaders)?.reason).toBe(reason);
    expect(statusOf(rawHeaders)).toBe(reason && 400);
  });

  test("the other faults have a reason, too", () => {
    expect(faultOf(["Transfer-Encoding", "chunked"], "1.0")?.reason).toBe("Transfer-Encoding in HTTP/1.0");
    expect(faultOf([], "2.0")?.reason).toBe("an HTTP version other than HTTP/1");
    expect(faultOf(["A", "1", "B", "2"], "1.1", 1)?.reason).toBe("more header fields than the server reads");
  });
});
