import { describe, expect, test } from "@jest/globals";
import { parseHttpDate } from "../../../src/http/http-date.js";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const LONG_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

function seconds(iso: string): number {
  return Date.parse(iso) / 1000;
}

test.each(MONTHS.map((name, i) => [name, String(i + 1).padStart(2, "0")]))(
  "%s is month %s in every format",
  (name, number) => {
    expect(parseHttpDate(`Sun, 06 ${name} 1994 08:49:37 GMT`)).toBe(seconds(`1994-${number}-06T08:49:37Z`));
    expect(parseHttpDate(`Sunday, 06-${name}-94 08:49:37 GMT`)).toBe(seconds(`1994-${number}-06T08:49:37Z`));
    expect(parseHttpDate(`Sun ${name}  6 08:49:37 1994`)).toBe(seconds(`1994-${number}-06T08:49:37Z`));
  },
);

test.each(DAYS.map((day, i) => [day, LONG_DAYS[i] as string]))("%s and %s are days of the week", (day, longDay) => {
  const expected = seconds("1994-11-06T08:49:37Z");
  expect(parseHttpDate(`${day}, 06 Nov 1994 08:49:37 GMT`)).toBe(expected);
  expect(parseHttpDate(`${longDay}, 06-Nov-94 08:49:37 GMT`)).toBe(expected);
  expect(parseHttpDate(`${day} Nov 06 08:49:37 1994`)).toBe(expected);
});

describe("is no HTTP date", () => {
  test.each([
    "",
    "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06 Nov 1994 08:49:37 GMT ",
    " Sun, 06 Nov 1994 08:49:37 GMT",
    "Sunday, 06-Nov-94 08:49:37 GMT+1",
    "xSunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov  6 08:49:37 19945",
    "xSun Nov  6 08:49:37 1994",
    "Sun, 6 Nov 1994 08:49:37 GMT",
    "Sun, 06 Foo 1994 08:49:37 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT",
    "Sun, 31 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT",
    "Sun, 06 Nov 1994 23:60:00 GMT",
    "Sun, 06 Nov 1994 23:59:61 GMT",
    "Sun, 06 Nov 1994 aa:bb:cc GMT",
  ])("%j", (field) => {
    expect(parseHttpDate(field)).toBeUndefined();
  });
});

test.each([
  ["Sun, 06 Nov 1994 23:59:59 GMT", "1994-11-06T23:59:59Z"],
  ["Sun, 06 Nov 1994 23:59:60 GMT", "1994-11-07T00:00:00Z"],
  ["Sun, 01 Jan 0050 00:00:00 GMT", "0050-01-01T00:00:00Z"],
  ["Thu, 29 Feb 1996 00:00:00 GMT", "1996-02-29T00:00:00Z"],
])("%s is %s", (field, iso) => {
  expect(parseHttpDate(field)).toBe(seconds(iso));
});

test("two digits are the year that is at most 50 years ahead", () => {
  const thisYear = new Date().getUTCFullYear();
  for (const year of [thisYear - 49, thisYear, thisYear + 50]) {
    const digits = String(year % 100).padStart(2, "0");
    expect(parseHttpDate(`Sunday, 06-Nov-${digits} 08:49:37 GMT`)).toBe(seconds(`${year}-11-06T08:49:37Z`));
  }
});
