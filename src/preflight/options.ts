import type { IncomingMessage } from "node:http";
import { settingsOf } from "../guard/guard-settings.js";
import type { Guard, GuardSettings } from "../guard/options.js";
import type { HttpRequest, HttpResponse } from "../http/message.js";
import { isToken } from "../http/token.js";
import { optionError } from "../support/errors.js";
import { requireCalled } from "../support/factories.js";
import { requireKnownKeys } from "../support/options.js";

/** Options of {@link preflight}; all are optional. */
export interface PreflightOptions {
  /**
   * The method of the upload, or a list of those that a client may name in the field `Upload-Method`. A question without
   * this field is about the first one. Default `"PUT"`.
   */
  method?: string | readonly string[];
}

/** One guard, or all that stand in the way of the upload, in this order. */
export type PreflightGuards<Req extends HttpRequest = IncomingMessage, Res extends HttpResponse = HttpResponse> =
  | Guard<Req, Res>
  | readonly Guard<Req, Res>[];

/** The options of {@link preflight} as checked values. */
export interface PreflightSettings {
  /** In the order of the upload's way. */
  readonly guards: readonly [GuardSettings, ...GuardSettings[]];
  readonly methods: readonly [string, ...string[]];
}

/**
 * Checks the arguments of `preflight`.
 *
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for a guard that is none, an unknown key or a wrong value.
 */
export function readSettings(guards: unknown, options: PreflightOptions): PreflightSettings {
  requireKnownKeys("preflight", options, ["method"]);
  return { guards: readGuards(guards), methods: readMethods(options.method) };
}

function readGuards(guards: unknown): PreflightSettings["guards"] {
  if (!Array.isArray(guards)) return [readGuard("preflight(guard)", guards)];
  const read = Array.from(guards, (guard: unknown, i) => readGuard(`preflight(guards)[${i}]`, guard));
  if (isFilled(read)) return read;
  throw optionError("preflight(guards)", guards, "one guard or more");
}

function readGuard(option: string, guard: unknown): GuardSettings {
  requireCalled(option, guard);
  const settings = settingsOf(guard);
  if (settings === undefined) throw optionError(option, guard, "a guard that expectations() returned");
  return settings;
}

function readMethods(method: unknown): PreflightSettings["methods"] {
  if (method === undefined) return ["PUT"];
  const methods: unknown[] = Array.isArray(method) ? Array.from(method) : [method];
  if (methods.every(isMethod) && isFilled(methods)) return methods;
  throw optionError("preflight({ method })", method, 'the method of the upload, such as "POST", or a list of methods');
}

// RFC 9110 §9.1: method = token. Methods are case-sensitive, and those of uploads are in capitals.
function isMethod(method: unknown): method is string {
  return typeof method === "string" && isToken(method) && method === method.toUpperCase();
}

function isFilled<T>(list: T[]): list is [T, ...T[]] {
  return list.length > 0;
}
