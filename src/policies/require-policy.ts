import { ExpectationError, optionError } from "../support/errors.js";
import { requireCalled } from "../support/factories.js";
import type { Policy } from "./policy.js";
import { isRefusal } from "./refuse.js";

/**
 * Checks that a value can be a policy.
 *
 * @param option - the name of the option, for the error message.
 * @param expected - describes the right values.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for anything but a function, and for a factory such as `maxSize` that
 *   was not called.
 */
export function requirePolicy(option: string, value: unknown, expected: string): asserts value is Policy<never> {
  requireNoMistake(option, value);
  if (typeof value !== "function") throw optionError(option, value, expected);
}

/**
 * Explains two usual mistakes: a factory that was not called, and a refusal in place of a policy that returns it.
 *
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for both.
 */
export function requireNoMistake(option: string, value: unknown): void {
  requireCalled(option, value);
  if (!isRefusal(value)) return;
  const message = `${option}: received a refusal, which is no policy: write () => refuse(${value.status})`;
  throw new ExpectationError("ERR_EXPECT_OPTION", message);
}
