/** The exit code of wrong usage. */
export const WRONG_USAGE = 2;

/** Wrong usage; the message says in one line which option, what was received and what is right. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
