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

function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return `a function${value.name === "" ? "" : ` (${value.name})`}`;
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  return String(value);
}

/** What was thrown, as an error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
