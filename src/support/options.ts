import { ExpectationError, optionError } from "./errors.js";
import { nearestTo } from "./nearest.js";

/**
 * Checks that options are an object with known keys only.
 *
 * @param factory - the name of the function that takes the options, for the error message.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION`; for an unknown key the message names the known key most like it.
 */
export function requireKnownKeys(factory: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw optionError(`${factory}(options)`, options, "an object");
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const nearest = nearestTo(key, known);
    const hint = nearest === undefined ? `expected one of ${known.join(", ")}` : `did you mean ${nearest}?`;
    throw new ExpectationError(
      "ERR_EXPECT_OPTION",
      `${factory}(options): unknown option ${JSON.stringify(key)}; ${hint}`,
    );
  }
}

/**
 * Returns an option that is `true` or `false`, or `fallback` if it is not set.
 *
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for any other value.
 */
export function optionalBoolean(option: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value === "boolean") return value;
  throw optionError(option, value, "true or false");
}

/**
 * Returns an option that is one of `choices`, or `fallback` if it is not set.
 *
 * @param orElse - further values that the caller accepts, for the end of the error message.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for any other value.
 */
export function optionalOneOf<T extends string>(
  option: string,
  value: unknown,
  choices: readonly T[],
  fallback: T,
  orElse = "",
): T {
  if (value === undefined) return fallback;
  if (choices.includes(value as T)) return value as T;
  throw optionError(option, value, choices.map((choice) => JSON.stringify(choice)).join(" or ") + orElse);
}

/** The longest delay of Node's timers, in milliseconds. A longer one would fire at once. */
export const MAX_TIMER_MS: number = 2 ** 31 - 1;

/**
 * Returns an option that is a whole number from 1 to `most`, or `fallback` if it is not set.
 *
 * @param most - by default the longest delay of a timer, in milliseconds.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for any other value.
 */
export function optionalCount(option: string, value: unknown, fallback: number, most: number = MAX_TIMER_MS): number {
  if (value === undefined) return fallback;
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most) return value as number;
  throw optionError(option, value, `a whole number from 1 to ${most}`);
}

/**
 * Returns an option that must be a whole number, 1 or more.
 *
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for any other value, `undefined` included.
 */
export function requireCount(option: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number;
  throw optionError(option, value, "a whole number from 1");
}

/**
 * Returns an option that is a function, or `undefined` if it is not set.
 *
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for any other value.
 */
export function optionalFunction<F>(option: string, value: F | undefined): F | undefined {
  if (value === undefined || typeof value === "function") return value;
  throw optionError(option, value, "a function");
}
