/** The exit code of wrong usage. */
export const WRONG_USAGE = 2;

/** Wrong usage. The message names the option, the received value and the expected one, in one line. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
