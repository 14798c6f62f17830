import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { type Decision, FIELDS } from "../../../src/report/decision.js";
import { LineReader, lineFrom } from "../../../src/report/log/line.js";
import { LONGEST_LINE, LogReader } from "../../../src/report/log/log-reader.js";
import { timeFrom } from "../../../src/report/record-time.js";
import fc from "../../helpers/properties.js";
import { consoleLines, LOGGERS, linesOf, REFUSAL } from "../../helpers/report-log.js";

afterEach(() => {
  jest.restoreAllMocks();
});

const EVENTS = ["expectation.refused", "expectation.error", "expectation.accepted", "expectation.omitted"];

const space = fc.stringMatching(/^[ \t\r\n]{0,2}$/);

// A character of a string in one of the ways in which JSON can write it.
const character = fc
  .tuple(fc.string({ unit: "grapheme-composite", minLength: 1, maxLength: 1 }), fc.nat(9))
  .map(([text, way]) => {
    if (way === 0) return [...text].map(unicodeEscape).join("");
    if (way === 1) return String.raw`\/`;
    return JSON.stringify(text).slice(1, -1);
  });

function unicodeEscape(text: string): string {
  return Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, "0")}`).join(
    "",
  );
}

const plain = fc.stringMatching(/^[ -!#-[\]-~]{0,40}$/).map((text) => `"${text}"`);
const anyString = fc.oneof(
  plain,
  fc.array(character, { maxLength: 12 }).map((parts) => `"${parts.join("")}"`),
);
const number = fc.oneof(
  fc.integer({ min: -999, max: 999 }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.constantFrom("-0", "0.0", "1e3", "1E+400", "0.1", "123456789012345678901", "1795305600001", "0.30000000000000004"),
  fc.tuple(fc.nat(), fc.stringMatching(/^\d{1,12}$/)).map(([whole, rest]) => `${whole}.${rest}`),
);
const nested = fc.oneof(
  { weight: 3, arbitrary: fc.json({ maxDepth: 4 }) },
  { weight: 1, arbitrary: fc.nat(40).map((depth) => "[".repeat(depth) + "]".repeat(depth) || "null") },
  {
    weight: 1,
    arbitrary: fc.constantFrom("{}", "[]", "[ ]", "{ }", "true", "false", "null", '{"event":"expectation.refused"}'),
  },
);
const event = fc.constantFrom(...EVENTS).map((name) => JSON.stringify(name));
const value = fc.oneof(anyString, number, nested, event);
const key = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...FIELDS).map((name) => JSON.stringify(name)) },
  { weight: 1, arbitrary: fc.constantFrom(...FIELDS).map((name) => `"${unicodeEscape(name)}"`) },
  { weight: 1, arbitrary: fc.constantFrom('"eveny"', '"__proto__"', '"level"', '"msg"', '""', '"time2"') },
  { weight: 2, arbitrary: anyString },
);
const member = fc
  .tuple(key, value, space, space, space, space)
  .map(([k, v, a, b, c, d]) => `${a}${k}${b}:${c}${v}${d}`);
const ownEvent = event.map((name) => `"event":${name}`);
const object = fc
  .tuple(
    space,
    fc.array(fc.oneof({ weight: 5, arbitrary: member }, { weight: 1, arbitrary: ownEvent }), { maxLength: 24 }),
    space,
  )
  .map(([before, members, after]) => `${before}{${members.join(",")}}${after}`);

const readers = new LineReader();

/** What the quick way gives for bytes that stand between others. */
function quickly(line: Buffer, before = 0): unknown {
  const bytes = Buffer.concat([Buffer.alloc(before, '"'), line, Buffer.from('","event":"expectation.refused"}\n')]);
  return readers.read(bytes, before, before + line.length);
}

function withJsonParse(line: Buffer): unknown {
  return lineFrom(line.toString());
}

describe("the quick way and JSON.parse give the same", () => {
  test("for JSON objects of every form", () => {
    let records = 0;
    fc.assert(
      fc.property(object, fc.nat(7), (text, before) => {
        const line = Buffer.from(text);
        const expected = withJsonParse(line);
        if (typeof expected === "object") records++;
        expect(quickly(line, before)).toEqual(expected);
      }),
      { numRuns: 3_000 },
    );
    expect(records).toBeGreaterThan(300);
  });

  test("for JSON objects with one byte changed, taken out or put in", () => {
    let malformed = 0;
    fc.assert(
      fc.property(object, fc.nat(), fc.nat(255), fc.nat(2), (text, place, byte, what) => {
        const line = Buffer.from(text);
        const at = place % line.length;
        const middle = what === 0 ? [] : [byte];
        const changed = Buffer.concat([
          line.subarray(0, at),
          Buffer.from(middle),
          line.subarray(what === 2 ? at : at + 1),
        ]);
        const expected = withJsonParse(changed);
        if (expected === "malformed") malformed++;
        expect(quickly(changed)).toEqual(expected);
      }),
      { numRuns: 3_000 },
    );
    expect(malformed).toBeGreaterThan(300);
  });

  test("for bytes of any kind", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(quickly(Buffer.from(bytes))).toEqual(withJsonParse(Buffer.from(bytes)));
        const inObject = Buffer.concat([Buffer.from('{"url":"'), bytes, Buffer.from('","event":"expectation.error"}')]);
        expect(quickly(inObject)).toEqual(withJsonParse(inObject));
      }),
      { numRuns: 3_000 },
    );
  });

  test("for what loggers write, faults with nested errors included", () => {
    const write = (logger: { warn(d: object, m: string): void; error(d: object, m: string): void }) => {
      logger.warn({ ...REFUSAL, userAgent: 'a "quoted" \\ agent \u00fc\u{1f600}\u2028' }, "x");
      logger.error({ ...REFUSAL, event: "expectation.error", err: new TypeError("broken\n\tthere") }, "y");
    };
    for (const text of [...Object.values(LOGGERS).map((make) => linesOf(make, write)), consoleLines(write)]) {
      const lines = text.trimEnd().split("\n");
      expect(lines).toHaveLength(2);
      for (const line of lines) {
        expect(quickly(Buffer.from(line))).toEqual(withJsonParse(Buffer.from(line)));
        expect(quickly(Buffer.from(line))).toMatchObject({ status: 413, policy: "maxSize", durationMs: 0.25 });
      }
    }
  });
});

test("an ordinary record and a line of somebody else are read without JSON.parse", () => {
  const record = Buffer.from(linesOf(LOGGERS.pino!, (logger) => logger.warn(REFUSAL, "x")).trimEnd());
  const foreign = Buffer.from(`{"level":30,"req":{"method":"GET","headers":{"a":"\\"b\\""}},"msg":"tab\\t"}`);
  const parse = jest.spyOn(JSON, "parse");
  const read = quickly(record);
  const passed = quickly(foreign);
  expect(parse).not.toHaveBeenCalled();
  expect(passed).toBe("foreign");
  expect(read).toEqual({
    event: "expectation.refused",
    time: expect.any(Number),
    method: "PUT",
    url: undefined,
    route: "/images/:id",
    policy: "maxSize",
    expectation: "100-continue",
    client: "192.0.2.1",
    userAgent: "curl/7.88.1",
    httpVersion: "1.1",
    status: 413,
    bytesSpared: 2_097_152,
    durationMs: 0.25,
    omitted: undefined,
  });
});

test("long values are cut", () => {
  const line = Buffer.from(JSON.stringify({ event: "expectation.refused", userAgent: "ü".repeat(10_000) }));
  expect((quickly(line) as Decision).userAgent).toBe("ü".repeat(1_025));
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
  function readAll(chunks: Iterable<Buffer>) {
    const decisions: Decision[] = [];
    const log = new LogReader(new LineReader(), (decision) => decisions.push(decision));
    for (const chunk of chunks) {
      const passing = Buffer.from(chunk);
      log.write(passing);
      passing.fill(0x21);
    }
    log.end();
    return { decisions, counts: log.counts };
  }

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
