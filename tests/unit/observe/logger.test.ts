import { readFileSync } from "node:fs";
import { Writable } from "node:stream";
import { inspect, types } from "node:util";
import { afterEach, describe, expect, jest, test } from "@jest/globals";
import bunyan from "bunyan";
import pino from "pino";
import winston from "winston";
import { fromWinston, type Logger, safeLogger, silent } from "../../../src/observe/logger.js";
import { loggableUrl, printable } from "../../../src/observe/printable.js";
import type { RefusalRecord } from "../../../src/observe/record.js";
import { ExpectationError } from "../../../src/support/errors.js";

afterEach(() => {
  jest.restoreAllMocks();
});

const RECORD: Required<RefusalRecord> = {
  event: "expectation.refused",
  method: "PUT",
  url: "/images/1?token=",
  route: "/images/:id",
  status: 413,
  policy: "maxSize",
  preflight: true,
  reason: "larger than 10 bytes",
  expectation: "100-continue",
  declaredLength: 11,
  bytesSpared: 11,
  withheld: true,
  cutOffAfter: 5,
  client: "192.0.2.1",
  userAgent: "curl/8.14",
  durationMs: 0.25,
  httpVersion: "1.1",
  requestId: "7",
};

const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u;
/** ESC, C1, DEL, separators, a soft hyphen, a change of the direction, a line of its own. */
const UNSAFE = "a\u001b[2J\u009b2J\u007f\u2028b\u2029\u00ad\u202e\u2066c\nd";
const SAFE = "a\\u001b[2J\\u009b2J\\u007f\\u2028b\\u2029\\u00ad\\u202e\\u2066c\\u000ad";

const MESSAGE = "PUT /images/1?token= refused with 413 by maxSize";

/** A stream in memory that keeps lines of JSON. */
function memory(): { stream: Writable; lines: () => Record<string, unknown>[] } {
  let text = "";
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  return {
    stream,
    lines: () =>
      text
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line)),
  };
}

/** The loggers that people have; each writes JSON into a stream. */
const LIBRARIES: Record<
  string,
  { make: (stream: Writable) => Logger; levels: [warn: unknown, error: unknown]; message: string }
> = {
  pino: { make: (stream) => pino({}, stream), levels: [40, 50], message: "msg" },
  "a child of pino": { make: (stream) => pino({}, stream).child({ app: "x" }), levels: [40, 50], message: "msg" },
  bunyan: {
    make: (stream) => bunyan.createLogger({ name: "test", stream, serializers: bunyan.stdSerializers }),
    levels: [40, 50],
    message: "msg",
  },
  "winston through fromWinston": {
    make: (stream) => fromWinston(winstonTo(stream)),
    levels: ["warn", "error"],
    message: "message",
  },
};

function winstonTo(stream: Writable): winston.Logger {
  const { combine, errors, json } = winston.format;
  return winston.createLogger({
    format: combine(errors({ stack: true }), json()),
    transports: [new winston.transports.Stream({ stream })],
  });
}

describe.each(Object.entries(LIBRARIES))("%s", (_library, { make, levels, message }) => {
  test("gets the message and every field of a refusal, at warn", () => {
    const { stream, lines } = memory();
    safeLogger(make(stream)).warn(RECORD, MESSAGE);
    expect(lines()).toEqual([expect.objectContaining({ ...RECORD, level: levels[0], [message]: MESSAGE })]);
  });

  test("gets the message, every field and the error of a fault, at error", () => {
    const { stream, lines } = memory();
    safeLogger(make(stream)).error({ ...RECORD, err: new TypeError("broken") }, MESSAGE);
    expect(lines()).toEqual([expect.objectContaining({ ...RECORD, level: levels[1], [message]: MESSAGE })]);
    expect(lines()[0]?.err).toMatchObject({ message: "broken", stack: expect.stringContaining("logger.test") });
  });

  test.each(["%c3%a9", "%d0%b1", "%s", "%j", "%o%O", "%i%f", "%%", "%25"])(
    "gets message and fields also where the URL has %j, which is no format",
    (path) => {
      const { stream, lines } = memory();
      safeLogger(make(stream)).warn({ ...RECORD, url: `/${path}` }, `PUT /${path} refused`);
      expect(lines()).toEqual([
        expect.objectContaining({ ...RECORD, url: `/${path}`, [message]: `PUT /${path} refused` }),
      ]);
    },
  );
});

describe("errors that repeat what a client has sent", () => {
  class StoreError extends Error {
    override readonly name = "StoreError";
    readonly code = "E_STORE";
    readonly path = UNSAFE;
  }

  test.each(Object.entries(LIBRARIES))(
    "reach %s without control and format characters",
    (_library, { make, message }) => {
      let text = "";
      const stream = new Writable({
        write(chunk, _encoding, done) {
          text += String(chunk);
          done();
        },
      });
      const cause = new AggregateError([new Error(UNSAFE)], UNSAFE);
      safeLogger(make(stream)).error({ err: new StoreError(UNSAFE, { cause }) }, UNSAFE);
      // JSON escapes the line breaks between the frames of a stack.
      expect(text.replace(/\n$/, "")).not.toMatch(UNPRINTABLE);
      const line = JSON.parse(text);
      expect(line[message]).toBe(SAFE);
      expect(line.err.message).toContain(SAFE);
      expect(line.err.stack).toContain(SAFE);
      expect(line.err.stack).toMatch(/\n {4}at /);
      // Decoded, since what JSON escapes comes back when somebody shows it.
      JSON.parse(text, (_key, value) => {
        if (typeof value === "string") expect(value.replaceAll("\n", "")).not.toMatch(UNPRINTABLE);
        return value;
      });
    },
  );

  /** The error that a logger gets. */
  function logged(err: unknown): Error {
    const details: object[] = [];
    const logger = { warn() {}, error: (given: object) => void details.push(given) };
    safeLogger(logger).error({ err }, "x");
    return (details[0] as { err: Error }).err;
  }

  test("keep class, name, code, cause and stack, and the original is left as it is", () => {
    const cause = new TypeError(UNSAFE);
    const error = new StoreError(UNSAFE, { cause });
    const seen = logged(error) as StoreError;
    expect(seen).toBeInstanceOf(StoreError);
    expect(types.isNativeError(seen)).toBe(true);
    expect(seen).toMatchObject({ name: "StoreError", code: "E_STORE", message: SAFE, path: SAFE });
    expect(seen.cause).toBeInstanceOf(TypeError);
    expect((seen.cause as Error).message).toBe(SAFE);
    expect(seen.stack).toBe(error.stack?.replace(UNSAFE, SAFE));
    expect(Object.keys(seen)).toEqual(Object.keys(error));
    expect(error.message).toBe(UNSAFE);
    expect(error.cause).toBe(cause);
    expect(inspect(seen)).toContain("logger.test");
  });

  test("a forged frame in a message is no line of the stack", () => {
    const error = new Error("x\n    at admin (/forged.js:1:1)\n");
    expect(
      logged(error)
        .stack?.split("\n")
        .filter((line) => line.includes("forged")),
    ).toEqual(["Error: x\\u000a    at admin (/forged.js:1:1)\\u000a"]);
  });

  test("errors without such characters are passed on as they are", () => {
    const error = new StoreError("plain", { cause: new Error("é") });
    Object.defineProperty(error, "path", { value: "/a" });
    expect(logged(error)).toBe(error);
  });

  test("errors of the file system are copied as well, which other realms make", () => {
    let thrown: unknown;
    try {
      readFileSync(`/nowhere/${UNSAFE}`);
    } catch (error) {
      thrown = error;
    }
    const seen = logged(thrown);
    expect(seen).toMatchObject({ code: "ENOENT", syscall: "open", path: `/nowhere/${SAFE}` });
    expect(inspect(seen).replaceAll("\n", "")).not.toMatch(UNPRINTABLE);
  });

  test.each<[what: string, make: () => Error]>([
    [
      "its own cause",
      () => {
        const error = new Error(UNSAFE);
        error.cause = new Error(UNSAFE, { cause: error });
        return error;
      },
    ],
    [
      "a message that throws",
      () =>
        Object.defineProperty(new Error(UNSAFE), "message", {
          get() {
            throw new Error("trap");
          },
        }),
    ],
    ["a message that is a number", () => Object.assign(new Error(UNSAFE), { message: 7 })],
    ["no stack", () => Object.assign(new Error(UNSAFE), { stack: undefined })],
    ["a frozen one", () => Object.freeze(new Error(UNSAFE))],
    [
      "a hostile proxy",
      () =>
        new Proxy(new Error(UNSAFE), {
          ownKeys() {
            throw new Error("trap");
          },
        }),
    ],
  ])("an error with %s is logged, and safe", (_what, make) => {
    const seen = logged(make());
    const texts = [seen.message, seen.stack, (seen.cause as Error | undefined)?.message];
    expect(texts.join(" ").replaceAll("\n", "")).not.toMatch(UNPRINTABLE);
    expect(() => inspect(seen)).not.toThrow();
  });
});

test("what safeLogger returns can be taken apart: methods keep their logger", () => {
  const { stream, lines } = memory();
  const { warn, error } = safeLogger(pino({}, stream));
  warn({}, "a");
  error({}, "b");
  expect(lines().map(({ msg }) => msg)).toEqual(["a", "b"]);
});

describe("a raw winston logger is refused with the hint fromWinston(logger)", () => {
  const WINSTONS: [what: string, make: () => unknown][] = [
    ["a logger", () => winston.createLogger({ silent: true })],
    ["a child", () => winston.createLogger({ silent: true }).child({ app: "x" })],
    ["one of a container", () => new winston.Container().add("x", { silent: true })],
    ["the module itself, which is the default logger", () => winston],
  ];

  test.each(WINSTONS)("%s", (_what, make) => {
    const call = () => safeLogger(make());
    expect(call).toThrow(ExpectationError);
    expect(call).toThrow(expect.objectContaining({ code: "ERR_EXPECT_OPTION" }));
    expect(call).toThrow(/^logger: received a winston logger, .* pass fromWinston\(logger\)$/);
  });

  test.each(WINSTONS)("but %s fits through fromWinston", (_what, make) => {
    expect(() => safeLogger(fromWinston(make() as winston.Logger))).not.toThrow();
  });

  test("and fromWinston wants a logger itself", () => {
    for (const wrong of [undefined, null, {}, "winston", { warn() {} }]) {
      expect(() => fromWinston(wrong as never)).toThrow(/^fromWinston\(logger\): received .* methods warn and error/);
    }
  });
});

test.each([
  ["pino", () => pino({ enabled: false })],
  ["bunyan", () => bunyan.createLogger({ name: "test", stream: memory().stream })],
  ["console", () => console],
  ["silent", () => silent],
])("%s is taken as it is", (_what, make) => {
  expect(() => safeLogger(make())).not.toThrow();
});

test("messages about a wrong logger name the option", () => {
  expect(() => safeLogger(null, "attach({ logger })")).toThrow(
    "attach({ logger }): received null without the methods warn and error; expected a logger such as pino(), console or silent",
  );
});

describe("a logger that fails disturbs nothing", () => {
  test("when it throws", () => {
    let calls = 0;
    const fail = () => {
      calls++;
      throw new Error("disk full");
    };
    const logger = safeLogger({ warn: fail, error: fail });
    expect(() => logger.warn({}, "a")).not.toThrow();
    expect(() => logger.error({}, "b")).not.toThrow();
    expect(calls).toBe(2);
  });

  test("when it returns a promise that rejects", async () => {
    let calls = 0;
    const fail = async () => {
      calls++;
      throw new Error("disk full");
    };
    const logger = safeLogger({ warn: fail, error: fail });
    logger.warn({}, "a");
    logger.error({}, "b");
    // Jest fails a test that leaves a rejection unhandled.
    await new Promise(setImmediate);
    expect(calls).toBe(2);
  });

  test("when it is the console and somebody made that one throw", () => {
    jest.spyOn(console, "warn").mockImplementation(() => {
      throw new Error("no console in tests");
    });
    expect(() => safeLogger(undefined).warn({}, "a")).not.toThrow();
    expect(console.warn).toHaveBeenCalledTimes(1);
  });

  test("when it is the console and the details do not fit into JSON", () => {
    jest.spyOn(console, "error").mockImplementation(() => {});
    const err = Object.assign(new Error("x"), { stack: 1n });
    expect(() => safeLogger(undefined).error({ err }, "a")).not.toThrow();
  });
});

describe("the console, the default,", () => {
  function lineOf(level: "warn" | "error", details: object, message: string): string {
    const spy = jest.spyOn(console, level).mockImplementation(() => {});
    safeLogger(undefined)[level](details, message);
    expect(spy).toHaveBeenCalledTimes(1);
    expect(spy.mock.calls[0]).toHaveLength(1);
    return spy.mock.calls[0]![0] as string;
  }

  test.each(["warn", "error"] as const)("gets one line of JSON at %s", (level) => {
    const line = lineOf(level, { ...RECORD, reason: "two\nlines" }, MESSAGE);
    expect(line).not.toMatch(/[\r\n]/);
    const { time, ...written } = JSON.parse(line);
    expect(written).toEqual({ level, msg: MESSAGE, ...RECORD, reason: "two\nlines" });
    expect(new Date(time).toISOString()).toBe(time);
  });

  test("gets an error with name, message and stack, on one line", () => {
    const line = lineOf("error", { err: new TypeError("broken\nbadly") }, "x");
    expect(line).not.toMatch(/[\r\n]/);
    expect(JSON.parse(line).err).toEqual({
      name: "TypeError",
      message: "broken\\u000abadly",
      stack: expect.stringContaining("logger.test"),
    });
  });

  test("gets no more of an error than that, though it may have a toJSON of its own (axios: with credentials)", () => {
    const err = Object.assign(new Error("request failed"), {
      toJSON: () => ({ message: "request failed", config: { headers: { Authorization: "Bearer secret" } } }),
    });
    const line = lineOf("error", { err }, "x");
    expect(line).not.toContain("secret");
    expect(JSON.parse(line).err).toMatchObject({ name: "Error", message: "request failed" });
  });

  test("gets no control character and no line separator, not even by way of an error", () => {
    const line = lineOf("error", { err: new Error(UNSAFE), more: UNSAFE }, UNSAFE);
    expect(line).not.toMatch(UNPRINTABLE);
    expect(JSON.parse(line)).toMatchObject({ msg: SAFE, more: UNSAFE, err: { message: SAFE } });
  });
});

test("silent writes nothing", () => {
  const spies = (["warn", "error", "log"] as const).map((level) => jest.spyOn(console, level));
  safeLogger(silent).warn({}, "a");
  safeLogger(silent).error({}, "b");
  for (const spy of spies) expect(spy).not.toHaveBeenCalled();
});

describe("printable", () => {
  test.each([
    ["plain text, with é and ü", "plain text, with é and ü"],
    ["", ""],
    ["a\r\nb\tc\0", "a\\u000d\\u000ab\\u0009c\\u0000"],
    ["\u001b[31m", "\\u001b[31m"],
    ["\u007f\u0080\u0085\u009b\u009f\u00a0", "\\u007f\\u0080\\u0085\\u009b\\u009f\u00a0"],
    ["\u2028\u2029\u202a", "\\u2028\\u2029\\u202a"],
    [
      "pay\u202eexe.\u202c, soft\u00adhyphen, \ufeff\u200b\u2066",
      "pay\\u202eexe.\\u202c, soft\\u00adhyphen, \\ufeff\\u200b\\u2066",
    ],
    ["\u{e0041}\u{1d173}", "\\udb40\\udc41\\ud834\\udd73"],
    ["half \ud83d", "half \\ud83d"],
    ["\u{1f600}", "\u{1f600}"],
    ["x".repeat(1024), "x".repeat(1024)],
    ["x".repeat(1025), `${"x".repeat(1024)}…`],
  ])("makes %j into %j", (text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  test("escapes every control and format character, and no other", () => {
    const wrong: string[] = [];
    for (let code = 0; code <= 0x10ffff; code++) {
      const character = String.fromCodePoint(code);
      const units = character.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
      const expected = UNPRINTABLE.test(character) ? units.join("") : character;
      if (printable(character) !== expected) wrong.push(code.toString(16));
    }
    expect(wrong).toEqual([]);
  });
});

describe("loggableUrl", () => {
  test.each([
    ["/a/b", "/a/b"],
    ["", ""],
    ["*", "*"],
    ["/a?token=secret", "/a?token="],
    ["/a?x=1&token=secret&y=", "/a?x=&token=&y="],
    ["/a?secret", "/a?"],
    ["/a?secret&x=1", "/a?x="],
    ["/a?x=a=secret", "/a?x="],
    ["/a?x=1?secret", "/a?x="],
    ["/a?", "/a?"],
    ["/a#secret", "/a"],
    ["/a?x=1#secret", "/a?x="],
    ["/a#b?x=secret", "/a"],
    ["http://user:secret@host/a?x=secret", "http://host/a?x="],
    ["http://user:sec@ret@host:80/a", "http://host:80/a"],
    ["HTTPS://secret@host", "HTTPS://host"],
    ["http://host/a@b", "http://host/a@b"],
    ["/a@b", "/a@b"],
    ["/a\u0000\u0085b?x\n=1", "/a\\u0000\\u0085b?x\\u000a="],
    [`/${"a".repeat(2000)}`, `/${"a".repeat(1023)}…`],
  ])("makes %j into %j", (url, shown) => {
    expect(loggableUrl(url)).toBe(shown);
  });

  test("takes time linear in the length", () => {
    const begin = performance.now();
    for (const url of [
      "a".repeat(1e6),
      `http://${"a@".repeat(5e5)}/`,
      `http://${"@".repeat(1e6)}`,
      `/?${"a&".repeat(5e5)}`,
    ]) {
      loggableUrl(url);
    }
    expect(performance.now() - begin).toBeLessThan(10_000);
  });
});
