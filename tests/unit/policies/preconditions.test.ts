import type { IncomingMessage } from "node:http";
import { describe, expect, jest, test } from "@jest/globals";
import type { Refusal } from "../../../src/http/refusal.js";
import type { Upload } from "../../../src/policies/policy.js";
import { type PreconditionLookup, preconditions, type StoredResource } from "../../../src/policies/preconditions.js";

const UPLOAD = { length: 5 } as Upload;

const reqOf = (headers: Record<string, string>, method = "PUT") => ({ headers, method }) as never as IncomingMessage;

function judge(headers: Record<string, string>, stored: unknown, method = "PUT"): number | "accepted" {
  const verdict = preconditions(() => stored as StoredResource)(reqOf(headers, method), UPLOAD);
  return verdict === true ? "accepted" : (verdict as Refusal).status;
}

const NEW_YEAR = new Date("2026-01-01T00:00:00Z");
const STRONG: StoredResource = { etag: '"a"', lastModified: NEW_YEAR };
const WEAK: StoredResource = { etag: 'W/"a"', lastModified: NEW_YEAR };
const BARE: StoredResource = {};
const BEFORE = "Wed, 31 Dec 2025 23:59:59 GMT";
const AT = "Thu, 01 Jan 2026 00:00:00 GMT";
const AFTER = "Thu, 01 Jan 2026 00:00:01 GMT";

describe("If-Match", () => {
  test.each<[field: string, stored: StoredResource | undefined, answer: number | "accepted"]>([
    ["*", STRONG, "accepted"],
    ["*", BARE, "accepted"],
    ["*", undefined, 412],
    ['"a"', STRONG, "accepted"],
    ['"b"', STRONG, 412],
    ['"A"', STRONG, 412],
    ['"b", "a"', STRONG, "accepted"],
    ['"b","a",', STRONG, "accepted"],
    [', ,"a"', STRONG, "accepted"],
    ['"a', STRONG, 400],
    ['W/"a"', STRONG, 412],
    ['"a"', WEAK, 412],
    ['W/"a"', WEAK, 412],
    ['W/"a", "a"', STRONG, "accepted"],
    ['"a"', undefined, 412],
    ['"a"', BARE, 412],
    ['"a,b"', { etag: '"a,b"' }, "accepted"],
    ['"x", "a,b"', { etag: '"b"' }, 412],
    ['""', { etag: '""' }, "accepted"],
    ['"\xe9"', { etag: '"\xe9"' }, "accepted"],
  ])("%s against %j is %p", (field, stored, answer) => {
    expect(judge({ "if-match": field }, stored)).toBe(answer);
  });
});

describe("If-None-Match", () => {
  test.each<[field: string, stored: StoredResource | null | undefined, answer: number | "accepted"]>([
    ["*", STRONG, 412],
    ["*", BARE, 412],
    ["*", undefined, "accepted"],
    ["*", null, "accepted"],
    ['"a"', STRONG, 412],
    ['"b"', STRONG, "accepted"],
    ['"b", "a"', STRONG, 412],
    ['W/"a"', STRONG, 412],
    ['"a"', WEAK, 412],
    ['W/"a"', WEAK, 412],
    ['"a"', undefined, "accepted"],
    ['"a"', BARE, "accepted"],
    // A prefix is one at the beginning alone.
    ['"aW/b"', { etag: '"ab"' }, "accepted"],
    ['"ab"', { etag: '"aW/b"' }, "accepted"],
  ])("%s against %j is %p", (field, stored, answer) => {
    expect(judge({ "if-none-match": field }, stored)).toBe(answer);
  });
});

describe.each(["if-match", "if-none-match"])("%s that is no list of entity tags", (name) => {
  test.each([
    "",
    ",",
    "a",
    "'a'",
    '"a" "b"',
    '"a"b',
    '"a", b',
    '"a", *',
    '*, "a"',
    "**",
    'w/"a"',
    'W/ "a"',
    'W"a"',
    '"a b"',
    '"a\tb"',
    '"a\x7f"',
    '"\u0100"',
    '"',
    '"""',
  ])("%j is 400, and nothing is looked up", (field) => {
    const lookup = jest.fn(() => undefined);
    expect(preconditions(lookup)(reqOf({ [name]: field }), UPLOAD)).toMatchObject({ status: 400 });
    expect(lookup).not.toHaveBeenCalled();
  });

  test.each([" ".repeat(200_000), ", ".repeat(100_000), '"a",'.repeat(50_000), `"${"a".repeat(200_000)}`])(
    "is read in linear time (%#)",
    (hostile) => {
      const startedAt = performance.now();
      expect(judge({ [name]: `"a",${hostile}x` }, STRONG)).toBe(400);
      expect(performance.now() - startedAt).toBeLessThan(5_000);
    },
  );
});

describe("If-Unmodified-Since", () => {
  test.each<[field: string, stored: StoredResource | undefined, answer: number | "accepted"]>([
    [BEFORE, STRONG, 412],
    [AT, STRONG, "accepted"],
    [AFTER, STRONG, "accepted"],
    [AT, { lastModified: new Date(NEW_YEAR.getTime() + 999) }, "accepted"],
    [AT, { lastModified: new Date(NEW_YEAR.getTime() + 1000) }, 412],
    ["Wednesday, 31-Dec-25 23:59:59 GMT", STRONG, 412],
    ["Thursday, 01-Jan-26 00:00:00 GMT", STRONG, "accepted"],
    // More than fifty years ahead: 1999.
    ["Friday, 31-Dec-99 23:59:59 GMT", STRONG, 412],
    ["Wed Dec 31 23:59:59 2025", STRONG, 412],
    ["Thu Jan  1 00:00:00 2026", STRONG, "accepted"],
    ["Tue, 30 Jun 2026 23:59:60 GMT", STRONG, "accepted"],
    // RFC 9110 §13.1.4: passed over.
    [BEFORE, undefined, "accepted"],
    [BEFORE, { etag: '"a"' }, "accepted"],
    ["", STRONG, "accepted"],
    ["yesterday", STRONG, "accepted"],
    ["2025-12-31T23:59:59Z", STRONG, "accepted"],
    ["Wed, 31 Dec 2025 23:59:59 +0000", STRONG, "accepted"],
    ["Wed, 31 dec 2025 23:59:59 GMT", STRONG, "accepted"],
    ["Wed, 31 Nov 2025 23:59:59 GMT", STRONG, "accepted"],
    ["Wed, 31 Dec 2025 24:59:59 GMT", STRONG, "accepted"],
    [`${BEFORE}, ${BEFORE}`, STRONG, "accepted"],
  ])("%s against %j is %p", (field, stored, answer) => {
    expect(judge({ "if-unmodified-since": field }, stored)).toBe(answer);
  });
});

describe("the order of RFC 9110 §13.2.2", () => {
  test.each<[headers: Record<string, string>, answer: number | "accepted"]>([
    [{ "if-match": '"a"', "if-unmodified-since": BEFORE }, "accepted"],
    [{ "if-match": '"b"', "if-unmodified-since": AFTER }, 412],
    [{ "if-match": '"a"', "if-none-match": '"a"' }, 412],
    [{ "if-match": '"a"', "if-none-match": '"b"' }, "accepted"],
    [{ "if-match": '"b"', "if-none-match": '"b"' }, 412],
    [{ "if-unmodified-since": AFTER, "if-none-match": "*" }, 412],
    [{ "if-unmodified-since": BEFORE, "if-none-match": '"b"' }, 412],
    [{ "if-unmodified-since": AFTER, "if-none-match": '"b"' }, "accepted"],
    [{ "if-match": '"a"', "if-none-match": "b" }, 400],
    [{ "if-modified-since": AFTER }, "accepted"],
  ])("%j is %p", (headers, answer) => {
    expect(judge(headers, STRONG)).toBe(answer);
  });
});

test.each<[method: string, answer: number | "accepted"]>([
  ["PUT", 412],
  ["PATCH", 412],
  ["DELETE", 412],
  ["POST", "accepted"],
  ["GET", "accepted"],
])("%s is %p", (method, answer) => {
  expect(judge({ "if-none-match": "*" }, STRONG, method)).toBe(answer);
});

test("looks nothing up for a request without a precondition", () => {
  const lookup = jest.fn(() => undefined);
  expect(preconditions(lookup)(reqOf({ "if-modified-since": AT }), UPLOAD)).toBe(true);
  expect(preconditions(lookup)(reqOf({ "if-match": "*" }, "POST"), UPLOAD)).toBe(true);
  expect(lookup).not.toHaveBeenCalled();
});

test("hands request and upload to the lookup, and waits for it", async () => {
  const lookup = jest.fn<PreconditionLookup>(async () => STRONG);
  const req = reqOf({ "if-none-match": "*" });
  expect(await preconditions(lookup)(req, UPLOAD)).toMatchObject({ status: 412 });
  expect(lookup).toHaveBeenCalledWith(req, UPLOAD);
});

test("lets a lookup's faults through, and so accepts nobody", async () => {
  const rejects = preconditions(() => Promise.reject(new Error("no database")));
  await expect(rejects(reqOf({ "if-match": "*" }), UPLOAD)).rejects.toThrow("no database");
});

test.each([
  true,
  "a",
  1,
  { etag: "a" },
  { etag: "*" },
  { etag: '"a", "b"' },
  { etag: null },
  { lastModified: 0 },
  { lastModified: new Date(Number.NaN) },
])("a lookup that answers %j accepts nobody", (stored) => {
  expect(() => judge({ "if-none-match": '"x"' }, stored)).toThrow(
    expect.objectContaining({ code: "ERR_EXPECT_POLICY" }),
  );
});

test.each([undefined, null, {}, "files"])("a lookup of %p throws at construction", (lookup) => {
  expect(() => preconditions(lookup as never as PreconditionLookup)).toThrow(
    expect.objectContaining({ code: "ERR_EXPECT_OPTION" }),
  );
});

test("carries its name for the log", () => {
  expect(preconditions(() => undefined).name).toBe("preconditions");
});
