import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "@jest/globals";
import type { Refusal } from "../../../src/http/refusal.js";
import { type Authorization, authorize } from "../../../src/policies/authorize.js";
import { allOf } from "../../../src/policies/combine.js";
import { knownLength } from "../../../src/policies/known-length.js";
import { maxSize } from "../../../src/policies/max-size.js";
import { mediaTypes } from "../../../src/policies/media-types.js";
import { policyName } from "../../../src/policies/names.js";
import type { Upload, Verdict } from "../../../src/policies/policy.js";
import { preconditions } from "../../../src/policies/preconditions.js";
import { refuse } from "../../../src/policies/refuse.js";
import { runInOrder } from "../../../src/policies/run.js";

const REQ = { headers: {} } as IncomingMessage;

type Limit = { bytes: number; refusal: Refusal };

function uploadOf(announced: { length: number | undefined; mediaType?: string }): Upload & { limits: Limit[] } {
  const limits: Limit[] = [];
  return {
    limits,
    expectation: undefined,
    mediaType: undefined,
    signal: new AbortController().signal,
    isPreflight: false,
    refuse() {},
    requireRate() {},
    received: 0,
    limitBytes: (bytes, refusal) => void limits.push({ bytes, refusal }),
    onClose() {},
    report() {},
    ...announced,
  };
}

function statusOf(verdict: unknown): number | "accepted" {
  return verdict === true ? "accepted" : (verdict as Refusal).status;
}

describe("maxSize", () => {
  test.each<[length: number | undefined, status: number | "accepted", limits: number[]]>([
    [0, "accepted", []],
    [1, "accepted", [1024]],
    [1024, "accepted", [1024]],
    [1025, 413, []],
    [Number.MAX_SAFE_INTEGER, 413, []],
    [undefined, "accepted", [1024]],
  ])("of 1kb: a length of %p is %p, and counted up to %p", (length, status, limits) => {
    const upload = uploadOf({ length });
    expect(statusOf(maxSize("1kb")(REQ, upload))).toBe(status);
    expect(upload.limits.map(({ bytes }) => bytes)).toEqual(limits);
  });

  test("cuts off with the same refusal, which says the limit", () => {
    const upload = uploadOf({ length: undefined });
    void maxSize(10)(REQ, upload);
    expect(upload.limits[0]?.refusal).toMatchObject({ status: 413, reason: "larger than 10 bytes" });
    expect(maxSize(10)(REQ, uploadOf({ length: 11 }))).toMatchObject({ status: 413, reason: "larger than 10 bytes" });
  });
});

describe("knownLength", () => {
  test.each<[length: number | undefined, status: number | "accepted"]>([
    [undefined, 411],
    [0, "accepted"],
    [1, "accepted"],
  ])("answers a length of %p with %p", (length, status) => {
    expect(statusOf(knownLength()(REQ, uploadOf({ length })))).toBe(status);
  });
});

describe("mediaTypes", () => {
  test.each<[types: string[], mediaType: string | undefined, status: number | "accepted"]>([
    [["image/png"], "image/png", "accepted"],
    [["image/png"], "image/jpeg", 415],
    [["image/png"], "image/pngx", 415],
    [["image/png"], "ximage/png", 415],
    [["image/png"], undefined, 415],
    [["Image/PNG"], "image/png", "accepted"],
    [["image/*"], "image/png", "accepted"],
    [["image/*"], "image/svg+xml", "accepted"],
    [["image/*"], "imagex/png", 415],
    [["image/*"], "video/mp4", 415],
    [["*/*"], "video/mp4", "accepted"],
    [["*/*"], undefined, 415],
    [["+json"], "application/problem+json", "accepted"],
    [["+json"], "application/json", 415],
    [["+json"], "application/problem+jsonx", 415],
    [["+JSON"], "application/ld+json", "accepted"],
    [["image/png", "application/pdf"], "application/pdf", "accepted"],
    [["application/vnd.a.b+json"], "application/vnd.a.b+json", "accepted"],
    [["application/x.y"], "application/xzy", 415],
  ])("%j: %p is %p", (types, mediaType, status) => {
    const upload = uploadOf(mediaType === undefined ? { length: 5 } : { length: 5, mediaType });
    expect(statusOf(mediaTypes(types)(REQ, upload))).toBe(status);
  });

  test("judges content of unknown length, and accepts a request without content", () => {
    const policy = mediaTypes(["image/*"]);
    expect(statusOf(policy(REQ, uploadOf({ length: undefined, mediaType: "text/plain" })))).toBe(415);
    expect(statusOf(policy(REQ, uploadOf({ length: 0 })))).toBe("accepted");
    expect(statusOf(policy(REQ, uploadOf({ length: 0, mediaType: "text/plain" })))).toBe("accepted");
  });

  test.each<[types: string[], headers: Record<string, string>]>([
    [["image/*", "Application/PDF", "+json"], { Accept: "image/*, application/pdf" }],
    [["+json"], {}],
  ])("%j: says what it accepts, as far as media ranges can", (types, headers) => {
    expect((mediaTypes(types)(REQ, uploadOf({ length: 5 })) as Refusal).headers).toEqual(headers);
  });

  test("says all of it in the reason", () => {
    const refusal = mediaTypes(["image/*", "+json"])(REQ, uploadOf({ length: 5 })) as Refusal;
    expect(refusal.reason).toBe("the media type is none of image/*, +json");
  });

  test("keeps to the types it was made with", () => {
    const types = ["image/png"];
    const policy = mediaTypes(types);
    types.push("text/plain");
    expect(statusOf(policy(REQ, uploadOf({ length: 5, mediaType: "text/plain" })))).toBe(415);
  });
});

test.each([
  ["maxSize", maxSize(1)],
  ["knownLength", knownLength()],
  ["mediaTypes", mediaTypes(["a/b"])],
  ["authorize", authorize(() => true, { challenge: "Bearer" })],
  ["allOf", allOf(knownLength())],
])("%s used as a middleware says what it is, and hands nothing on", (name, policy) => {
  let isHandedOn = false;
  const next = () => {
    isHandedOn = true;
  };
  const use = () => (policy as (...args: unknown[]) => unknown)(REQ, {}, next);
  expect(use).toThrow(expect.objectContaining({ code: "ERR_EXPECT_OPTION" }));
  expect(use).toThrow(`app.use(expectations({ policies: [${name}(…)] }))`);
  expect(isHandedOn).toBe(false);
});

describe("authorize", () => {
  const UPLOAD = uploadOf({ length: 5 });
  const own = refuse(402);

  /** The same check, answering in each of the ways that JavaScript knows. */
  const WAYS: [way: string, wrap: (answer: unknown) => unknown][] = [
    ["at once", (answer) => answer],
    ["with a promise", (answer) => Promise.resolve(answer)],
    [
      "with a thenable, as query builders do",
      // biome-ignore lint/suspicious/noThenProperty: what a query builder returns
      (answer) => ({ then: (resolve: (value: unknown) => void) => resolve(answer) }),
    ],
  ];

  describe.each(WAYS)("when the check answers %s", (_way, wrap) => {
    const judge = async (answer: unknown) => {
      const policy = authorize(() => wrap(answer) as Authorization, { challenge: 'Bearer realm="uploads"' });
      return runInOrder([policy], () => policy(REQ, UPLOAD));
    };

    test("true accepts", async () => {
      expect(await judge(true)).toEqual({ kind: "accept" });
    });

    test("false is 401, with the challenge", async () => {
      expect(await judge(false)).toMatchObject({
        kind: "refuse",
        policy: "authorize",
        verdict: { status: 401, headers: { "WWW-Authenticate": 'Bearer realm="uploads"' } },
      });
    });

    test("forbidden is 403, without a challenge", async () => {
      expect(await judge("forbidden")).toMatchObject({ kind: "refuse", verdict: { status: 403, headers: {} } });
    });

    test("a refusal of its own stays as it is", async () => {
      expect(await judge(own)).toEqual({ kind: "refuse", policy: "authorize", verdict: own });
    });

    test.each([undefined, null, 1, 0, "", "yes", {}])("%p accepts nobody: it is a fault", async (answer) => {
      expect(await judge(answer)).toMatchObject({ kind: "fault", policy: "authorize", status: 500 });
    });
  });

  test("answers at once when the check does", () => {
    const policy = authorize(() => true, { challenge: "Bearer" });
    expect(policy(REQ, UPLOAD) as Verdict).toBe(true);
  });

  test("hands request and upload to the check", () => {
    const seen: unknown[] = [];
    void authorize(
      (req, upload) => {
        seen.push(req, upload);
        return true;
      },
      { challenge: "Bearer" },
    )(REQ, UPLOAD);
    expect(seen[0]).toBe(REQ);
    expect(seen[1]).toBe(UPLOAD);
  });

  test("lets the check's throws and rejections through, and so accepts nobody", async () => {
    const throws = () => {
      throw new Error("no database");
    };
    expect(() => authorize(throws, { challenge: "Bearer" })(REQ, UPLOAD)).toThrow("no database");
    const rejects = authorize(async () => throws(), { challenge: "Bearer" });
    await expect(rejects(REQ, UPLOAD)).rejects.toThrow("no database");
  });
});

test.each([
  ["maxSize", maxSize(1)],
  ["knownLength", knownLength()],
  ["mediaTypes", mediaTypes(["a/b"])],
  ["authorize", authorize(() => true, { challenge: "Bearer" })],
])("%s carries its name for the log", (name, policy) => {
  expect(policyName(policy)).toBe(name);
});

test.each([
  [maxSize("1kb"), "maxSize"],
  [knownLength(), "knownLength"],
  [mediaTypes(["image/*"]), "mediaTypes"],
  [authorize(() => true, { challenge: "Bearer" }), "authorize"],
  [preconditions(() => undefined), "preconditions"],
])("%p carries its name for the log", (policy, name) => {
  expect(policyName(policy)).toBe(name);
});
