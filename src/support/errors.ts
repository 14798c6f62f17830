import { types } from "node:util";

/**
 * Every code an {@link ExpectationError} can carry; the README has a section for each.
 */
export type ExpectationErrorCode =
  | "ERR_EXPECT_OPTION"
  | "ERR_EXPECT_LISTENERS"
  | "ERR_EXPECT_POLICY"
  | "ERR_EXPECT_REFUSED"
  | "ERR_EXPECT_LIMIT"
  | "ERR_EXPECT_BODY_TIMEOUT"
  | "ERR_EXPECT_TOO_LATE";

/**
 * A fault of this package's use, or the reason why a request's body was cut off.
 *
 * Refusals are values and never thrown.
 */
export class ExpectationError extends Error {
  override readonly name = "ExpectationError";

  constructor(
    /** Stable and machine-readable; the message may change between releases, the code does not. */
    readonly code: ExpectationErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * Says which option is wrong, what was received and what is right.
 */
export function optionError(option: string, received: unknown, expected: string): ExpectationError {
  return new ExpectationError("ERR_EXPECT_OPTION", `${option}: received ${shown(received)}; expected ${expected}`);
}

/**
 * Says what a callback of the user's answered in place of what is right. A promise that rejects later ends no process.
 */
export function answerError(callback: string, answered: unknown, expected: string): ExpectationError {
  if (types.isPromise(answered)) answered.catch(() => {});
  return new ExpectationError("ERR_EXPECT_POLICY", `${callback}: answered ${kindOf(answered)}; expected ${expected}`);
}

// Not its text: who answers `req.headers.authorization` by mistake must not find it in the log.
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

/** What was thrown, as an error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(textOf(thrown));
}

/** Any value as text: there are objects that `String()` throws at. */
export function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return typeof value;
  }
}

/** What an error says: it may have a message that is no text, or throws. */
export function messageOf(error: Error): string {
  try {
    return String(error.message);
  } catch {
    return "an error without a message";
  }
}

/** Calls what must not disturb its caller: what it throws, at once or in a promise, goes to `tell`. */
export function callSafely(callback: () => unknown, tell: (error: Error) => void): void {
  try {
    const answered = callback();
    if (types.isPromise(answered)) answered.catch((error: unknown) => tell(asError(error)));
  } catch (error) {
    tell(asError(error));
  }
}
