import { optionError } from "../support/errors.js";

/**
 * Returns the name of a policy in the `RateLimit` fields, or `fallback` if it is not set.
 *
 * @param option - the name of the option, for the error message.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for a name that cannot stand in a structured field without escapes.
 * @see RFC 9651 §3.3.3 (strings), draft-ietf-httpapi-ratelimit-headers-11 §3
 */
export function optionalRateLimitName(option: string, name: unknown, fallback: string): string {
  if (name === undefined) return fallback;
  if (typeof name === "string" && /^[\x20\x21\x23-\x5b\x5d-\x7e]{1,64}$/.test(name)) return name;
  throw optionError(option, name, "1 to 64 printable ASCII characters without quotes and backslashes");
}
