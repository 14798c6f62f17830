import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { main } from "../../src/cli/main.js";
import type { Logger } from "../../src/observe/logger.js";
import type { Summary } from "../../src/report/summary.js";
import { deadline } from "../helpers/deadline.js";
import { consoleLines, type FakeTerminal, fakeTerminal, LOGGERS, linesOf, REFUSAL } from "../helpers/report-log.js";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "expectations-report-"));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** A file in the tests' own folder. */
function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function run(args: readonly string[], options: Parameters<typeof fakeTerminal>[0] = {}) {
  const terminal: FakeTerminal = fakeTerminal(options);
  const code = await main(["report", ...args], terminal);
  return { code, out: terminal.stdout.text, err: terminal.stderr.text };
}

async function summaryOf(args: readonly string[], options: Parameters<typeof fakeTerminal>[0] = {}): Promise<Summary> {
  const { code, out, err } = await run([...args, "--json"], options);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return JSON.parse(out) as Summary;
}

/** One line as bunyan and this package's own logger write it. */
function line(fields: object): string {
  return `${JSON.stringify({ time: "2026-11-22T08:00:00.000Z", ...REFUSAL, ...fields })}\n`;
}

function writeFew(logger: Logger): void {
  logger.warn(REFUSAL, "PUT /images/1?token= refused with 413 by maxSize");
  logger.warn({ ...REFUSAL, status: 417, policy: "unknown-expectation", userAgent: "GuzzleHttp/7" }, "x");
  logger.error({ ...REFUSAL, event: "expectation.error", status: 500, err: new Error('a "quoted"\nline') }, "y");
  logger.warn({ event: "expectation.omitted", omitted: 30, perSecond: 50, windowMs: 1_000 }, "30 left out");
  logger.warn({ port: 3000 }, "somebody else's line");
}

const FILES: Readonly<Record<string, () => string>> = {
  ...Object.fromEntries(Object.entries(LOGGERS).map(([name, make]) => [name, () => linesOf(make, writeFew)])),
  "this package's own logger": () => consoleLines(writeFew),
};

describe.each(Object.keys(FILES))("the log of %s", (name) => {
  test("is read as a file, from standard input, and compressed, all the same", async () => {
    const begun = Date.now();
    const log = FILES[name]!();
    const summary = await summaryOf([file("app.log", log)]);
    expect(summary).toMatchObject({
      refused: 2,
      errors: 1,
      omitted: 30,
      bytesSpared: 3 * 2_097_152,
      durationMs: { max: 0.25 },
      read: { bytes: Buffer.byteLength(log), lines: 5, malformed: 0, foreign: 1 },
    });
    expect(summary.by.status.rows.map(({ key, count }) => [key, count])).toEqual([
      ["413", 1],
      ["417", 1],
      ["500", 1],
    ]);
    expect(summary.by.software.rows.map(({ key, count }) => [key, count])).toEqual([
      ["curl 7.88", 2],
      ["Guzzle 7", 1],
    ]);
    expect(summary.by.route.rows.map(({ key }) => key)).toEqual(["/images/:id"]);
    expect(summary.suspects.map(({ id, count }) => [id, count])).toEqual([
      ["curl", 2],
      ["guzzle", 1],
    ]);
    if (name !== "winston") {
      // Seconds are as exact as that.
      expect(Date.parse(summary.from!)).toBeGreaterThanOrEqual(Math.floor(begun / 1_000) * 1_000);
      expect(Date.parse(summary.to!)).toBeLessThanOrEqual(Date.now() + 1_000);
    } else expect(summary.from).toBeUndefined();

    const bytes = [...Buffer.from(log)].map((byte) => Buffer.from([byte]));
    const packed = gzipSync(log);
    expect(await summaryOf([], { stdin: log })).toEqual(summary);
    expect(await summaryOf(["-"], { stdin: bytes })).toEqual(summary);
    expect(await summaryOf([file("app.log.1", packed)])).toEqual(summary);
    expect(await summaryOf([], { stdin: packed })).toEqual(summary);
    expect(await summaryOf([], { stdin: [...packed].map((byte) => Buffer.from([byte])) })).toEqual(summary);
    expect(await summaryOf([], { stdin: Buffer.concat([packed.subarray(0, 0), packed]) })).toEqual(summary);
  });
});

describe("several logs", () => {
  test("are summed up, gzip members one behind the other, too", async () => {
    const once = line({});
    const summary = await summaryOf([
      file("a.log", once),
      file("b.log.gz", Buffer.concat([gzipSync(once), gzipSync(once)])),
      file("empty.log", ""),
    ]);
    expect(summary).toMatchObject({ refused: 3, read: { lines: 3, bytes: 3 * once.length } });
  });

  test("name the file and line of the first malformed line", async () => {
    const good = file("good.log", line({}));
    const bad = file("bad.log", `${line({})}{"event":\n\u0000\n${line({}).slice(0, 40)}`);
    const { code, out } = await run([good, bad], { columns: 500 });
    expect(code).toBe(0);
    expect(out).toContain("2 refused");
    expect(out).toContain(`3 malformed lines, the first is ${bad}:2\n`);
    expect((await summaryOf([good, bad])).read).toMatchObject({ malformed: 3, firstMalformed: `${bad}:2` });
  });
});

describe("what cannot be read", () => {
  test.each([
    ["nothing at all", ""],
    ["empty lines alone", "\n\r\n  \n"],
  ])("%s: exit code 1", async (_what, content) => {
    const path = file("void.log", content);
    const expected = content === "" ? "empty" : "no line is a JSON object; expected a log of JSON lines";
    expect(await run([path])).toEqual({ code: 1, out: "", err: `express-expectations report: ${path}: ${expected}\n` });
  });

  test("binary garbage alone: exit code 1, with the name of the file", async () => {
    const garbage = Buffer.from(Array.from({ length: 5_000 }, (_, i) => (i * 7919 + (i >> 3)) % 256));
    const path = file("garbage.bin", garbage);
    const err = `express-expectations report: ${path}: no line is a JSON object; expected a log of JSON lines\n`;
    expect(await run([path])).toEqual({ code: 1, out: "", err });
    expect(await run([], { stdin: garbage })).toMatchObject({ code: 1, err: err.replace(path, "standard input") });
    expect(await run([path, file("one.log", line({}))])).toMatchObject({ code: 0, err: "" });
  });

  test("a log without a record of this package is no failure", async () => {
    const { code, out } = await run([], { stdin: '{"level":30,"msg":"listening"}\n' });
    expect(code).toBe(0);
    expect(out).toBe("Nothing was refused.\n\nread 31 B, 1 line, 1 of them not of this package\n");
  });

  test("a file that is missing: exit code 3, before anything is read", async () => {
    const path = join(folder, "missing\u001b[31m.log");
    const err = `express-expectations report: ${path.replace("\u001b", String.raw`\u001b`)}: there is no such file\n`;
    expect(await run([file("there.log", line({})), path])).toEqual({ code: 3, out: "", err });
  });

  test("a folder: exit code 3", async () => {
    const err = `express-expectations report: ${folder}: is a folder\n`;
    expect(await run([folder])).toEqual({ code: 3, out: "", err });
  });

  test.each([
    ["cut off", (packed: Buffer) => packed.subarray(0, packed.length - 20), "its gzip data end too early"],
    [
      "damaged",
      (packed: Buffer) => Buffer.concat([packed.subarray(0, 10), Buffer.alloc(50, 0xff)]),
      "its gzip data are damaged",
    ],
  ])("gzip data that are %s: exit code 3, with what could be read", async (_what, spoil, reason) => {
    const packed = gzipSync(
      Array.from({ length: 2_000 }, (_, i) => line({ client: `10.0.0.${(i * i) % 251}` })).join(""),
    );
    const path = file("spoilt.gz", spoil(packed));
    const { code, out, err } = await run([path, file("fine.log", line({})), "--json"]);
    expect({ code, err }).toEqual({ code: 3, err: `express-expectations report: ${path}: ${reason}\n` });
    expect((JSON.parse(out) as Summary).refused).toBeGreaterThanOrEqual(1);
  });
});

describe("wrong usage: exit code 2 and one line", () => {
  test.each([
    [["--sinse", "24h"], "no option --sinse; did you mean --since?"],
    [["-z"], "no option -z; --help lists the options"],
    [["--\u001b[31m"], String.raw`no option --\u001b[31m; --help lists the options`],
    [["--since"], "Option '--since <value>' argument missing"],
    [
      ["--since", "yesterday"],
      '--since: received "yesterday"; expected a time such as 2026-11-22T08:00Z, or how long ago: 24h, 7d',
    ],
    [
      ["--until", "2026-02-30"],
      '--until: received "2026-02-30"; expected a time such as 2026-11-22T08:00Z, or how long ago: 24h, 7d',
    ],
    [["--since", "1h", "--until", "2h"], "--since is not before --until: nothing lies between them"],
    [["--top", "0"], '--top: received "0"; expected a whole number from 1 to 1000'],
    [["--top", "ten"], '--top: received "ten"; expected a whole number from 1 to 1000'],
    [["--html="], '--html: received ""; expected the name of a file'],
    [["--html", "-"], '--html: received "-"; expected the name of a file'],
    [["--html"], "Option '--html <value>' argument missing"],
  ])("%j", async (args, message) => {
    expect(await run(args)).toEqual({ code: 2, out: "", err: `express-expectations report: ${message}\n` });
  });

  test("nothing to read but a terminal", async () => {
    const terminal = fakeTerminal();
    terminal.stdin.isTTY = true;
    expect(await main(["report"], terminal)).toBe(2);
    expect(terminal.stderr.text).toBe(
      "express-expectations report: no FILE, and standard input is a terminal; --help tells more\n",
    );
  });

  test("--help is none", async () => {
    const { code, out, err } = await run(["--help"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    for (const option of ["--since", "--until", "--top", "--json", "--html"]) expect(out).toContain(option);
    expect(Math.max(...out.split("\n").map((each) => each.length))).toBeLessThan(120);
  });
});

describe("--since and --until", () => {
  const log = [
    line({ time: "2026-11-20T10:00:00.000Z", policy: "early" }),
    line({ time: "2026-11-21T10:00:00.000Z", policy: "middle" }),
    line({ time: Date.UTC(2026, 10, 22, 10), policy: "late" }),
    line({ time: undefined, policy: "timeless" }),
  ].join("");
  test.each([
    [
      ["--since", "2026-11-21T10:00Z"],
      ["late", "middle"],
    ],
    [["--until", "2026-11-21T10:00Z"], ["early"]],
    [["--since", "2026-11-21", "--until", "2026-11-22"], ["middle"]],
    [[], ["early", "late", "middle", "timeless"]],
  ])("%j", async (args, policies) => {
    const summary = await summaryOf(args, { stdin: log });
    expect(summary.by.policy.rows.map(({ key }) => key).sort()).toEqual(policies);
    expect(summary.read).toMatchObject({ lines: 4, outside: 4 - policies.length, untimed: args.length === 0 ? 0 : 1 });
  });

  test("take how long ago it was", async () => {
    const now = Date.now();
    const recent = [10, 50, 5_000].map((minutes) => line({ time: now - minutes * 60_000 })).join("");
    expect((await summaryOf(["--since", "1h"], { stdin: recent })).refused).toBe(2);
    expect((await summaryOf(["--until", "30m", "--since", "1h"], { stdin: recent })).refused).toBe(1);
  });
});

/** A log in which everything differs. */
function variedLog(): string {
  return Array.from({ length: 500 }, (_, i) =>
    line({
      time: Date.UTC(2026, 10, 22) + i * 60_000,
      userAgent: `agent${i % 30}/${i % 7}.1`,
      client: `2001:db8:0:1234:5678:9abc:def0:${(i % 40).toString(16)}`,
      route: `/very/long/route/with/many/parts/${"x".repeat(i % 90)}/漢字/:id`,
      policy: `policy-${i % 12}`,
      status: 400 + (i % 18),
      bytesSpared: i ** 4,
      event: i % 50 === 0 ? "expectation.error" : "expectation.refused",
    }),
  ).join("");
}

/** Columns of a terminal: the characters here are narrow, combining, or 漢 and 字. */
function columnsOf(text: string): number {
  return [...text].reduce((sum, character) => sum + (/[漢字]/.test(character) ? 2 : 1), 0);
}

describe("the text", () => {
  test.each([200, 120, 80, 60, 40, 32])("fits %i columns", async (columns) => {
    const { out } = await run([], { stdin: `${variedLog()}${line({})}no JSON\n`, columns });
    expect(out.split("\n").filter((each) => columnsOf(each) > columns && / /.test(each.trim()))).toEqual([]);
    expect(out).toContain("refused");
  });

  test("fits 80 columns where nobody knows how wide it is", async () => {
    const { out } = await run([], { stdin: variedLog() });
    expect(Math.max(...out.split("\n").map(columnsOf))).toBeLessThanOrEqual(80);
    expect(Math.max(...out.split("\n").map(columnsOf))).toBeGreaterThan(70);
  });

  test("has the numbers of --json", async () => {
    const stdin = variedLog();
    const { out } = await run(["--top", "5"], { stdin, columns: 200 });
    const summary = await summaryOf(["--top", "5"], { stdin });
    expect(out).toContain(`${summary.refused} refused, ${summary.errors} faults`);
    for (const [question, { rows, others }] of Object.entries(summary.by)) {
      expect(rows.length).toBeLessThanOrEqual(5);
      // Of the addresses, the table lists those of each network.
      for (const { key, count, lastAt } of rows.length > 1 && question !== "client" ? rows : []) {
        const shown = key.length > 48 ? `${key.slice(0, 40)}` : key;
        const last = lastAt!.slice(0, 19).replace("T", " ");
        const found = out
          .split("\n")
          .filter((each) => each.startsWith(shown) && each.includes(` ${count} `) && each.endsWith(last));
        expect({ key, found: found.length > 0 }).toEqual({ key, found: true });
      }
      const sum = rows.reduce((total, { count }) => total + count, others);
      if (question !== "cutOff" && rows.length === 1)
        expect(out).toMatch(new RegExp(`^(?:The same in all.*)?${rows[0]!.key}`, "m"));
      // No upload of this log was cut off.
      expect(sum).toBe(question === "cutOff" ? 0 : 500);
      if (others > 0 && question !== "client") expect(out).toMatch(new RegExp(`^\\(all others\\) +${others} `, "m"));
    }
  });

  test("has a table of cut-offs where there are some", async () => {
    const stdin = line({ policy: "body-rate", cutOffAfter: 5_000 }) + line({ policy: "maxSize" });
    const { out } = await run([], { stdin });
    expect(out).toMatch(/^Cut off by +refused.*\nbody-rate +1 /m);
    expect((await run([], { stdin: line({}) })).out).not.toContain("Cut off by");
  });

  test("stands in columns: numbers to the right", async () => {
    const stdin = [...Array(1_200).fill(line({})), line({ policy: "quota", bytesSpared: 12 })].join("");
    const { out } = await run([], { stdin });
    const lines = out.split("\n");
    const at = lines.findIndex((each) => each.startsWith("Policy"));
    expect(lines.slice(at, at + 3)).toEqual([
      "Policy   refused   share  not sent           last (UTC)",
      "maxSize    1,200  99.9 %  2.34 GiB  2026-11-22 08:00:00",
      "quota          1   0.1 %      12 B  2026-11-22 08:00:00",
    ]);
  });

  test("tells what is known about clients and what to change", async () => {
    const { out } = await run([], { stdin: line({ status: 417 }) });
    expect(out).toContain("curl and libcurl: 1 refused (417: 1), 2 MiB not sent\n");
    expect(out).toContain("\n  > Against the 417: Leave the header out: curl -H 'Expect:' …\n");
  });

  test("escapes what would steer a terminal", async () => {
    const hostile = "\u001b]0;x\u0007\u009b31m\u202e";
    const stdin = line({ userAgent: hostile, route: hostile, policy: hostile, client: hostile, method: hostile });
    for (const args of [[], ["--json"]]) {
      const { out } = await run(args, { stdin: `${stdin}${hostile}\n`, isTTY: true, env: { NO_COLOR: "1" } });
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that must not be there
      expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
      expect(out).toContain("u202e");
    }
  });

  test("has colours on a terminal alone, and not where NO_COLOR is set", async () => {
    const stdin = line({});
    const colours = (out: string) => out.includes("\u001b[1m");
    expect(colours((await run([], { stdin, isTTY: true, columns: 80 })).out)).toBe(true);
    expect(colours((await run([], { stdin, isTTY: true, columns: 80, env: { NO_COLOR: "" } })).out)).toBe(true);
    const wanted = await run(["--color"], { stdin, env: { NO_COLOR: "1" } });
    expect(colours(wanted.out)).toBe(true);
    expect(colours((await run([], { stdin, env: { FORCE_COLOR: "1" } })).out)).toBe(true);
    const unwanted = await run(["--no-color"], { stdin, isTTY: true, columns: 80, env: { FORCE_COLOR: "1" } });
    expect(unwanted.out).not.toContain("\u001b");
    for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }]) {
      expect((await run([], { stdin, isTTY: true, columns: 80, env })).out).not.toContain("\u001b");
    }
    const plain = await run([], { stdin });
    expect(plain.out).not.toContain("\u001b");
    const coloured = await run([], { stdin, isTTY: true, columns: 80 });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours
    expect(coloured.out.replace(/\u001b\[\d+m/g, "")).toBe(plain.out);
  });
});

describe("the progress", () => {
  test("shows on a terminal how much of the files is read, and goes away", async () => {
    const path = file("big.log", line({}).repeat(3_000));
    const { err } = await run([path], { isTTY: true, columns: 60 });
    const drawn = err.split("\r\u001b[K");
    expect(drawn.length).toBeGreaterThanOrEqual(3);
    expect([drawn[0], drawn.at(-1)]).toEqual(["", ""]);
    for (const bar of drawn.slice(1, -1)) {
      expect(bar).toMatch(/^\[#*\.*\] +\d+ % of \d/);
      expect(bar.length).toBeLessThan(60);
    }
  });

  test("shows how much came where nobody knows how much there is", async () => {
    const { err } = await run([], { stdin: line({}), isTTY: true });
    expect(err.split("\r\u001b[K")).toEqual(["", expect.stringMatching(/^reading, \d+ B$/), ""]);
  });

  test("is silent elsewhere", async () => {
    expect((await run([], { stdin: line({}) })).err).toBe("");
  });
});

describe("--html", () => {
  test("writes a page into the file, as a whole, and nothing to standard output", async () => {
    const target = join(folder, "report.html");
    const { code, out, err } = await run(["--html", target], { stdin: line({ policy: "<b>&" }) });
    expect({ code, out, err }).toEqual({ code: 0, out: "", err: "" });
    const page = readFileSync(target, "utf8");
    expect(page).toMatch(/^<!doctype html>/i);
    expect(page).toContain("curl 7.88");
    expect(page).not.toContain("<b>&");
    expect(readdirSync(folder).filter((name) => name.endsWith(".part"))).toEqual([]);
  });

  test("goes together with --json", async () => {
    const target = join(folder, "both.html");
    expect((await summaryOf(["--html", target], { stdin: line({}) })).refused).toBe(1);
    expect(readFileSync(target, "utf8")).toContain("curl 7.88");
  });

  test("replaces what a link points to, and keeps the link and the file's mode", async () => {
    const real = file("real.html", "old");
    chmodSync(real, 0o640);
    const link = join(folder, "link.html");
    symlinkSync(real, link);
    expect((await run(["--html", link], { stdin: line({}) })).code).toBe(0);
    expect(readFileSync(real, "utf8")).toContain("curl 7.88");
    expect(execFileSync("stat", ["-c", "%a %F", real, link]).toString()).toBe("640 regular file\n777 symbolic link\n");
  });

  test("leaves the old page where nothing could be read", async () => {
    const target = file("kept.html", "old");
    expect((await run(["--html", target], { stdin: "no JSON" })).code).toBe(1);
    expect(readFileSync(target, "utf8")).toBe("old");
  });

  test.each([
    ["the log itself", (path: string) => path],
    [
      "a link to it",
      (path: string) => {
        symlinkSync(path, `${path}.link`);
        return `${path}.link`;
      },
    ],
  ])("never replaces a log: %s", async (_what, targetOf) => {
    const path = file(`${_what}.log`, line({}));
    const target = targetOf(path);
    const { code, out, err } = await run([file("other.log", line({})), path, "--html", target]);
    expect({ code, out, err }).toEqual({
      code: 2,
      out: "",
      err: `express-expectations report: --html: received ${JSON.stringify(target)}, which is a log to read; expected another\n`,
    });
    expect(readFileSync(path, "utf8")).toBe(line({}));
  });

  test("that cannot be written loses nothing of --json, and ends with 3", async () => {
    const { code, out } = await run(["--json", "--html", join(folder, "no", "page.html")], { stdin: line({}) });
    expect(code).toBe(3);
    expect((JSON.parse(out) as Summary).refused).toBe(1);
  });

  test("fails with exit code 3 where it cannot write", async () => {
    mkdirSync(join(folder, "sub"), { recursive: true });
    for (const [target, reason] of [
      [join(folder, "sub"), "is a folder"],
      [join(folder, "no", "such", "folder.html"), "there is no such file"],
    ] as const) {
      const { code, out, err } = await run(["--html", target], { stdin: line({}) });
      expect({ code, out, err }).toEqual({
        code: 3,
        out: "",
        err: `express-expectations report: ${target}: ${reason}\n`,
      });
    }
  });
});

describe("as a process", () => {
  let program: string;

  beforeAll(() => {
    program = join(folder, "bin.mjs");
    const args = [
      "src/cli/bin.ts",
      "--bundle",
      "--platform=node",
      "--format=esm",
      "--target=node20",
      `--outfile=${program}`,
    ];
    execFileSync(join(__dirname, "../../node_modules/.bin/esbuild"), [...args, "--log-level=error"], {
      cwd: join(__dirname, "../.."),
    });
  });

  function start(...args: string[]): ChildProcessWithoutNullStreams {
    return spawn(process.execPath, [program, "report", ...args], { timeout: deadline(15_000) });
  }

  test("reads what is piped in, prints, and exits", async () => {
    const child = start("--json");
    child.stdin.end(gzipSync(line({})));
    const [out, err, [code, signal]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
    expect({ code, signal, err }).toEqual({ code: 0, signal: null, err: "" });
    expect((JSON.parse(out) as Summary).refused).toBe(1);
  });

  test("reads a named pipe", async () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const child = start("--json", pipe);
    const writer = spawn("sh", ["-c", 'cat "$1" > "$2"', "sh", file("piped.log", line({})), pipe], {
      timeout: deadline(15_000),
    });
    const [out, [code]] = await Promise.all([text(child.stdout), once(child, "exit"), once(writer, "exit")]);
    expect(code).toBe(0);
    expect((JSON.parse(out) as Summary).refused).toBe(1);
  });

  test.each([["--json"], ["--top=1000"]])("ends quietly where nobody reads its output (%s)", async (option) => {
    const child = start(option);
    child.stdout.destroy();
    await once(child.stdout, "close");
    child.stdin.end(variedLog());
    const [err, [code, signal]] = await Promise.all([text(child.stderr), once(child, "exit")]);
    expect({ code, signal, err }).toEqual({ code: 0, signal: null, err: "" });
  });

  test("tells in one line that it has no permission", async () => {
    chmodSync(folder, 0o755);
    const path = file("secret.log", line({}));
    chmodSync(path, 0);
    // Root may read everything.
    const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const child = spawn(process.execPath, [program, "report", path], { timeout: deadline(15_000), cwd: "/", ...user });
    const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
    expect({ code, out, err }).toEqual({
      code: 3,
      out: "",
      err: `express-expectations report: ${path}: no permission\n`,
    });
  });

  test("tells a failure in one line", async () => {
    const child = start(join(folder, "not-there"));
    const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
    expect({ code, out }).toEqual({ code: 3, out: "" });
    expect(err).toMatch(/^express-expectations report: .*not-there: there is no such file\n$/);
  });
});
