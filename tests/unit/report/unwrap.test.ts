import { describe, expect, test } from "@jest/globals";
import { unwrapped } from "../../../src/report/envelopes/unwrap.js";
import { LONGEST_LINE } from "../../../src/report/log/log-reader.js";

const RECORD = '{"event":"expectation.refused","time":1763798400000,"status":413}';
const TIMELESS = '{"event":"expectation.refused","status":413}';

async function textOf(log: string, size = log.length || 1): Promise<string> {
  const bytes = Buffer.from(log);
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  let text = "";
  for await (const block of unwrapped(chunks())) text += block.toString("utf8");
  return text;
}

function docker(log: string, stream = "stderr"): string {
  return JSON.stringify({ log, stream, time: "2026-11-22T08:00:00.123456789Z" });
}

function journal(message: unknown, fields: object = {}): string {
  return JSON.stringify({ __CURSOR: "s=1", __REALTIME_TIMESTAMP: "1763798400123456", MESSAGE: message, ...fields });
}

describe("one line of", () => {
  test.each([
    ["Docker", docker(`${RECORD}\n`), RECORD],
    ["Docker with attributes", `${docker(`${RECORD}\n`).slice(0, -1)},"attrs":{"tag":"x"}}`, RECORD],
    ["Docker, plain text", docker("listening\n"), "listening"],
    ["CRI", `2026-11-22T08:00:00.123456789Z stdout F ${RECORD}`, RECORD],
    ["CRI with an offset and more tags", `2026-11-22T09:00:00+01:00 stderr F:x:y ${RECORD}`, RECORD],
    ["CRI, plain text", "2026-11-22T08:00:00.1Z stdout F listening", "listening"],
    ["journalctl -o json", journal(RECORD), RECORD],
    ["journalctl -o json, older", journal(RECORD).replace("{", "{ ").replaceAll('":"', '" : "'), RECORD],
    ["journalctl -o json, as bytes", journal([...Buffer.from(RECORD)]), RECORD],
    ["journalctl -o json-sse", `data: ${journal(RECORD)}`, RECORD],
    ["journalctl -o json-seq", `\x1e${journal(RECORD)}`, RECORD],
    ["journalctl -o short", `Nov 22 08:00:00 host node[17]: ${RECORD}`, RECORD],
    ["journalctl -o short-full", `Sun 2026-11-22 08:00:00 UTC host node[17]: ${RECORD}`, RECORD],
    ["journalctl -o short-precise", `Nov  2 08:00:00.123456 host node[17]: ${RECORD}`, RECORD],
    ["journalctl -o short-iso-precise", `2026-11-22T08:00:00.123456+0000 host node[17]: ${RECORD}`, RECORD],
    ["journalctl -o short-monotonic", `[ 1234.567890] host node[17]: ${RECORD}`, RECORD],
    ["journalctl -o with-unit", `Sun 2026-11-22 08:00:00 CET host upload.service[17]: ${RECORD}`, RECORD],
    ["syslog", `<34>Nov 22 08:00:00 host node: ${RECORD}`, RECORD],
    ["docker logs --timestamps", `2026-11-22T08:00:00.123456789Z ${RECORD}`, RECORD],
    ["kubectl logs --prefix --timestamps", `[pod/a-7/app] 2026-11-22T08:00:00.1Z ${RECORD}`, RECORD],
    ["Docker behind a byte order mark", `\ufeff${docker(`${RECORD}\n`)}`, RECORD],
    ["docker compose logs", `app-1  | ${RECORD}`, RECORD],
    ["kubectl logs --prefix", `[pod/upload-7/app] ${RECORD}`, RECORD],
    ["a message of several lines", journal('{"a":1,\n"b":2}'), '{"a":1, "b":2}'],
  ])("%s is what the program wrote", async (_what, line, expected) => {
    expect(await textOf(`${line}\n`)).toBe(`${expected}\n`);
    expect(await textOf(`${line}\r\n`, 1)).toBe(`${expected}\n`);
  });

  test.each([
    ["pino", RECORD],
    ["somebody with a field of that name", '{"log":"x","event":"expectation.refused"}'],
    ["somebody with a long name", '{"LEVEL":"x","msg":"y"}'],
    ["a long message that journalctl left out", journal(null)],
    ["a message that is no list of bytes", journal(["x"])],
    ["damaged JSON of Docker", docker(RECORD).slice(0, 40)],
    ["plain text", "listening on 3000"],
    ["text with JSON in its middle", 'got {"a":1} from x'],
    ["binary data", '\u0001\u0002{"a":1}'],
    ["text that ends with JSON of somebody else", `::1 "GET / HTTP/1.1" 404 ${RECORD}`],
    ["the same in the journal", `Nov 22 08:00:00 host node[17]: ::1 GET / ${RECORD}`],
    ["the same behind a time", `2026-11-22T08:00:00Z info: agent ${RECORD} and more`],
    ["the same of a program", `agent: ${RECORD}`],
    ["a record behind a byte order mark", `\ufeff${RECORD}`],
    ["JSON far behind", `${"x".repeat(300)}${RECORD}`],
  ])("%s passes as it is", async (_what, line) => {
    expect(await textOf(`${line}\n`)).toBe(`${line}\n`);
  });

  test.each([
    ["Docker", docker(`${TIMELESS}\n`), '"2026-11-22T08:00:00.123456789Z"'],
    ["CRI", `2026-11-22T08:00:00Z stdout F ${TIMELESS}`, '"2026-11-22T08:00:00Z"'],
    ["journald", journal(TIMELESS), "1763798400123456"],
    ["short-iso", `2026-11-22T08:00:00+0000 host node[1]: ${TIMELESS}`, '"2026-11-22T08:00:00+0000"'],
    ["short-unix", `1763798400.123456 host node[1]: ${TIMELESS}`, "1763798400.123456"],
  ])("%s lends its time to a record without one", async (_what, line, time) => {
    const text = await textOf(`${line}\n`);
    expect(text).toBe(`{"@timestamp":${time},${TIMELESS.slice(1)}\n`);
    JSON.parse(text);
  });
});

describe("parts of long text", () => {
  const [first, second, third] = [RECORD.slice(0, 10), RECORD.slice(10, 30), RECORD.slice(30)] as const;

  test.each([
    ["Docker", [docker(first), docker("other\n", "stdout"), docker(second), docker(`${third}\n`), docker("next\n")]],
    [
      "CRI",
      ["P {1}", "F other", "P {2}", "F {3}", "F next"].map((text, i) => {
        const filled = text.replace("{1}", first).replace("{2}", second).replace("{3}", third);
        return `2026-11-22T08:00:00Z ${i === 1 ? "stdout" : "stderr"} ${filled}`;
      }),
    ],
    [
      "journald",
      [
        journal(first, { _PID: "1", _LINE_BREAK: "line-max" }),
        journal("other", { _PID: "2" }),
        journal(second, { _PID: "1", _LINE_BREAK: "line-max" }),
        journal(third, { _PID: "1" }),
        journal("next", { _PID: "1" }),
      ],
    ],
  ])("%s are joined by stream, and line numbers stay", async (_what, lines) => {
    expect(await textOf(`${lines.join("\n")}\n`)).toBe(`\nother\n\n${RECORD}\nnext\n`);
  });

  test("without an end come at the end of the log", async () => {
    expect(await textOf(`${docker(first)}\n${docker(second)}`)).toBe(`\n${first}${second}\n`);
  });

  test("take no more memory than the longest line", async () => {
    const part = `${docker("x".repeat(16_384))}\n`;
    const text = await textOf(part.repeat(200));
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThan(LONGEST_LINE + 20_000);
    const streams = Array.from({ length: 5_000 }, (_, i) => docker("x", `s${i}`)).join("\n");
    expect((await textOf(`${streams}\n`)).split("\n").filter((line) => line === "x").length).toBe(5_000);
  });
});

test("a wrapped log behind a plain one is found", async () => {
  const plain = `${RECORD}\n`.repeat(1_000);
  const log = plain + `${docker(`${RECORD}\n`)}\n`.repeat(1_000) + plain;
  expect(await textOf(log, 10_000)).toBe(`${RECORD}\n`.repeat(3_000));
});

test("lines that are too long pass", async () => {
  const long = "x".repeat(3 * LONGEST_LINE);
  expect(await textOf(`${docker("a\n")}\n${long}\n${docker("b\n")}\n`, 65_536)).toBe(`a\n${long}\nb\n`);
});
