import { callSafely, ExpectationError, messageOf } from "../support/errors.js";
import { escaped } from "./printable.js";

/**
 * What a guard writes its records to: details first, then the message, as pino, bunyan and Fastify's logger take them.
 */
export interface Logger {
  /** A refusal, or something the operator should know. */
  warn(details: object, message: string): void;
  /** A fault: a policy that threw or did not answer. */
  error(details: object, message: string): void;
}

/** The part of a winston logger that {@link fromWinston} needs. */
export interface WinstonLike {
  warn(entry: object): unknown;
  error(entry: object): unknown;
}

/** How bad a record is. */
export type Level = keyof Logger;

/** Writes one record. */
export type Write = (details: object, message: string) => void;

/** Where a logger tells, before a record is built, what is to write it: nothing at all, as often as not. */
export const PREPARE: unique symbol = Symbol.for("express-expectations:prepare:1");

/** A logger that can be asked before a record is built. */
export interface PreparedLogger extends Logger {
  /** What writes the next record of this level; `undefined` where it is left out. */
  [PREPARE](level: Level): Write | undefined;
}

/** Writes nothing. */
export const silent: Logger = Object.freeze({ warn() {}, error() {}, [PREPARE]: () => undefined });

/** The default logger: one line of JSON a record, on the standard error stream. */
export const consoleLogger: Logger = Object.freeze({
  warn(details: object, message: string) {
    // biome-ignore lint/suspicious/noConsole: this is the default logger
    console.warn(jsonLine("warn", details, message));
  },
  error(details: object, message: string) {
    // biome-ignore lint/suspicious/noConsole: this is the default logger
    console.error(jsonLine("error", details, message));
  },
});

function jsonLine(level: string, details: object, msg: string): string {
  const line = JSON.stringify({ level, time: new Date().toISOString(), msg, ...withPlainErrors(details) });
  // JSON leaves these as they are.
  return line.replace(/[\u007f-\u009f\u2028\u2029]/g, escaped);
}

// An error as its name, message and stack, whatever else it carries or its own `toJSON` would tell.
function withPlainErrors(details: object): object {
  return Object.fromEntries(
    Object.entries(details).map(([key, value]) => [
      key,
      value instanceof Error ? { name: value.name, message: messageOf(value), stack: value.stack } : value,
    ]),
  );
}

/**
 * Fits a winston logger, which takes the message first and would drop it otherwise.
 *
 * @example expectations({ policies, logger: fromWinston(winston.createLogger({ … })) })
 */
export function fromWinston(logger: WinstonLike): Logger {
  requireMethods(logger, "fromWinston(logger)");
  return {
    // One object: winston takes a percent sign in a message for a format, and then drops the details.
    warn: (details, message) => void logger.warn({ ...withPlainErrors(details), message }),
    error: (details, message) => void logger.error({ ...withPlainErrors(details), message }),
  };
}

/**
 * Checks a logger when a factory is called, and wraps it so that nothing it does disturbs a request.
 *
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for what is no logger, and for a raw winston logger.
 */
export function safeLogger(given: unknown, option = "logger"): PreparedLogger {
  const logger = given === undefined ? consoleLogger : given;
  requireMethods(logger, option);
  if (isWinston(logger)) {
    throw new ExpectationError(
      "ERR_EXPECT_OPTION",
      `${option}: received a winston logger, which takes (message, details) and would drop every message; pass fromWinston(logger)`,
    );
  }
  const write: Record<Level, Write> = {
    warn: (details, message) => callSafely(() => logger.warn(details, message), ignore),
    error: (details, message) => callSafely(() => logger.error(details, message), ignore),
  };
  // Its own alone: some loggers are a Proxy that has a method by any name.
  const prepared = Object.hasOwn(logger, PREPARE) ? (logger as PreparedLogger) : undefined;
  return { ...write, [PREPARE]: (level) => (prepared ? prepared[PREPARE](level) : write[level]) };
}

function requireMethods(logger: unknown, option: string): asserts logger is Logger {
  const { warn, error } = (logger ?? {}) as Partial<Logger>;
  if (typeof warn === "function" && typeof error === "function") return;
  throw new ExpectationError(
    "ERR_EXPECT_OPTION",
    `${option}: received ${logger === null ? "null" : typeof logger} without the methods warn and error; expected a logger such as pino(), console or silent`,
  );
}

// Where would it be told?
function ignore(): void {}

function isWinston(logger: object): boolean {
  return "transports" in logger && "configure" in logger;
}
