import type { Refusal } from "../http/refusal.js";
import { ExpectationError, optionError } from "../support/errors.js";

const OPTION = "refuse(status, { problem })";
/** Members that are text (RFC 9457 §3.1). */
const TEXT_MEMBERS = ["type", "title", "detail", "instance"];

/**
 * Checks the option `problem` of `refuse`.
 *
 * @returns a copy, so that a refusal that is made once stays the same.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for anything but an object that can be JSON, for a `status`, which is
 *   that of the response, and for a member of RFC 9457 that is not text.
 */
export function readProblem(problem: unknown): Refusal["problem"] {
  if (problem === undefined) return undefined;
  const copy = copyOf(problem);
  if (typeof copy !== "object" || copy === null || Array.isArray(copy)) {
    throw optionError(OPTION, problem, "an object of members");
  }
  const members = copy as Record<string, unknown>;
  if ("status" in members) throw optionError(`${OPTION}.status`, members.status, "no status: the response has one");
  for (const name of TEXT_MEMBERS) {
    if (name in members && typeof members[name] !== "string") {
      throw optionError(`${OPTION}.${name}`, members[name], "text");
    }
  }
  return Object.freeze(members);
}

function copyOf(value: unknown): unknown {
  try {
    // Functions and symbols have no text in JSON.
    return JSON.parse(JSON.stringify(value) ?? "null");
  } catch (cause) {
    throw new ExpectationError("ERR_EXPECT_OPTION", `${OPTION}: ${(cause as Error).message}`, { cause });
  }
}
