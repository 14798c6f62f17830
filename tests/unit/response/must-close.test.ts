import { describe, expect, test } from "@jest/globals";
import type { Handshake } from "../../../src/handshake/handshake.js";
import { isBeingRead, mustClose } from "../../../src/response/must-close.js";

const REFUSAL = { status: 413 };
const SMALL = 64 * 1024;

interface Facts {
  readonly hasBadFraming?: boolean;
  readonly isUpgrade?: boolean;
  readonly refusal?: object | undefined;
  readonly hasArrived?: boolean;
  readonly length?: number | undefined;
  readonly received?: number;
  readonly hasExpectation?: boolean;
  readonly isWithheld?: boolean;
  readonly hasReader?: boolean;
  readonly socket?: object | undefined;
}

// An accepted upload of unknown length with an expectation, that somebody reads.
function handshakeOf({ isUpgrade, ...facts }: Facts): Handshake {
  return {
    req: { headers: isUpgrade ? { upgrade: "websocket" } : {} },
    hasBadFraming: false,
    refusal: undefined,
    hasArrived: false,
    length: undefined,
    received: 0,
    hasExpectation: true,
    isWithheld: false,
    hasReader: true,
    socket: {},
    ...facts,
  } as unknown as Handshake;
}

describe("the connection", () => {
  test.each<[what: string, facts: Facts, status: number, closes: boolean]>([
    ["an upload that is read", {}, 200, false],
    ["one that is read, and an error", {}, 400, true],
    ["one that is read, and a redirection", {}, 399, false],
    ["one that nobody reads", { hasReader: false }, 200, true],
    ["one that the client holds back", { isWithheld: true }, 200, true],
    ["one that came whole", { hasArrived: true, hasReader: false }, 500, false],
    ["bad framing, although it came whole", { hasBadFraming: true, hasArrived: true }, 200, true],
    ["an upgrade, although it came whole", { isUpgrade: true, hasArrived: true }, 200, true],
    ["a refusal of content that came whole", { refusal: REFUSAL, hasArrived: true, length: 5 }, 413, true],
    ["a refusal of an expectation", { refusal: REFUSAL, hasArrived: true, length: 0 }, 417, true],
    ["a refusal of neither", { refusal: REFUSAL, hasArrived: true, length: 0, hasExpectation: false }, 403, false],
    ["a refusal of a little without Expect", { refusal: REFUSAL, length: 5, hasExpectation: false }, 413, true],
    ["a little without Expect", { hasExpectation: false, hasReader: false, length: 5 }, 200, false],
    ["a little without Expect, and an error", { hasExpectation: false, length: SMALL }, 500, false],
    ["64 KiB without Expect", { hasExpectation: false, hasReader: false, length: SMALL }, 200, false],
    ["more without Expect", { hasExpectation: false, hasReader: false, length: SMALL + 1 }, 200, true],
    [
      "more, of which a part has come",
      { hasExpectation: false, hasReader: false, length: SMALL + 1, received: 1 },
      200,
      false,
    ],
    ["unknown length without Expect", { hasExpectation: false, hasReader: false }, 200, true],
    ["a little with Expect", { hasReader: false, length: 5 }, 200, true],
    ["a little on HTTP/2", { socket: undefined, hasExpectation: false, hasReader: false, length: 5 }, 200, true],
  ])("behind %s: %#", (_what, facts, status, closes) => {
    expect(mustClose(handshakeOf(facts), status)).toBe(closes);
  });
});

test.each<[facts: Facts, isRead: boolean]>([
  [{}, true],
  [{ hasReader: false }, false],
  [{ hasArrived: true }, false],
  [{ refusal: REFUSAL }, false],
])("content of %j is being read: %s", (facts, isRead) => {
  expect(isBeingRead(handshakeOf(facts))).toBe(isRead);
});
