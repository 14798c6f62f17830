import { callSafely, ExpectationError, messageOf } from "../support/errors.js";
import { withEscapes } from "./printable.js";
import { printableDetails } from "./printable-error.js";

/**
 * Receives the records of guards: the details first, then the message, as pino, bunyan and Fastify's logger do.
 */
export interface Logger {
  /** Writes a refusal, or something else that the operator should know. */
  warn(details: object, message: string): void;
  /** Writes a fault, such as a policy that threw or did not decide in time. */
  error(details: object, message: string): void;
}

/** The methods of a winston logger that {@link fromWinston} calls. */
export interface WinstonLike {
  warn(entry: object): unknown;
  error(entry: object): unknown;
}

/** The severity of a record. */
export type Level = keyof Logger;

/** Writes one record. */
export type Write = (details: object, message: string) => void;

/** The key of the method that makes a logger a {@link PreparedLogger}. Both copies of this package use the same. */
export const PREPARE: unique symbol = Symbol.for("express-expectations:prepare:1");

/** A logger that can say, before a record is built, whether it writes the record. */
export interface PreparedLogger extends Logger {
  /** Returns the function that writes the next record of this level, or `undefined` if that record is left out. */
  [PREPARE](level: Level): Write | undefined;
}

/** A logger that writes nothing. */
export const silent: Logger = Object.freeze({ warn() {}, error() {}, [PREPARE]: () => undefined });

/** The default logger. Writes each record as one line of JSON to the standard error stream. */
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
  // JSON.stringify() leaves most of them as they are.
  return withEscapes(JSON.stringify({ level, time: new Date().toISOString(), msg, ...withPlainErrors(details) }));
}

// Only the name, message and stack of an error: its other properties and its `toJSON` may hold credentials.
function withPlainErrors(details: object): object {
  return Object.fromEntries(
    Object.entries(details).map(([key, value]) => [
      key,
      value instanceof Error ? { name: value.name, message: messageOf(value), stack: value.stack } : value,
    ]),
  );
}

/**
 * Makes a {@link Logger} of a winston logger. Winston takes the message first, and would drop it if it came second.
 *
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` if `logger` has no methods `warn` and `error`.
 * @example expectations({ policies, logger: fromWinston(winston.createLogger({ … })) })
 */
export function fromWinston(logger: WinstonLike): Logger {
  requireMethods(logger, "fromWinston(logger)");
  return {
    // One argument: with two, winston takes a percent sign in the message for a format and drops the details.
    warn: (details, message) => void logger.warn({ ...withPlainErrors(details), message }),
    error: (details, message) => void logger.error({ ...withPlainErrors(details), message }),
  };
}

/**
 * Checks a logger and wraps it so that its errors do not affect a request, and so that no error and no message carries
 * control or format characters into it.
 *
 * @param given - the user's logger; `undefined` for the default one.
 * @param option - the name of the option, for the error message.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` if the methods `warn` and `error` are missing, and for a raw winston
 *   logger.
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
    warn: (details, message) => callSafely(() => logger.warn(...printed(details, message)), ignore),
    error: (details, message) => callSafely(() => logger.error(...printed(details, message)), ignore),
  };
  // Object.hasOwn: some loggers are a Proxy that returns a method for any name.
  const prepared = Object.hasOwn(logger, PREPARE) ? (logger as PreparedLogger) : undefined;
  return { ...write, [PREPARE]: (level) => (prepared ? prepared[PREPARE](level) : write[level]) };
}

// Everything that reaches a logger passes here.
function printed(details: object, message: string): [details: object, message: string] {
  return [printableDetails(details), withEscapes(message)];
}

function requireMethods(logger: unknown, option: string): asserts logger is Logger {
  const { warn, error } = (logger ?? {}) as Partial<Logger>;
  if (typeof warn === "function" && typeof error === "function") return;
  throw new ExpectationError(
    "ERR_EXPECT_OPTION",
    `${option}: received ${logger === null ? "null" : typeof logger} without the methods warn and error; expected a logger such as pino(), console or silent`,
  );
}

// A failing logger has nowhere to report.
function ignore(): void {}

function isWinston(logger: object): boolean {
  return "transports" in logger && "configure" in logger;
}
