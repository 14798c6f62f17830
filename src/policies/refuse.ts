import { validateHeaderName, validateHeaderValue } from "node:http";
import type { Refusal } from "../http/refusal.js";
import { ExpectationError, optionError } from "../support/errors.js";
import { markFactory } from "../support/factories.js";
import { requireCount, requireKnownKeys } from "../support/options.js";
import { readProblem } from "./problem.js";

const REFUSAL = Symbol.for("express-expectations:refusal:1");

/** Options of {@link refuse}; all are optional. */
export interface RefusalOptions {
  /** Why the request is refused, for the log and for the problem details in the response. */
  reason?: string;
  /** Header fields to add to the response; those that are `undefined` are left out. */
  headers?: Record<string, string | number | readonly string[] | undefined>;
  /** The body of the response, in place of that of `refusalBody`; `text/plain` unless `headers` has a `Content-Type`. */
  body?: string | Uint8Array;
  /**
   * Members of the problem details (RFC 9457), where the response has such a body: `type`, `title`, `instance`, members
   * of your own, and `detail` if clients should read something else than `reason`. Values must be possible in JSON.
   */
  problem?: Readonly<Record<string, unknown>>;
}

/**
 * Makes a verdict that refuses a request with a final status of the policy's choice. A policy returns it.
 *
 * @param status - a final status: 200 to 599.
 * @param options - see {@link RefusalOptions}.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for any other status, a wrong option or an invalid header field.
 * @example (req) => req.headers.authorization ? true : refuse(401, { headers: { "WWW-Authenticate": "Bearer" } })
 * @see RFC 9110 §10.1.1: a final status instead of 100 (Continue)
 */
export function refuse(status: number, options: RefusalOptions = {}): Refusal {
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw optionError("refuse(status)", status, "a final status from 200 to 599");
  }
  requireKnownKeys("refuse", options, ["reason", "headers", "body", "problem"]);
  const { reason, body } = options;
  if (reason !== undefined && typeof reason !== "string")
    throw optionError("refuse(status, { reason })", reason, "text");
  if (body !== undefined && typeof body !== "string" && !(body instanceof Uint8Array)) {
    throw optionError("refuse(status, { body })", body, "text or bytes");
  }
  const problem = readProblem(options.problem);
  const refusal: Refusal = { status, reason, headers: checkedFields(options.headers), body, problem };
  Object.defineProperty(refusal, REFUSAL, { value: true });
  return Object.freeze(refusal);
}

markFactory(refuse, "() => refuse(403)");

/** Returns a refusal with another status, and perhaps with other header fields. */
export function withStatus(
  { reason, headers, body, problem }: Refusal,
  status: number,
  fields: NonNullable<RefusalOptions["headers"]> = headers,
): Refusal {
  return refuse(status, {
    headers: fields,
    ...(reason === undefined ? {} : { reason }),
    ...(body === undefined ? {} : { body }),
    ...(problem === undefined ? {} : { problem }),
  });
}

// Checked here, so that the stack trace of the error shows the policy and not the code that writes the response.
function checkedFields(fields: RefusalOptions["headers"]): Refusal["headers"] {
  const checked: Record<string, string | readonly string[]> = {};
  for (const [name, value] of Object.entries(fields ?? {})) {
    if (value === undefined) continue;
    const lines = (Array.isArray(value) ? value : [value]).map(String);
    try {
      validateHeaderName(name);
      for (const line of lines) validateHeaderValue(name, line);
    } catch (cause) {
      throw new ExpectationError("ERR_EXPECT_OPTION", `refuse(status, { headers }): ${(cause as Error).message}`, {
        cause,
      });
    }
    checked[name] = lines.length === 1 ? (lines[0] as string) : lines;
  }
  return Object.freeze(checked);
}

/** Whether a value was made by {@link refuse}, of this copy of the package or another. Never throws. */
export function isRefusal(value: unknown): value is Refusal {
  try {
    return typeof value === "object" && value !== null && (value as { [REFUSAL]?: true })[REFUSAL] === true;
  } catch {
    return false;
  }
}

/**
 * Checks the arguments of `upload.limitBytes()`.
 *
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` if `bytes` is not a whole number, or `refusal` was not made by
 *   {@link refuse}.
 */
export function requireLimit(bytes: unknown, refusal: unknown): void {
  if (!Number.isSafeInteger(bytes) || (bytes as number) < 0)
    throw optionError("limitBytes(bytes)", bytes, "a whole number of bytes, 0 or more");
  requireRefusal("limitBytes(bytes, refusal)", refusal);
}

/**
 * Checks the arguments of `upload.requireRate()`.
 *
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` if one of them is not a whole number from 1.
 */
export function requireRate(bytesPerSecond: unknown, graceMs: unknown): void {
  requireCount("requireRate(bytesPerSecond)", bytesPerSecond);
  requireCount("requireRate(bytesPerSecond, graceMs)", graceMs);
}

/**
 * Checks a refusal that a policy passes to a method of its upload.
 *
 * @param argument - the name of the argument, for the error message.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` if it was not made by {@link refuse}.
 */
export function requireRefusal(argument: string, refusal: unknown): void {
  if (!isRefusal(refusal)) throw optionError(argument, refusal, "a refusal made by refuse(status)");
}
