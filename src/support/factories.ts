import { ExpectationError } from "./errors.js";

/** The key under which a factory says how it is called. Both copies of this package use the same. */
const USAGE = Symbol.for("express-expectations:factory:1");

/**
 * Marks a function that makes policies or guards, so that {@link requireCalled} recognises it.
 *
 * Called on import, behind the function's declaration: the only call that is allowed there (`.ci/rules/`).
 *
 * @param usage - how it is called, such as `maxSize("10mb")`.
 */
export function markFactory(factory: object, usage: string): void {
  Object.defineProperty(factory, USAGE, { value: usage });
}

/**
 * Checks that a value is not a factory of this package. Used as a policy or guard, it would make a new one for each
 * request, and decide nothing.
 *
 * @param option - the name of the option, for the error message.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for a factory that was passed without being called.
 */
export function requireCalled(option: string, value: unknown): void {
  if (typeof value !== "function") return;
  const usage = (value as { [USAGE]?: string })[USAGE];
  if (usage === undefined) return;
  const message = `${option}: ${value.name} was passed without being called: write ${usage}`;
  throw new ExpectationError("ERR_EXPECT_OPTION", message);
}
