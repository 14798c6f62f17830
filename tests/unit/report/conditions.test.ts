import { describe, expect, test } from "@jest/globals";
import { type Condition, conditionFrom, meets } from "../../../src/report/conditions.js";
import type { Decision } from "../../../src/report/decision.js";

const DECISION: Decision = {
  event: "expectation.refused",
  status: 413,
  policy: "maxSize",
  method: "PUT",
  route: "/images/:id",
  client: "10.1.2.3",
  userAgent: "curl/7.88.1",
  httpVersion: "1.1",
  expectation: "100-continue",
};

function conditions(...texts: string[]): Condition[] {
  return texts.map((text) => {
    const found = conditionFrom(text);
    if (typeof found === "string") throw new Error(found);
    return found;
  });
}

const meetsAll = (decision: Decision, ...texts: string[]) => meets(conditions(...texts), decision);

test.each([
  "status=413",
  "status=4xx",
  "status!=417",
  "policy=maxSize",
  "method=PUT",
  "route=/images/:id",
  "client=10.1.2.3",
  "client=10.0.0.0/8",
  "client=10.1.2.3/32",
  "client=0.0.0.0/0",
  "network=10.1.2.0/24",
  "software=curl",
  "software=curl 7.88",
  "httpVersion=1.1",
  "expectation=100-continue",
  "event=refused",
  "event=expectation.refused",
  "cutOff!=maxSize",
])("a record meets %s, and not its contrary", (text) => {
  expect(meetsAll(DECISION, text)).toBe(true);
  const contrary = text.includes("!=") ? text.replace("!=", "=") : text.replace("=", "!=");
  expect(meetsAll(DECISION, contrary)).toBe(false);
});

test.each([
  "status=417",
  "status=5xx",
  "client=11.0.0.0/8",
  "client=::/0",
  "software=cur",
  "route=/images",
  "event=error",
])("a record does not meet %s", (text) => {
  expect(meetsAll(DECISION, text)).toBe(false);
});

describe("addresses", () => {
  test.each([
    ["::ffff:10.1.2.3", "client=10.0.0.0/8"],
    ["2001:db8::7", "client=2001:db8::/32"],
    ["2001:db8::7", "client=2001:db8::7"],
  ])("%s meets %s", (client, text) => {
    expect(meetsAll({ ...DECISION, client }, text)).toBe(true);
  });

  test.each([undefined, "unknown", "2001:db8::7", "10.1.2.3.4"])("%s is in no network of IPv4", (client) => {
    expect(meetsAll({ ...DECISION, client }, "client=0.0.0.0/0")).toBe(false);
  });
});

test("a record without a value has the key (none)", () => {
  const { status, policy, client, ...rest } = DECISION;
  for (const key of ["status", "policy", "client"]) expect(meetsAll(rest, `${key}=(none)`)).toBe(true);
});

test("conditions of one key are alternatives, and different keys must all fit", () => {
  expect(meetsAll(DECISION, "status=413", "status=417")).toBe(true);
  expect(meetsAll(DECISION, "status=413", "policy=quota")).toBe(false);
  expect(meetsAll(DECISION, "status=4xx", "status!=417")).toBe(true);
  expect(meetsAll(DECISION, "status=4xx", "status!=413")).toBe(false);
  expect(meets([], DECISION)).toBe(true);
});

test("a policy that cut off an upload has a key of its own", () => {
  expect(meetsAll(DECISION, "cutOff=maxSize")).toBe(false);
  expect(meetsAll({ ...DECISION, cutOffAfter: 7 }, "cutOff=maxSize")).toBe(true);
});

test.each([
  ["", "expected KEY=VALUE or KEY!=VALUE, such as status=413"],
  ["status", "expected KEY=VALUE or KEY!=VALUE, such as status=413"],
  ["status=", "expected KEY=VALUE or KEY!=VALUE, such as status=413"],
  ["=413", "expected KEY=VALUE or KEY!=VALUE, such as status=413"],
  ["statuss=413", "did you mean status?"],
  ["Status=413", "did you mean status?"],
  ["status=41", "expected a status such as 413 or 4xx"],
  ["status=4x", "expected a status such as 413 or 4xx"],
  ["client=10.0.0.0/33", "expected a network such as 10.0.0.0/8"],
  ["client=::/129", "expected a network such as 10.0.0.0/8"],
  ["client=10.0/8", "expected a network such as 10.0.0.0/8"],
])("%j is no condition", (text, message) => {
  expect(conditionFrom(text)).toBe(message);
});
