import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "@jest/globals";
import { allOf, anyOf } from "../../../src/policies/combine.js";
import type { Policy, Upload } from "../../../src/policies/policy.js";
import { refuse } from "../../../src/policies/refuse.js";
import { deferred } from "../../helpers/deferred.js";

const REQ = {} as IncomingMessage;
const TEAPOT = refuse(418);
const GONE = refuse(410);

/** An upload, and everything that is asked of it. */
function told() {
  const asked: unknown[] = [];
  const reports: unknown[] = [];
  const upload = {
    limitBytes: (bytes: number) => void asked.push(["limit", bytes]),
    requireRate: (rate: number) => void asked.push(["rate", rate]),
    refuse: (refusal: unknown) => void asked.push(["refuse", refusal]),
    report: (message: string) => void reports.push(message),
  } as unknown as Upload;
  return { asked, reports, upload };
}

const demanding =
  (n: number, answer: boolean | Promise<boolean>): Policy =>
  (_req, { limitBytes, requireRate }) => {
    limitBytes(n, TEAPOT);
    requireRate(n, n);
    return answer;
  };

describe("a policy of anyOf", () => {
  test.each([
    ["at once", (answer: boolean) => answer],
    ["later", (answer: boolean) => Promise.resolve(answer)],
  ])("that refuses %s asks nothing of the upload, and one that accepts does", async (_when, answer) => {
    const { asked, upload } = told();
    expect(await anyOf(demanding(1, answer(false)), demanding(2, answer(true)))(REQ, upload)).toBe(true);
    expect(asked).toEqual([
      ["limit", 2],
      ["rate", 2],
    ]);
  });

  test("that has accepted may still ask: for a limit, a rate, and the end", async () => {
    const { asked, upload } = told();
    let branch: Upload | undefined;
    const keep: Policy = (_req, view) => {
      branch = view;
      return true;
    };
    expect(anyOf(keep)(REQ, upload)).toBe(true);
    branch?.limitBytes(1, TEAPOT);
    branch?.requireRate(2, 3);
    branch?.refuse(TEAPOT);
    expect(asked).toEqual([
      ["limit", 1],
      ["rate", 2],
      ["refuse", TEAPOT],
    ]);
  });

  test("that has refused asks for nothing any more", () => {
    const { asked, upload } = told();
    let branch: Upload | undefined;
    const keep: Policy = (_req, view) => {
      branch = view;
      return false;
    };
    expect(anyOf(keep, () => true)(REQ, upload)).toBe(true);
    branch?.limitBytes(1, TEAPOT);
    branch?.requireRate(2, 3);
    branch?.refuse(TEAPOT);
    expect(asked).toEqual([]);
  });

  test("refuses by upload.refuse whatever it returns, the first time", async () => {
    const { asked, upload } = told();
    const refusing =
      (answer: boolean | Promise<boolean>): Policy =>
      (_req, view) => {
        view.refuse(TEAPOT);
        view.refuse(GONE);
        return answer;
      };
    for (const answer of [true, false, Promise.resolve(true), new Promise<boolean>(() => {})]) {
      expect(await anyOf(refusing(answer))(REQ, upload)).toBe(TEAPOT);
      expect(await anyOf(refusing(answer), () => true)(REQ, upload)).toBe(true);
    }
    expect(asked).toEqual([]);
  });

  test("does not keep the next one waiting when it refuses later, and its failure after that is reported", async () => {
    const { asked, reports, upload } = told();
    const own = deferred<boolean>();
    let refuseNow = () => {};
    const slow: Policy = function slow(_req, view) {
      refuseNow = () => view.refuse(GONE);
      return own.promise.then(() => {
        throw new Error("too late");
      });
    };
    const verdict = anyOf(slow)(REQ, upload);
    refuseNow();
    expect(await verdict).toBe(GONE);
    own.resolve(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect(reports).toEqual(["policy slow failed after it had refused"]);
    expect(asked).toEqual([]);
  });

  test("sees the rest of the upload, through others too", () => {
    const { upload } = told();
    const mine = Object.assign(Object.create(upload), { length: 7, received: 3 }) as Upload;
    const seen: unknown[] = [];
    const look: Policy = (_req, { length, received }) => seen.push(length, received) > 0;
    expect(anyOf(allOf(anyOf(look)))(REQ, mine)).toBe(true);
    expect(seen).toEqual([7, 3]);
  });

  test.each([
    (view: Upload) => view.refuse(503 as never),
    (view: Upload) => view.limitBytes(-1, TEAPOT),
    (view: Upload) => view.requireRate(0, 1),
    (view: Upload) => view.requireRate(1, 1.5),
  ])("gets an error for a wrong argument at once: %s", (call) => {
    const { upload } = told();
    const wrong: Policy = (_req, view) => {
      call(view);
      return false;
    };
    expect(() => anyOf(wrong)(REQ, upload)).toThrow(expect.objectContaining({ code: "ERR_EXPECT_OPTION" }));
  });
});
