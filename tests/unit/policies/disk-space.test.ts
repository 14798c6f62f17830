import { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { describe, expect, test } from "@jest/globals";
import type { Refusal } from "../../../src/http/refusal.js";
import { type DiskSpaceOptions, diskSpace } from "../../../src/policies/disk-space.js";
import type { Upload, UploadEnd } from "../../../src/policies/policy.js";
import { volumeAt } from "../../../src/policies/volume.js";
import { spaces } from "../../../src/support/spaces.js";

const OPTIONS: DiskSpaceOptions = { path: tmpdir(), keepFree: "1mb" };
const STORED: UploadEnd = { status: 201, isRefused: false, isWhole: true };
const LEFT: UploadEnd = { status: undefined, isRefused: false, isWhole: false };
const REFUSED: UploadEnd = { status: 403, isRefused: true, isWhole: false };
const EARLY: UploadEnd = { status: 201, isRefused: false, isWhole: false };

interface TestUpload extends Upload {
  received: number;
  readonly limits: [bytes: number, status: number][];
  readonly reports: string[];
  close(end: UploadEnd): void;
}

function uploadOf(length: number | undefined, changes: Partial<Upload> = {}): TestUpload {
  const closing: ((end: UploadEnd) => void)[] = [];
  const limits: TestUpload["limits"] = [];
  const reports: string[] = [];
  return {
    length,
    received: 0,
    isPreflight: false,
    limits,
    reports,
    limitBytes: (bytes: number, { status }: Refusal) => void limits.push([bytes, status]),
    onClose: (callback: (end: UploadEnd) => void) => void closing.push(callback),
    report: (message: string, error: unknown) => void reports.push(`${message}: ${error}`),
    close(end: UploadEnd) {
      for (const callback of closing.splice(0)) callback(end);
    },
    ...changes,
  } as unknown as TestUpload;
}

const reqOf = (fields: object = {}) =>
  Object.assign(new EventEmitter(), { complete: true, destroyed: false, ...fields }) as unknown as IncomingMessage;
const REQ = reqOf();

describe("the verdict", () => {
  test("accepts what there is room for, and asks for nothing where there is no content", async () => {
    const path = join(tmpdir(), "no such folder");
    expect(diskSpace({ path, keepFree: 0 })(REQ, uploadOf(0))).toBe(true);
    const upload = uploadOf(1);
    expect(await diskSpace(OPTIONS)(REQ, upload)).toBe(true);
    upload.close(STORED);
  });

  test("is 507 with Retry-After for what there is no room for, and says what is free", async () => {
    const policy = diskSpace({ ...OPTIONS, retryAfterSeconds: 7 });
    const refusal = (await policy(REQ, uploadOf(Number.MAX_SAFE_INTEGER))) as Refusal;
    expect(refusal).toMatchObject({ status: 507, headers: { "Retry-After": "7" } });
    const bytes = refusal.problem?.available_bytes as number;
    expect(bytes).toBeGreaterThan(0);
    expect(refusal.reason).toBe(`not enough disk space: ${bytes} bytes are free for uploads`);
    expect(await policy(REQ, uploadOf(bytes + 1))).toBe(refusal);
  });

  test("is at once, and the same object, while the answer of the file system is young", async () => {
    const policy = diskSpace({ ...OPTIONS, keepFree: "8000tb" });
    const first = await policy(REQ, uploadOf(1));
    expect(first).toMatchObject({ status: 507, headers: { "Retry-After": "60" }, problem: { available_bytes: 0 } });
    const volume = volumeAt(OPTIONS.path);
    do await volume.update();
    while (!volume.isFresh);
    const [second, third] = [policy(REQ, uploadOf(1)), policy(REQ, uploadOf(2))];
    expect(second).toMatchObject({ status: 507 });
    expect(third).toBe(second);
  });

  test("is 411 for an unknown length, unless it counts as something", async () => {
    expect(await diskSpace(OPTIONS)(REQ, uploadOf(undefined))).toMatchObject({ status: 411 });
    const upload = uploadOf(undefined);
    const policy = diskSpace({ ...OPTIONS, unknownLengthCost: "1kb" });
    expect(await policy(REQ, upload)).toBe(true);
    expect(upload.limits).toEqual([[1_024, 413]]);
    expect(volumeAt(OPTIONS.path).expected).toBe(1_024);
    upload.close(STORED);
    const large = diskSpace({ ...OPTIONS, unknownLengthCost: Number.MAX_SAFE_INTEGER });
    expect(await large(REQ, uploadOf(undefined))).toMatchObject({ status: 507 });
  });

  test("is 503 where the file system fails, with one error in the log for all who wait", async () => {
    const path = join(tmpdir(), "no such folder");
    const policy = diskSpace({ path, keepFree: 0 });
    const uploads = [uploadOf(1), uploadOf(2), uploadOf(3)];
    const verdicts = await Promise.all(uploads.map((upload) => policy(REQ, upload)));
    for (const verdict of verdicts) {
      expect(verdict).toMatchObject({
        status: 503,
        reason: "the free disk space cannot be read at present",
        headers: { "Retry-After": "10" },
      });
    }
    const reports = uploads.flatMap((upload) => upload.reports);
    expect(reports).toEqual([
      expect.stringMatching(/^diskSpace: the file system of .*no such folder failed: .*ENOENT/),
    ]);
  });
});

describe("what is reserved", () => {
  const volume = volumeAt(OPTIONS.path);
  const policy = diskSpace(OPTIONS);

  test.each([STORED, LEFT, REFUSED])("is over with the upload: %j", async (end) => {
    const upload = uploadOf(5_000);
    expect(await policy(REQ, upload)).toBe(true);
    expect(volume.expected).toBe(5_000);
    upload.received = 2_000;
    expect(volume.expected).toBe(3_000);
    upload.close(end);
    expect(volume.expected).toBe(0);
  });

  test("lasts until the request has closed where the application responds early and reads on", async () => {
    const upload = uploadOf(5_000);
    const req = reqOf({ complete: false });
    await policy(req, upload);
    upload.close(EARLY);
    expect(volume.expected).toBe(5_000);
    upload.received = 4_000;
    req.emit("close");
    expect(volume.expected).toBe(0);
    expect(req.listenerCount("close")).toBe(0);
  });

  test.each<[what: string, end: UploadEnd, fields: object]>([
    ["is refused", REFUSED, { complete: false }],
    ["has left", LEFT, { complete: false }],
    ["has closed already", EARLY, { complete: false, destroyed: true }],
  ])("is over at once where the client %s", async (_what, end, fields) => {
    const upload = uploadOf(5_000);
    await policy(reqOf(fields), upload);
    upload.close(end);
    expect(volume.expected).toBe(0);
  });

  test("is nothing for a question", async () => {
    const upload = uploadOf(5_000, { isPreflight: true });
    expect(await policy(REQ, upload)).toBe(true);
    expect(volume.expected).toBe(0);
    expect(await policy(REQ, uploadOf(Number.MAX_SAFE_INTEGER, { isPreflight: true }))).toMatchObject({ status: 507 });
  });

  test("counts for all policies of the path, however it is written", async () => {
    const upload = uploadOf(5_000);
    await diskSpace({ ...OPTIONS, path: relative(process.cwd(), OPTIONS.path) })(REQ, upload);
    expect(volume.expected).toBe(5_000);
    expect(spaces().get(volume.path)).toBe(volume);
    upload.close(STORED);
  });
});

test.each<[message: RegExp, options: unknown]>([
  [/^diskSpace\(options\): received undefined; expected an object$/, undefined],
  [/^diskSpace\(options\): received "\/tmp"; expected an object$/, "/tmp"],
  [/did you mean keepFree\?/, { ...OPTIONS, keepfree: 1 }],
  [/did you mean unknownLengthCost\?/, { ...OPTIONS, unknownLength: 1 }],
  ...[undefined, null, "", 1, {}, ["/tmp"], "/tmp\0x"].map((path): [RegExp, unknown] => [
    /^diskSpace\(\{ path \}\): received .*; expected the path of a file or folder$/,
    { ...OPTIONS, path },
  ]),
  ...[undefined, null, -1, 1.5, "", "1 zb", Number.NaN, Number.POSITIVE_INFINITY, {}].map(
    (keepFree): [RegExp, unknown] => [/^diskSpace\(\{ keepFree \}\): received .*; expected/, { ...OPTIONS, keepFree }],
  ),
  ...[null, 0, -1, "lots"].map((unknownLengthCost): [RegExp, unknown] => [
    /^diskSpace\(\{ unknownLengthCost \}\): received .*; expected a positive whole number of bytes/,
    { ...OPTIONS, unknownLengthCost },
  ]),
  ...[null, 0, 1.5, "60"].map((retryAfterSeconds): [RegExp, unknown] => [
    /^diskSpace\(\{ retryAfterSeconds \}\): received .*; expected a whole number from 1/,
    { ...OPTIONS, retryAfterSeconds },
  ]),
])("throws %s for %j", (message, options) => {
  const make = () => diskSpace(options as DiskSpaceOptions);
  expect(make).toThrow(message);
  expect(make).toThrow(expect.objectContaining({ code: "ERR_EXPECT_OPTION" }));
});

test.each([0, 1, "5gb"])("keeps %p free", (keepFree) => {
  expect(() => diskSpace({ ...OPTIONS, keepFree })).not.toThrow();
});
