import { validateHeaderName, validateHeaderValue } from "node:http";
import type { Refusal } from "../http/refusal.js";
import { ExpectationError, optionError } from "../support/errors.js";
import { requireKnownKeys } from "../support/options.js";

const REFUSAL = Symbol.for("express-expectations:refusal:1");

/** What {@link refuse} takes beside the status. */
export interface RefusalOptions {
  /** Why, for the log and for the problem details that the client gets. */
  reason?: string;
  /** Further response fields. */
  headers?: Record<string, string | number | readonly string[] | undefined>;
  /** Sent as it is, whatever `refusalBody` says; `text/plain` unless `headers` name a `Content-Type`. */
  body?: string | Uint8Array;
}

/**
 * Makes the verdict that refuses a request with a final status of the policy's own.
 *
 * @param status - a final status: 200 to 599.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for any other status.
 * @example (req) => req.headers.authorization ? true : refuse(401, { headers: { "WWW-Authenticate": "Bearer" } })
 * @see RFC 9110 §10.1.1: a final status instead of 100 (Continue)
 */
export function refuse(status: number, options: RefusalOptions = {}): Refusal {
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw optionError("refuse(status)", status, "a final status from 200 to 599");
  }
  requireKnownKeys("refuse", options, ["reason", "headers", "body"]);
  const { reason, body } = options;
  if (reason !== undefined && typeof reason !== "string")
    throw optionError("refuse(status, { reason })", reason, "text");
  if (body !== undefined && typeof body !== "string" && !(body instanceof Uint8Array)) {
    throw optionError("refuse(status, { body })", body, "text or bytes");
  }
  const refusal: Refusal = { status, reason, headers: checkedFields(options.headers), body };
  Object.defineProperty(refusal, REFUSAL, { value: true });
  return Object.freeze(refusal);
}

// Checked here, where the policy's author sees it, rather than when the response is under way.
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

/** Whether a value was made by {@link refuse}, in this copy of the package or another. */
export function isRefusal(value: unknown): value is Refusal {
  try {
    return typeof value === "object" && value !== null && (value as { [REFUSAL]?: true })[REFUSAL] === true;
  } catch {
    return false;
  }
}

/**
 * Checks what a policy passes to `limitBytes`.
 *
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for what is no number of bytes, or no refusal.
 */
export function requireLimit(bytes: unknown, refusal: unknown): void {
  if (!Number.isSafeInteger(bytes) || (bytes as number) < 0)
    throw optionError("limitBytes(bytes)", bytes, "whole bytes");
  if (!isRefusal(refusal)) throw optionError("limitBytes(bytes, refusal)", refusal, "what refuse(status) makes");
}
