import { describe, expect, test } from "@jest/globals";
import { type Decision, decisionFrom } from "../../../src/report/decision.js";
import { lineFrom } from "../../../src/report/log/line.js";
import { LONGEST_LINE, LogReader } from "../../../src/report/log/log-reader.js";
import { timeFrom } from "../../../src/report/record-time.js";
import fc from "../../helpers/properties.js";
import { consoleLines, LOGGERS, linesOf, REFUSAL } from "../../helpers/report-log.js";

function readAll(chunks: Iterable<Buffer>) {
  const decisions: Decision[] = [];
  const log = new LogReader((decision) => decisions.push(decision));
  for (const chunk of chunks) {
    const passing = Buffer.from(chunk);
    log.write(passing);
    passing.fill(0x21);
  }
  log.end();
  return { decisions, counts: log.counts };
}

const EVENTS = ["expectation.refused", "expectation.error", "expectation.accepted", "expectation.omitted"];

/** Any value under the keys that are read, and others. */
const record = fc
  .tuple(
    fc.dictionary(
      fc.oneof(fc.constantFrom(...Object.keys(REFUSAL), "time", "timestamp", "__proto__"), fc.string()),
      fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.object(), fc.constantFrom(...EVENTS)),
    ),
    fc.constantFrom(...EVENTS, undefined, "expectation.other"),
  )
  .map(([values, event]) => (event === undefined ? values : { ...values, event }));

describe("a line", () => {
  test("that names an event is read as JSON.parse reads it", () => {
    let records = 0;
    fc.assert(
      fc.property(record, fc.stringMatching(/^[ \t\r]{0,2}$/), (value, space) => {
        const text = JSON.stringify(value);
        const expected = decisionFrom(JSON.parse(text));
        if (expected) records++;
        const { decisions, counts } = readAll([Buffer.from(`${space}${text}${space}\n`)]);
        expect(decisions).toEqual(expected ? [expected] : []);
        expect(counts).toMatchObject({ lines: 1, malformed: 0, foreign: expected ? 0 : 1 });
      }),
      { numRuns: 1_000 },
    );
    expect(records).toBeGreaterThan(500);
  });

  test("of bytes of any kind is counted, and throws nothing", () => {
    const named = fc.uint8Array({ maxLength: 60 }).map((bytes) => {
      return Buffer.concat([Buffer.from('{"event":"expectation.error","url":"'), bytes, Buffer.from('"}')]);
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), named), (bytes) => {
        const { decisions, counts } = readAll([Buffer.from(bytes)]);
        expect(counts.malformed + counts.foreign + decisions.length).toBe(counts.lines);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each<[what: string, line: string, is: "malformed" | "foreign"]>([
    ["no JSON", "no JSON", "malformed"],
    ["a list", "[1]", "malformed"],
    ["an object", ' {"a":1} ', "foreign"],
    ["an object that is cut off", '{"a":1', "malformed"],
    ["a brace alone", "{", "malformed"],
    ["a record that is cut off", '{"event":"expectation.refused"', "malformed"],
    ["a record in a list", '["expectation.refused"]', "malformed"],
    ["an event that is unknown", '{"event":"expectation.other"}', "foreign"],
    ["an event under another key", '{"msg":"expectation.refused"}', "foreign"],
  ])("that is %s", (_what, line, is) => {
    expect(readAll([Buffer.from(`${line}\n`)]).counts).toMatchObject({ lines: 1, [is]: 1 });
  });

  test("of a logger is read, faults with nested errors included", () => {
    const write = (logger: { warn(d: object, m: string): void; error(d: object, m: string): void }) => {
      logger.warn({ ...REFUSAL, userAgent: 'a "quoted" \\ agent \u00fc\u{1f600}\u2028' }, "x");
      logger.error({ ...REFUSAL, event: "expectation.error", err: new TypeError("broken\n\tthere") }, "y");
    };
    for (const text of [...Object.values(LOGGERS).map((make) => linesOf(make, write)), consoleLines(write)]) {
      const { decisions } = readAll([Buffer.from(text)]);
      expect(decisions).toMatchObject([
        { event: "expectation.refused", status: 413, withheld: true, durationMs: 0.25 },
        { event: "expectation.error", policy: "maxSize", route: "/images/:id", url: undefined },
      ]);
    }
  });
});

test("long values are cut", () => {
  const line = JSON.stringify({ event: "expectation.refused", userAgent: "ü".repeat(10_000) });
  expect((lineFrom(line) as Decision).userAgent).toBe("ü".repeat(1_025));
});

describe("the time of a record", () => {
  const MOMENT = Date.UTC(2026, 10, 22, 8, 0, 1);
  test.each<[what: string, value: unknown, expected: number | undefined]>([
    ["milliseconds, as pino writes them", MOMENT, MOMENT],
    ["seconds", MOMENT / 1_000, MOMENT],
    ["ISO 8601, as bunyan writes it", "2026-11-22T08:00:01.000Z", MOMENT],
    ["ISO 8601 with a zone", "2026-11-22T10:00:01+02:00", MOMENT],
    ["no time", "soon", undefined],
    ["nothing", undefined, undefined],
    ["a boolean", true, undefined],
    ["a negative number", -1, undefined],
    ["0", 0, undefined],
    ["beyond the year 9999", 1e300, undefined],
    ["infinite", Number.POSITIVE_INFINITY, undefined],
  ])("%s", (_what, given, expected) => {
    expect(timeFrom(given)).toBe(expected);
  });

  test("is that of the first of time, timestamp and @timestamp that is valid", () => {
    const read = (fields: object) => lineFrom(JSON.stringify({ event: "expectation.refused", ...fields }));
    expect(read({ timestamp: MOMENT, time: "soon" })).toMatchObject({ time: MOMENT });
    expect(read({ "@timestamp": MOMENT })).toMatchObject({ time: MOMENT });
    expect(read({ "@timestamp": 5e12, timestamp: 6e12, time: MOMENT })).toMatchObject({ time: MOMENT });
  });
});

describe("a log in chunks", () => {
  function refusal(route: string): string {
    return JSON.stringify({ event: "expectation.refused", route });
  }

  test("gives the same lines however it is cut", () => {
    const text = ["\ufeff", refusal("/a"), "\r\n\n", refusal("/ü"), "\n  \n{}\nno JSON\n[1]\n", refusal("/last")].join(
      "",
    );
    const whole = Buffer.from(text);
    const expected = readAll([whole]);
    expect(expected.decisions.map(({ route }) => route)).toEqual(["/a", "/ü", "/last"]);
    expect(expected.counts).toEqual({ bytes: whole.length, lines: 6, malformed: 2, foreign: 1, firstMalformed: 6 });
    fc.assert(
      fc.property(fc.array(fc.nat(whole.length), { maxLength: 12 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), whole.length];
        expect(readAll(at.slice(1).map((end, i) => whole.subarray(at[i], end)))).toEqual(expected);
      }),
    );
  });

  test("a line over 1 MiB is malformed, and the next one is read", () => {
    const long = Buffer.from(`{"event":"expectation.refused","msg":"${"x".repeat(LONGEST_LINE)}"}\n`);
    const log = Buffer.concat([long, Buffer.from(refusal("/after"))]);
    for (const size of [log.length, 65_536]) {
      const chunks = Array.from({ length: Math.ceil(log.length / size) }, (_, i) =>
        log.subarray(i * size, (i + 1) * size),
      );
      const { decisions, counts } = readAll(chunks);
      expect(counts).toMatchObject({ lines: 2, malformed: 1, firstMalformed: 1 });
      expect(decisions.map(({ route }) => route)).toEqual(["/after"]);
    }
  });

  test("a line of 1 MiB is read", () => {
    const frame = '{"event":"expectation.refused","msg":""}';
    const line = frame.replace('""', `"${"x".repeat(LONGEST_LINE - frame.length)}"`);
    expect(line).toHaveLength(LONGEST_LINE);
    expect(readAll([Buffer.from(line)]).counts).toMatchObject({ lines: 1, malformed: 0 });
    expect(readAll([Buffer.from(line.slice(0, 9)), Buffer.from(`${line.slice(9)}\n`)]).counts.malformed).toBe(0);
  });
});
