import { expect, test } from "@jest/globals";
import { isEntityTag, isStrongMatch, isWeakMatch, parseEntityTags } from "../../../src/http/entity-tags.js";

// The table of RFC 9110 §8.8.3.2.
test.each([
  ['W/"1"', 'W/"1"', false, true],
  ['W/"1"', 'W/"2"', false, false],
  ['W/"1"', '"1"', false, true],
  ['"1"', 'W/"1"', false, true],
  ['"1"', '"1"', true, true],
  ['"1"', '"2"', false, false],
])("%s and %s: strong %s, weak %s", (a, b, isStrong, isWeak) => {
  expect(isStrongMatch(a, b)).toBe(isStrong);
  expect(isWeakMatch(a, b)).toBe(isWeak);
});

test.each([
  ["*", "*"],
  ['"a"', ['"a"']],
  [' "a" ,, W/"b"\t', ['"a"', 'W/"b"']],
  ['"a" "b"', "malformed"],
  ["a", "malformed"],
  ['w/"a"', "malformed"],
  ["", "malformed"],
  [" , ", "malformed"],
])("reads %j as %j", (field, expected) => {
  expect(parseEntityTags(field)).toEqual(expected);
});

test.each([
  ['"a"', true],
  ['W/"a"', true],
  ['""', true],
  ["a", false],
  ['"a', false],
  ['"a" ', false],
  ['"a b"', false],
])("%j is an entity tag: %s", (text, expected) => {
  expect(isEntityTag(text)).toBe(expected);
});
