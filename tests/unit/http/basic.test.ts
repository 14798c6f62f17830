import { expect, test } from "@jest/globals";
import { basic, basicOf } from "../../../src/http/basic.js";

test.each([
  ["http://host/", undefined],
  ["http://a:b@host/", "Basic YTpi"],
  ["http://a@host/", "Basic YTo="],
  ["http://:b@host/", "Basic OmI="],
  // Percent-encoded in the URL, and not in the field.
  ["http://a%40b:c%3Ad@host/", `Basic ${Buffer.from("a@b:c:d").toString("base64")}`],
  // Not a valid encoding: taken as it stands.
  ["http://a%zz:b@host/", `Basic ${Buffer.from("a%zz:b").toString("base64")}`],
])("the userinfo of %s becomes %s", (url, expected) => {
  expect(basicOf(new URL(url))).toBe(expected);
});

test("credentials are encoded as UTF-8 (RFC 7617 §2.1)", () => {
  expect(basic("test:123£")).toBe("Basic dGVzdDoxMjPCow==");
});
