import { expect, test } from "@jest/globals";
import { timeFrom } from "../../../src/report/record-time.js";

const AT = Date.UTC(2026, 10, 22, 8, 0, 0);

test.each<[unknown, number]>([
  [AT / 1_000, AT],
  [AT / 1_000 + 0.123, AT + 123],
  [AT, AT],
  [(AT + 123) * 1_000 + 456, AT + 123],
  [(AT + 1_000) * 1_000_000, AT + 1_000],
  [String(AT), AT],
  [`${AT / 1_000}.5`, AT + 500],
  [`${(AT + 123) * 1_000}`, AT + 123],
  [`${AT}123456`, AT],
  ["2026-11-22T08:00:00.123Z", AT + 123],
  ["2026-11-22T08:00:00.123456789Z", AT + 123],
  ["2026-11-22T08:00Z", AT],
  ["2026-11-22 08:00:00,123", AT + 123],
  ["2026-11-22T08:00:00", AT],
  ["2026-11-22 08:00:00", AT],
  ["2026-11-22t08:00:00z", AT],
  ["2026-11-22T09:30:00+0130", AT],
  ["2026-11-22T09:30:00.5+01:30", AT + 500],
  ["2026-11-22 06:00:00 -02", AT],
  ["2026-11-22 08:00:00.123456 +0000 UTC", AT + 123],
  ["2026-11-22", Date.UTC(2026, 10, 22)],
  ["Sun, 22 Nov 2026 08:00:00 GMT", AT],
  ["Sun, 22 Nov 2026 09:00:00 +0100", AT],
  ["Nov 22, 2026 08:00:00", AT],
  ["Sun Nov 22 2026 09:00:00 GMT+0100 (Central European Standard Time)", AT],
])("%j is a time, in any zone of this machine", (value, time) => {
  expect(timeFrom(value)).toBe(time);
});

test.each([
  undefined,
  null,
  true,
  {},
  [],
  "",
  "soon",
  "2026-13-45T99:00:00",
  -5,
  0,
  Number.NaN,
  1e22,
  "1e400",
  "1".repeat(70),
])("%j is none", (value) => {
  expect(timeFrom(value)).toBeUndefined();
});
