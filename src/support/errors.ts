import { types } from "node:util";

/** The codes of an {@link ExpectationError}. docs/errors.md has a section for each. */
export type ExpectationErrorCode =
  | "ERR_EXPECT_OPTION"
  | "ERR_EXPECT_LISTENERS"
  | "ERR_EXPECT_POLICY"
  | "ERR_EXPECT_REFUSED"
  | "ERR_EXPECT_LIMIT"
  | "ERR_EXPECT_BODY_TIMEOUT"
  | "ERR_EXPECT_TOO_LATE";

/**
 * An error in how this package is used, or the reason why the content of a request was cut off.
 *
 * Refusals are values and are not thrown: see {@link refuse}.
 */
export class ExpectationError extends Error {
  override readonly name = "ExpectationError";
  /** Where the code is explained: a page of the installed package. Node prints it with an error that is not caught. */
  readonly help: string;

  constructor(
    /** Identifies the kind of error. The message may change between releases, the code does not. */
    readonly code: ExpectationErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.help = `node_modules/express-expectations/docs/errors.md#${code.toLowerCase()}`;
  }
}

/**
 * Makes the error for a wrong option.
 *
 * @param option - the name of the option.
 * @param received - the wrong value.
 * @param expected - describes the right values.
 */
export function optionError(option: string, received: unknown, expected: string): ExpectationError {
  return new ExpectationError("ERR_EXPECT_OPTION", `${option}: received ${shown(received)}; expected ${expected}`);
}

/**
 * Makes the error for a callback of the user that returned a wrong value.
 *
 * If the value is a promise, its rejection is handled: an unhandled one would end the process.
 *
 * @param callback - the name of the callback.
 * @param answered - the value that it returned.
 * @param expected - describes the right values.
 */
export function answerError(callback: string, answered: unknown, expected: string): ExpectationError {
  if (types.isPromise(answered)) answered.catch(() => {});
  return new ExpectationError("ERR_EXPECT_POLICY", `${callback}: returned ${kindOf(answered)}; expected ${expected}`);
}

// Without the text of strings: a callback that returns `req.headers.authorization` by mistake must not log credentials.
function kindOf(value: unknown): string {
  if (value === null || typeof value === "number") return String(value);
  return types.isPromise(value) ? "a promise" : typeof value;
}

function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return `a function${value.name === "" ? "" : ` (${value.name})`}`;
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  return String(value);
}

/** Returns a thrown value as an error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(textOf(thrown));
}

/** Returns any value as text. Never throws; `String()` does for objects without a prototype. */
export function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return typeof value;
  }
}

/** Returns the message of an error. Never throws, whatever the application has assigned to `message`. */
export function messageOf(error: Error): string {
  try {
    return String(error.message);
  } catch {
    return "an error without a message";
  }
}

/** Calls `callback`, and passes what it throws or rejects with to `onError`. Never throws, unless `onError` does. */
export function callSafely(callback: () => unknown, onError: (error: Error) => void): void {
  try {
    const returned = callback();
    if (types.isPromise(returned)) returned.catch((error: unknown) => onError(asError(error)));
  } catch (error) {
    onError(asError(error));
  }
}
