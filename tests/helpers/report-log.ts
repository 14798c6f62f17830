import { Readable, Writable } from "node:stream";
import bunyan from "bunyan";
import pino from "pino";
import winston from "winston";
import type { Terminal } from "../../src/cli/command.js";
import { consoleLogger, fromWinston, type Logger } from "../../src/observe/logger.js";
import type { RefusalRecord } from "../../src/observe/record.js";

/** One refusal as the package logs it. */
export const REFUSAL: RefusalRecord = {
  event: "expectation.refused",
  method: "PUT",
  url: "/images/1?token=",
  route: "/images/:id",
  status: 413,
  policy: "maxSize",
  reason: "larger than 10 bytes",
  expectation: "100-continue",
  declaredLength: 2_097_152,
  bytesSpared: 2_097_152,
  withheld: true,
  client: "192.0.2.1",
  userAgent: "curl/7.88.1",
  durationMs: 0.25,
  httpVersion: "1.1",
  requestId: "7",
};

/** A stream that keeps what is written to it. */
export class Kept extends Writable {
  text = "";

  override _write(chunk: Buffer | string, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.text += String(chunk);
    done();
  }
}

/** The loggers that people have; each gets a function that writes its line of JSON. */
export const LOGGERS: Readonly<Record<string, (stream: Writable) => Logger>> = {
  pino: (stream) => pino({}, stream),
  "pino with ISO times": (stream) => pino({ timestamp: pino.stdTimeFunctions.isoTime }, stream),
  "pino with seconds": (stream) => pino({ timestamp: pino.stdTimeFunctions.unixTime }, stream),
  "a child of pino": (stream) => pino({}, stream).child({ app: { name: "x", tags: ["a", { b: 1 }] } }),
  bunyan: (stream) => bunyan.createLogger({ name: "x", stream, serializers: bunyan.stdSerializers }),
  "winston with times": (stream) => fromWinston(winstonTo(stream, winston.format.timestamp())),
  winston: (stream) => fromWinston(winstonTo(stream)),
};

function winstonTo(stream: Writable, ...formats: winston.Logform.Format[]): winston.Logger {
  const { combine, errors, json } = winston.format;
  return winston.createLogger({
    format: combine(errors({ stack: true }), ...formats, json()),
    transports: [new winston.transports.Stream({ stream })],
  });
}

/** What a logger writes. */
export function linesOf(make: (stream: Writable) => Logger, write: (logger: Logger) => void): string {
  const stream = new Kept();
  write(make(stream));
  return stream.text;
}

/** What this package's own logger writes to the console. */
export function consoleLines(write: (logger: Logger) => void): string {
  const lines: unknown[] = [];
  const { warn, error } = console;
  console.warn = console.error = (line: unknown) => void lines.push(line);
  try {
    write(consoleLogger);
  } finally {
    Object.assign(console, { warn, error });
  }
  return lines.map((line) => `${line}\n`).join("");
}

/** What stands in for a terminal. */
export interface FakeTerminal extends Terminal {
  readonly stdout: Kept & { isTTY?: boolean; columns?: number };
  readonly stderr: Kept & { isTTY?: boolean; columns?: number };
}

/** A terminal whose output is kept. */
export function fakeTerminal(
  options: {
    stdin?: Buffer | string | Iterable<Buffer>;
    isTTY?: boolean;
    columns?: number;
    env?: Record<string, string>;
  } = {},
): FakeTerminal {
  const { stdin = "", isTTY = false, columns, env = {} } = options;
  const size = columns === undefined ? {} : { columns };
  const chunks = typeof stdin === "string" || Buffer.isBuffer(stdin) ? [Buffer.from(stdin as string)] : stdin;
  return {
    stdin: Object.assign(Readable.from(chunks, { objectMode: true }), { isTTY: false }),
    stdout: Object.assign(new Kept(), { isTTY, ...size }),
    stderr: Object.assign(new Kept(), { isTTY, ...size }),
    env,
  };
}
