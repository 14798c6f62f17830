import type { IncomingMessage } from "node:http";
import type { ServerContext } from "../handshake/context.js";
import type { HttpRequest, HttpResponse } from "../http/message.js";
import type { Refusal } from "../http/refusal.js";
import { isToken, lowerAscii } from "../http/token.js";
import { type Logger, type PreparedLogger, safeLogger } from "../observe/logger.js";
import { publishPlaces } from "../observe/places.js";
import { requireTimeToWait } from "../policies/names.js";
import type { Policy } from "../policies/policy.js";
import { requirePolicy } from "../policies/require-policy.js";
import { readPolicies, type Trial } from "../policies/run.js";
import type { RefusalBody, RefusalContent } from "../response/refusal.js";
import { createDetachedContext } from "../server/context.js";
import { ExpectationError, optionError } from "../support/errors.js";
import {
  optionalBoolean,
  optionalCount,
  optionalFunction,
  optionalOneOf,
  requireKnownKeys,
} from "../support/options.js";

/** Hands a request on, or an error to the framework's error handling. */
export type Next = {
  // A method, so that a callback which takes fewer kinds of errors fits: `done` of a Fastify hook takes `Error`.
  next(error?: unknown): void;
}["next"];

/** What {@link expectations} returns: a middleware of Express, Connect and their kin. */
export type Guard<Req extends HttpRequest = IncomingMessage, Res extends HttpResponse = HttpResponse> = (
  req: Req,
  res: Res,
  next: Next,
) => void;

/** Options of {@link expectations}; all are optional. */
export interface ExpectationOptions<
  Req extends HttpRequest = IncomingMessage,
  Res extends HttpResponse = HttpResponse,
> {
  /** Run in order; the first refusal ends it, so cheap ones come first. Default: none. */
  policies?: readonly Policy<Req>[];
  /** Refusals at `warn`, faults at `error`. Default: one line of JSON each, on standard error. */
  logger?: Logger;
  /** Attaches the server of the first request where {@link attach} was not called. Default `true`. */
  autoAttach?: boolean;
  /**
   * When the 100 goes out. `"onRead"` (default): when somebody reads the content. `"immediately"`: when this guard
   * accepts. Guards that come later can then no longer refuse before the content is sent.
   */
  continueTiming?: "onRead" | "immediately";
  /** `"uploads"` (default): every request with a body, an `Expect` header or an unsafe method. `"expectations"`: only requests with `Expect`. */
  applyTo?: "uploads" | "expectations";
  /** Expectations other than `100-continue` that this guard understands, by name. Default: none. */
  extensions?: Readonly<Record<string, Policy<Req>>>;
  /** What happens to all other expectations. Default `"refuse"`: with 417. */
  unknownExpectations?: "refuse" | "ignore";
  /** How long the policies may take together, in milliseconds. Default 10,000; then 503. */
  policyTimeoutMs?: number;
  /** One final status for every refusal of a request with `Expect`, in place of each policy's own. */
  expectationStatus?: number;
  /**
   * The body of refusals. `"auto"` (default): problem details (RFC 9457), but none while a client waits for a 100.
   * `"problem"`: always. `"none"`: never. Or a function. The body of `refuse(…, { body })` is always sent.
   */
  refusalBody?: "auto" | "none" | "problem" | ((refusal: Refusal, req: Req) => RefusalContent | undefined);
  /** Responds to a refusal, or passes an error to `next`. Must do one of the two. */
  onRefusal?: (refusal: Refusal, req: Req, res: Res, next: Next) => void;
}

const OPTION_KEYS = [
  "policies",
  "logger",
  "autoAttach",
  "continueTiming",
  "applyTo",
  "extensions",
  "unknownExpectations",
  "policyTimeoutMs",
  "expectationStatus",
  "refusalBody",
  "onRefusal",
] as const satisfies readonly (keyof ExpectationOptions)[];

/** The options of a guard as checked values. */
export interface GuardSettings {
  readonly policies: readonly Trial[];
  readonly extensions: ReadonlyMap<string, Policy<never>>;
  readonly logger: PreparedLogger;
  readonly autoAttach: boolean;
  readonly isImmediate: boolean;
  readonly onlyExpectations: boolean;
  readonly ignoresUnknown: boolean;
  readonly policyTimeoutMs: number;
  readonly expectationStatus: number | undefined;
  readonly refusalBody: RefusalBody;
  readonly onRefusal: ExpectationOptions<never, never>["onRefusal"];
  /** For requests whose server is not attached. */
  readonly context: ServerContext;
}

/** Catches `app.use(expectations)`. @throws {ExpectationError} `ERR_EXPECT_OPTION` when the options are a request. */
export function requireCall(options: unknown): void {
  const { method, headers } = (options ?? {}) as { method?: unknown; headers?: unknown };
  if (typeof method !== "string" || typeof headers !== "object") return;
  throw new ExpectationError(
    "ERR_EXPECT_OPTION",
    "expectations was used as a middleware; it makes one: app.use(expectations()), not app.use(expectations)",
  );
}

/** Checks the options of a guard. @throws {ExpectationError} `ERR_EXPECT_OPTION` for an unknown key or a wrong value. */
export function readSettings(options: ExpectationOptions<never, never>): GuardSettings {
  requireKnownKeys("expectations", options, OPTION_KEYS);
  const logger = safeLogger(options.logger);
  const policyTimeoutMs = optionalCount("policyTimeoutMs", options.policyTimeoutMs, 10_000);
  publishPlaces();
  const refusalBody =
    typeof options.refusalBody === "function"
      ? (options.refusalBody as RefusalBody)
      : optionalOneOf("refusalBody", options.refusalBody, ["auto", "none", "problem"], "auto", " or a function");
  return {
    logger,
    refusalBody,
    policies: readPolicies(options.policies, policyTimeoutMs),
    extensions: readExtensions(options.extensions, policyTimeoutMs),
    autoAttach: optionalBoolean("autoAttach", options.autoAttach, true),
    isImmediate:
      optionalOneOf("continueTiming", options.continueTiming, ["onRead", "immediately"], "onRead") === "immediately",
    onlyExpectations:
      optionalOneOf("applyTo", options.applyTo, ["uploads", "expectations"], "uploads") === "expectations",
    ignoresUnknown:
      optionalOneOf("unknownExpectations", options.unknownExpectations, ["refuse", "ignore"], "refuse") === "ignore",
    policyTimeoutMs,
    expectationStatus: readStatus(options.expectationStatus),
    onRefusal: optionalFunction("onRefusal", options.onRefusal),
    context: createDetachedContext(logger),
  };
}

function readExtensions(extensions: unknown, policyTimeoutMs: number): GuardSettings["extensions"] {
  if (extensions === undefined) return new Map();
  if (typeof extensions !== "object" || extensions === null || Symbol.iterator in extensions) {
    throw optionError("extensions", extensions, "an object of policies by expectation name");
  }
  const read = new Map<string, Policy<never>>();
  for (const [key, policy] of Object.entries(extensions)) {
    const name = lowerAscii(key);
    const option = `extensions[${JSON.stringify(key)}]`;
    if (name === "100-continue")
      throw optionError(option, policy, "another name: the handshake itself is no extension");
    if (!isToken(name)) throw optionError(option, policy, "a token (RFC 9110 §5.6.2) as its name");
    requirePolicy(option, policy, "a policy function");
    requireTimeToWait(option, policy, policyTimeoutMs);
    if (read.has(name)) throw optionError(option, policy, "one policy for each name, whatever its letter case");
    read.set(name, policy);
  }
  return read;
}

function readStatus(status: unknown): number | undefined {
  if (status === undefined) return undefined;
  if (Number.isInteger(status) && (status as number) >= 400 && (status as number) <= 599) return status as number;
  throw optionError("expectationStatus", status, "a status from 400 to 599");
}
