import { execFile } from "node:child_process";
import { Console } from "node:console";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import * as fs from "node:fs";
import * as path from "node:path";
import { Writable } from "node:stream";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import bunyan from "bunyan";
import pino from "pino";
import winston from "winston";
import { expectations, type Policy, refuse } from "../../../src/index.js";
import { fromWinston, type Logger, silent } from "../../../src/observe/logger.js";
import { sampled } from "../../../src/observe/sampled.js";
import { ExpectationError } from "../../../src/support/errors.js";
import { deadline } from "../../helpers/deadline.js";
import fc from "../../helpers/properties.js";
import { closeServers, type Handler, recordingLogger, startAttached } from "../../helpers/servers.js";
import { WireClient } from "../../helpers/wire.js";
import { transpiled } from "../../redis/processes.js";

// Time stands still until a test moves it: the clock alone, as a busy event loop sees it, or the timers with it.
let clockMs = 0;

function passTime(ms: number): void {
  clockMs += ms;
  jest.advanceTimersByTime(ms);
}

function passTimeBusily(ms: number): void {
  clockMs += ms;
}

const stopTime = () => {
  clockMs = 5_000.25;
  jest.useFakeTimers({ doNotFake: ["performance"] });
  jest.spyOn(performance, "now").mockImplementation(() => clockMs);
};

afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

type Level = keyof Logger;

const LEVELS: readonly Level[] = ["warn", "error"];

function write(logger: Logger, level: Level, count: number, from = 0): void {
  for (let i = from; i < from + count; i++) logger[level]({ i }, `record ${i}`);
}

const summary = (level: Level, omitted: number, perSecond: number) => ({
  level,
  message: `records at ${level} that were left out in a second: ${omitted}`,
  details: { event: "expectation.omitted", omitted, perSecond, windowMs: 1_000 },
});

const records = (level: Level, count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => ({
    level,
    message: `record ${from + i}`,
    details: { i: from + i },
  }));

describe("options", () => {
  const wrong: [what: string, call: () => unknown, message: RegExp][] = [
    ["no options", () => sampled(silent, undefined as never), /^sampled\(options\): received undefined; .* an object$/],
    [
      "no rate",
      () => sampled(silent, {} as never),
      /^sampled\(logger, \{ perSecond \}\): received undefined; expected a whole number from 1$/,
    ],
    ...[0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, "50", null, true].map(
      (perSecond): [string, () => unknown, RegExp] => [
        `a rate of ${String(perSecond)} (${typeof perSecond})`,
        () => sampled(silent, { perSecond: perSecond as never }),
        /^sampled\(logger, \{ perSecond \}\): received .*; expected a whole number from 1$/,
      ],
    ),
    [
      "another name for the rate",
      () => sampled(silent, { persecond: 50 } as never),
      /^sampled\(options\): unknown option "persecond"; did you mean perSecond\?$/,
    ],
    [
      "options without a logger",
      () => sampled({ perSecond: 50 } as never, undefined as never),
      /^sampled\(logger\): received object without the methods warn and error/,
    ],
    ["null", () => sampled(null as never, { perSecond: 50 }), /^sampled\(logger\): received null without the methods/],
    [
      "a raw winston logger",
      () => sampled(winston.createLogger({ silent: true }) as never, { perSecond: 50 }),
      /^sampled\(logger\): received a winston logger, .* pass fromWinston\(logger\)$/,
    ],
  ];

  test.each(wrong)("%s: ERR_EXPECT_OPTION", (_what, call, message) => {
    expect(call).toThrow(ExpectationError);
    expect(call).toThrow(expect.objectContaining({ code: "ERR_EXPECT_OPTION" }));
    expect(call).toThrow(message);
  });

  test("the object is not changed, and may be frozen", () => {
    expect(() => sampled(silent, Object.freeze({ perSecond: 1 }))).not.toThrow();
  });
});

describe("a second", () => {
  beforeEach(stopTime);

  test.each(LEVELS)("at %s: as many records as asked for, the first ones, and a word about the rest", (level) => {
    const kept = recordingLogger();
    const logger = sampled(kept, { perSecond: 3 });
    write(logger, level, 10);
    expect(kept.records).toEqual(records(level, 3));
    passTime(999);
    expect(kept.records).toHaveLength(3);
    passTime(1);
    expect(kept.records.slice(3)).toEqual([summary(level, 7, 3)]);
  });

  test("without more records than that: no word about any", () => {
    const kept = recordingLogger();
    const logger = sampled(kept, { perSecond: 3 });
    for (let second = 0; second < 5; second++) {
      write(logger, "warn", 3, second * 3);
      expect(jest.getTimerCount()).toBe(0);
      passTime(1_000);
    }
    expect(kept.records).toEqual(records("warn", 15));
  });

  test("begins with a record: one that comes late does not share its second with those behind it", () => {
    const kept = recordingLogger();
    const logger = sampled(kept, { perSecond: 2 });
    passTime(700);
    write(logger, "warn", 3);
    passTime(999);
    write(logger, "warn", 1, 3);
    expect(kept.records).toEqual(records("warn", 2));
    passTime(1);
    write(logger, "warn", 3, 4);
    expect(kept.records.slice(2)).toEqual([summary("warn", 2, 2), ...records("warn", 2, 4)]);
  });

  test("the word comes before the next second's first record where the timer is late, and only once", () => {
    const kept = recordingLogger();
    const logger = sampled(kept, { perSecond: 2 });
    write(logger, "warn", 5);
    expect(jest.getTimerCount()).toBe(1);
    passTimeBusily(1_800);
    write(logger, "warn", 1, 5);
    expect(kept.records.slice(2)).toEqual([summary("warn", 3, 2), ...records("warn", 1, 5)]);
    expect(jest.getTimerCount()).toBe(0);
    passTime(3_000);
    expect(kept.records).toHaveLength(4);
  });

  test("the word comes by itself where the flood stops, and only once", () => {
    const kept = recordingLogger();
    const logger = sampled(kept, { perSecond: 2 });
    write(logger, "warn", 5);
    passTime(10_000);
    expect(kept.records.slice(2)).toEqual([summary("warn", 3, 2)]);
    write(logger, "warn", 1, 5);
    expect(kept.records.slice(3)).toEqual(records("warn", 1, 5));
    expect(jest.getTimerCount()).toBe(0);
  });

  test("levels are counted apart: a flood of refusals hides no fault", () => {
    const kept = recordingLogger();
    const logger = sampled(kept, { perSecond: 2 });
    write(logger, "warn", 1_000);
    write(logger, "error", 3);
    expect(kept.records).toEqual([...records("warn", 2), ...records("error", 2)]);
    passTime(1_000);
    expect(kept.records.slice(4)).toEqual([summary("warn", 998, 2), summary("error", 1, 2)]);
  });

  test("two around one logger count apart", () => {
    const kept = recordingLogger();
    const [a, b] = [sampled(kept, { perSecond: 1 }), sampled(kept, { perSecond: 2 })];
    write(a, "warn", 3);
    write(b, "warn", 3, 10);
    expect(kept.records).toEqual([...records("warn", 1), ...records("warn", 2, 10)]);
  });

  test("one around another: what both leave out is told by each", () => {
    const kept = recordingLogger();
    const logger = sampled(sampled(kept, { perSecond: 2 }), { perSecond: 3 });
    write(logger, "warn", 10);
    passTime(1_000);
    expect(kept.records).toEqual([...records("warn", 2), summary("warn", 1, 2), summary("warn", 7, 3)]);
  });

  test("whatever comes when: nothing is lost, nothing is left out without need, no second holds too much", () => {
    const step = fc.record({
      afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 41, max: 2_500 })),
      isBusy: fc.boolean(),
      level: fc.constantFrom(...LEVELS),
      count: fc.integer({ min: 1, max: 6 }),
    });
    const told = { omitted: 0 };
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 5 }), (steps, perSecond) => {
        const heard: { level: Level; atMs: number; i?: number; omitted?: number }[] = [];
        const hear = (level: Level) => (details: object) => void heard.push({ level, atMs: clockMs, ...details });
        const logger = sampled({ warn: hear("warn"), error: hear("error") }, { perSecond });
        const sent: { level: Level; atMs: number }[] = [];
        for (const { afterMs, isBusy, level, count } of steps) {
          if (isBusy) passTimeBusily(afterMs);
          else passTime(afterMs);
          for (let i = 0; i < count; i++) {
            logger[level]({ i: sent.length }, "");
            sent.push({ level, atMs: clockMs });
          }
        }
        passTime(1_000);
        for (const level of LEVELS) {
          const ofLevel = heard.filter((record) => record.level === level);
          const written = ofLevel.filter(({ i }) => i !== undefined);
          const omitted = ofLevel.reduce((sum, record) => sum + (record.omitted ?? 0), 0);
          told.omitted += omitted;
          expect(written.length + omitted).toBe(sent.filter((record) => record.level === level).length);
          expect(ofLevel.every(({ omitted }) => omitted === undefined || omitted > 0)).toBe(true);

          let second = Number.NEGATIVE_INFINITY;
          let inSecond = 0;
          for (const { atMs } of written) {
            if (atMs - second >= 1_000) [second, inSecond] = [atMs, 0];
            inSecond++;
            expect(inSecond).toBeLessThanOrEqual(perSecond);
          }

          const writtenIds = new Set(written.map(({ i }) => i));
          for (const [i, { level: itsLevel, atMs }] of sent.entries()) {
            if (itsLevel !== level || writtenIds.has(i)) continue;
            const recent = written.filter((record) => record.atMs <= atMs && atMs - record.atMs < 1_000);
            expect(recent.length).toBeGreaterThanOrEqual(perSecond);
          }
        }
        expect(jest.getTimerCount()).toBe(0);
      }),
      { numRuns: 300 },
    );
    expect(told.omitted).toBeGreaterThan(1_000);
  });
});

describe("around the loggers that people have", () => {
  beforeEach(stopTime);

  function memory() {
    const kept = { text: "" };
    const stream = new Writable({
      write(chunk, _encoding, done) {
        kept.text += String(chunk);
        done();
      },
    });
    return { kept, stream };
  }

  const json = (text: string) =>
    text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));

  const wrapped: Record<string, { make: (stream: Writable) => Logger; message: string; levels: unknown[] }> = {
    pino: { make: (stream) => pino({}, stream), message: "msg", levels: [40, 50] },
    bunyan: { make: (stream) => bunyan.createLogger({ name: "test", stream }), message: "msg", levels: [40, 50] },
    "winston through fromWinston": {
      make: (stream) => fromWinston(winston.createLogger({ transports: [new winston.transports.Stream({ stream })] })),
      message: "message",
      levels: ["warn", "error"],
    },
  };

  test.each(Object.entries(wrapped))("%s gets records and the word at their levels", (_name, library) => {
    const { kept, stream } = memory();
    const logger = sampled(library.make(stream), { perSecond: 1 });
    write(logger, "warn", 3);
    write(logger, "error", 2, 3);
    passTime(1_000);
    const omitted = { event: "expectation.omitted", perSecond: 1, windowMs: 1_000 };
    expect(json(kept.text)).toEqual([
      expect.objectContaining({ level: library.levels[0], [library.message]: "record 0", i: 0 }),
      expect.objectContaining({ level: library.levels[1], [library.message]: "record 3", i: 3 }),
      expect.objectContaining({
        ...omitted,
        level: library.levels[0],
        [library.message]: "records at warn that were left out in a second: 2",
        omitted: 2,
      }),
      expect.objectContaining({
        ...omitted,
        level: library.levels[1],
        [library.message]: "records at error that were left out in a second: 1",
        omitted: 1,
      }),
    ]);
  });

  test("console", () => {
    const { kept, stream } = memory();
    const logger = sampled(new Console(stream), { perSecond: 1 });
    write(logger, "warn", 3);
    passTime(1_000);
    expect(kept.text).toMatch(/^\{ i: 0 \} record 0\n\{[^}]*omitted: 2,[^}]*\} records at warn that were left out/);
  });

  test("silent stays silent, and counts all the same", () => {
    const spies = (["warn", "error", "log"] as const).map((method) => jest.spyOn(console, method));
    const logger = sampled(silent, { perSecond: 1 });
    write(logger, "warn", 3);
    passTime(1_000);
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("disk full");
      },
    ],
    ["rejects", () => Promise.reject(new Error("disk full"))],
  ])("a logger that %s disturbs nothing, in the second or at its end", async (_what, fail) => {
    const warn = jest.fn((_details: object, _message: string): unknown => fail());
    const logger = sampled({ warn, error() {} }, { perSecond: 2 });
    expect(() => write(logger, "warn", 5)).not.toThrow();
    expect(() => passTime(1_000)).not.toThrow();
    // Jest fails a test that leaves a rejection unhandled.
    await Promise.resolve();
    expect(warn).toHaveBeenCalledTimes(3);
    expect(warn).toHaveBeenLastCalledWith(expect.objectContaining({ omitted: 3 }), expect.anything());
  });
});

test("in real time: a second after the flood, the word", async () => {
  const kept = recordingLogger();
  let tell: () => void = () => {};
  const told = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const logger = sampled(
    {
      ...kept,
      warn(details, message) {
        kept.warn(details, message);
        if ("omitted" in details) tell();
      },
    },
    { perSecond: 50 },
  );
  const startedAt = performance.now();
  write(logger, "warn", 10_000);
  // The test must outlive a timer that keeps nothing alive.
  const alive = setTimeout(() => {}, deadline(8_000));
  await told;
  clearTimeout(alive);
  expect(performance.now() - startedAt).toBeGreaterThan(990);
  const omitted = kept.records.map(({ details }) => details.omitted ?? 0) as number[];
  expect(kept.records).toHaveLength(51);
  expect(omitted.reduce((sum, number) => sum + number)).toBe(9_950);
});

test("keeps no process alive", async () => {
  const folder = transpiled(path.join(__dirname, "sampled-child.mjs"));
  try {
    const child = promisify(execFile)(process.execPath, [path.join(folder, "sampled-child.mjs")], {
      timeout: deadline(15_000),
    });
    const { written, livedOnMs } = JSON.parse((await child).stdout);
    expect(written).toBe(10);
    expect(livedOnMs).toBeLessThan(500);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

describe("as the logger of a guard", () => {
  afterEach(closeServers);

  const UPLOAD = "PUT /files HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";

  // Building a record reads `req.id`: whoever counts that counts records that are built.
  async function refuseMany(count: number, policy: Policy, perSecond: number) {
    const kept = recordingLogger();
    const reads = { ofId: 0 };
    const counting: Handler = (req, _res, next) => {
      Object.defineProperty(req, "id", { get: () => `r-${++reads.ofId}` });
      next();
    };
    const guard = expectations({ policies: [policy], logger: sampled(kept, { perSecond }) }) as Handler;
    const { port } = await startAttached("node:http", { use: [counting, guard] }, { logger: silent });
    const statuses = new Set<number>();
    // All of them in one second, however long it takes.
    jest.spyOn(performance, "now").mockImplementation(() => 1_000);
    await Promise.all(
      Array.from({ length: count }, async () => {
        const wire = await WireClient.connect(port);
        wire.send(UPLOAD);
        statuses.add((await wire.final()).status);
        wire.destroy();
      }),
    );
    return { kept, reads, statuses: [...statuses] };
  }

  const refusing: Policy = () => refuse(403);
  const breaking: Policy = () => {
    throw new Error("broken");
  };

  test.each([
    ["refusals", refusing, 403],
    ["faults", breaking, 500],
  ] as const)("all %s are sent, and records that are left out are not even built", async (_what, policy, status) => {
    const { kept, reads, statuses } = await refuseMany(30, policy, 5);
    expect(statuses).toEqual([status]);
    expect(kept.records.map(({ details }) => details.requestId)).toEqual(["r-1", "r-2", "r-3", "r-4", "r-5"]);
    expect(reads.ofId).toBe(5);
  });

  test("who subscribes hears of all of them, whatever the log leaves out", async () => {
    const heard: unknown[] = [];
    const hear = (message: unknown) => void heard.push(message);
    subscribe("express-expectations:refuse", hear);
    try {
      const { kept, reads } = await refuseMany(30, refusing, 5);
      expect(kept.records).toHaveLength(5);
      expect(heard).toHaveLength(30);
      expect(reads.ofId).toBe(30);
    } finally {
      unsubscribe("express-expectations:refuse", hear);
    }
  });
});
