import type { IncomingMessage, ServerResponse } from "node:http";
import proxyaddr from "proxy-addr";
import { type AdmissionRequest, type OriginalRequest, readOriginal, type TrustsAddress } from "./admission-request.js";
import { createDetachedContext } from "./attach.js";
import { answerError, asError, ExpectationError, optionError } from "./errors.js";
import { type Expectation, isContinue } from "./expect-header.js";
import { readPolicies as readGuardPolicies } from "./expectations.js";
import { beginHandshake } from "./gate.js";
import { currentHandshake, type Handshake, type RefusedWith, type ServerContext } from "./handshake.js";
import { type Logger, type PreparedLogger, safeLogger } from "./logger.js";
import { type HttpRequest, type HttpResponse, mediaTypeOf } from "./message.js";
import { optionalCount, optionalOneOf, requireKnownKeys } from "./options.js";
import {
  callOnClose,
  namesOf,
  type Outcome,
  type Policy,
  type Refusal,
  refuse,
  requireLimit,
  runInOrder,
  type Trial,
  type Upload,
  type UploadEnd,
} from "./policy.js";
import { type Recorded, reportFault, reportRefusal, tellAccepted } from "./record.js";
import { writePlainRefusal, writeRefusal } from "./refusal.js";

/** Options of {@link admission}. */
export interface AdmissionOptions<Req extends HttpRequest = AdmissionRequest> {
  /**
   * Which proxies may ask: addresses, subnets and the names `"loopback"`, `"linklocal"`, `"uniquelocal"`, or a function.
   * Everybody else gets 403, and no policy runs. A function gets `""` for a proxy on a Unix domain socket.
   */
  trustProxy: string | readonly string[] | ((address: string, hop: number) => boolean);
  /** Run in order; the first refusal ends it. Default: none. */
  policies?: readonly Policy<Req>[];
  /** Refusals at `warn`, faults at `error`. Default: one line of JSON each, on standard error. */
  logger?: Logger;
  /** How long the policies may take together, in milliseconds. Default 10,000; then 503. */
  policyTimeoutMs?: number;
  /**
   * How a refusal tells its status: `"nginx"` (default) as 403 with the status in `X-Admission-Status`, since
   * `auth_request` passes nothing else on; `"verbatim"` as itself, for proxies that copy the whole response (Caddy).
   */
  statuses?: "nginx" | "verbatim";
  /** What becomes of expectations other than `100-continue`. Default `"refuse"`: with 417. */
  unknownExpectations?: "refuse" | "ignore";
}

/** What {@link admission} returns. */
export type AdmissionHandler = (req: HttpRequest, res: HttpResponse) => void;

const OPTION_KEYS = [
  "trustProxy",
  "policies",
  "logger",
  "policyTimeoutMs",
  "statuses",
  "unknownExpectations",
] as const satisfies readonly (keyof AdmissionOptions)[];

interface Settings {
  readonly trusts: TrustsAddress;
  readonly policies: readonly Trial[];
  readonly logger: PreparedLogger;
  readonly policyTimeoutMs: number;
  readonly isVerbatim: boolean;
  readonly ignoresUnknown: boolean;
  readonly context: ServerContext;
}

/**
 * Makes the endpoint for proxies that ask before they forward: nginx `auth_request`, Caddy `forward_auth`.
 *
 * The proxy describes the upload in `X-Original-Method`, `X-Original-URI`, `X-Upload-Length`,
 * `X-Original-Transfer-Encoding`, `X-Original-Expect` and `X-Forwarded-For`, `-Host`, `-Proto`, and must set each of
 * them itself, or clients would. Answers 204, or refuses with the policy's status and fields.
 *
 * The upload never comes by here: `received` stays 0, `limitBytes` compares with the declared length alone (a body of
 * unknown length is for the origin's own guard to count), and `onClose` calls back when the upload is refused, never
 * after it was accepted. So `quota` reserves for good, and `concurrency` belongs at the origin.
 *
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` without `trustProxy`, for an unknown key or a wrong value.
 * @example app.get("/admission", admission({ trustProxy: "loopback", policies: [maxSize("10mb")] }));
 */
export function admission<Req extends HttpRequest = AdmissionRequest>(
  // As NoInfer<Req>, which needs TypeScript 5.4: `Req` is not inferred from `maxSize(1)`, which takes any request.
  options: AdmissionOptions<[Req][Req extends unknown ? 0 : never]>,
): AdmissionHandler {
  const settings = readSettings(options as unknown as AdmissionOptions<never>);

  return function admissionEndpoint(req: HttpRequest, res: HttpResponse): void {
    const asking =
      currentHandshake(req) ?? beginHandshake(req as IncomingMessage, res as ServerResponse, settings.context);
    if (asking.refusal) return;
    if (!settings.trusts(asking.req.socket.remoteAddress ?? "", 0)) {
      const by = { status: 403, policy: "trustProxy", reason: "not a proxy that may ask" };
      reportRefusal(settings.logger, asking, by);
      asking.refuse(by);
      writePlainRefusal(asking, 403);
      return;
    }
    const original = readOriginal(asking.req, settings.trusts);
    if (typeof original === "string") refuseQuestion(asking, original, settings);
    else new Hearing(asking, original, settings).begin();
  };
}

function refuseQuestion(asking: Handshake, reason: string, settings: Settings): void {
  const by = { status: 400, policy: "admission", reason };
  reportRefusal(settings.logger, asking, by);
  answerRefused(asking, refuse(400, { reason }), by, settings);
}

const NOT_STORED: UploadEnd = Object.freeze({ status: undefined, isRefused: true });

/** The hearing of one upload that a proxy asks about. Ends once: by its policies, by time, or because the proxy left. */
class Hearing {
  readonly #abort = new AbortController();
  readonly #closeCallbacks: ((end: UploadEnd) => void)[] = [];
  #isOver = false;
  #isAccepted = false;
  #timer: NodeJS.Timeout | undefined;
  #current = "";
  #exceeded: Outcome | undefined;

  constructor(
    readonly asking: Handshake,
    readonly original: OriginalRequest,
    readonly settings: Settings,
  ) {}

  begin(): void {
    const { original, settings } = this;
    if (!settings.ignoresUnknown && !original.expectations.every(isContinue)) {
      const verdict = refuse(417, { reason: "an expectation that this server does not know" });
      this.#end({ kind: "refuse", policy: "unknown-expectation", verdict });
      return;
    }
    const upload = this.#upload();
    const outcome = runInOrder(settings.policies, ({ name, policy }) => {
      if (this.#isOver) return false;
      this.#current = name;
      return policy(original.req as never, upload);
    });
    if (!(outcome instanceof Promise)) {
      this.#end(outcome);
      return;
    }
    this.#timer = setTimeout(() => this.#runOutOfTime(), settings.policyTimeoutMs);
    this.asking.onClose(() => this.#close());
    void outcome.then((settled) => this.#end(settled));
  }

  #upload(): Upload {
    const { original } = this;
    return {
      expectation: original.length === 0 ? undefined : original.expectations.find(isContinue),
      length: original.length,
      mediaType: mediaTypeOf(original.req),
      signal: this.#abort.signal,
      received: 0,
      limitBytes: (bytes, verdict) => {
        requireLimit(bytes, verdict);
        if (original.length === undefined || original.length <= bytes) return;
        this.#exceeded ??= { kind: "refuse", policy: this.#current, verdict };
      },
      onClose: (callback) => {
        if (typeof callback !== "function") throw optionError("onClose(callback)", callback, "a function");
        // A policy that answers after its time is told at once.
        if (this.#isOver && !this.#isAccepted) callOnClose(callback, NOT_STORED, this.settings.logger);
        else this.#closeCallbacks.push(callback);
      },
      report: (message, error) => {
        this.settings.logger.error({ event: "expectation.error", err: asError(error) }, message);
      },
    };
  }

  #runOutOfTime(): void {
    const error = new Error(`policy ${this.#current} did not answer within ${this.settings.policyTimeoutMs} ms`);
    this.#abort.abort();
    this.#end({ kind: "fault", policy: this.#current, status: 503, error });
  }

  #end(reached: Outcome): void {
    if (this.#isOver) return;
    const { asking } = this;
    if (asking.isGone) {
      this.#close();
      return;
    }
    const outcome = reached.kind === "accept" ? (this.#exceeded ?? reached) : reached;
    if (outcome.kind === "accept") {
      this.#isOver = true;
      this.#isAccepted = true;
      clearTimeout(this.#timer);
      tellAccepted(this.#facts());
      // What policies reserved stays reserved: the upload itself comes by elsewhere.
      answer(asking, 204, {});
      return;
    }
    this.#refuse(outcome);
    this.#close();
  }

  #refuse(outcome: Exclude<Outcome, { kind: "accept" }>): void {
    const { asking, settings } = this;
    const facts = this.#facts();
    if (outcome.kind === "fault") {
      const by = { status: outcome.status, policy: outcome.policy, reason: undefined };
      reportFault(settings.logger, facts, by, outcome.error);
      answerRefused(asking, refuse(outcome.status), by, settings);
      return;
    }
    const verdict = outcome.verdict || refuse(417);
    // 417 says that an expectation failed: a request that had none is told 403 (RFC 9110 §15.5.18).
    const status = verdict.status === 417 && facts.expectations.length === 0 ? 403 : verdict.status;
    const by = { status, policy: outcome.policy, reason: verdict.reason };
    reportRefusal(settings.logger, facts, by);
    answerRefused(asking, verdict, by, settings, facts.expectations);
  }

  // The record tells about the upload, not about the asking.
  #facts(): Recorded {
    const { req, length, expectations } = this.original;
    const { startedAt } = this.asking;
    return { req, length, expectations, received: 0, startedAt };
  }

  // The policies' time is over without an accepted upload: what they reserved goes back.
  #close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#abort.abort();
    for (const callback of this.#closeCallbacks) callOnClose(callback, NOT_STORED, this.settings.logger);
  }
}

function answerRefused(
  asking: Handshake,
  { headers, body, reason }: Refusal,
  by: RefusedWith,
  { isVerbatim }: Settings,
  expectations: readonly Expectation[] = [],
): void {
  asking.refuse(by);
  // Proxies take any 2xx for a yes, whoever meant it for a refusal.
  const status = isVerbatim && by.status >= 300 ? by.status : 403;
  const refusal = refuse(status, {
    headers: { "Cache-Control": "no-store", ...headers, "X-Admission-Status": by.status },
    ...(reason === undefined ? {} : { reason }),
    ...(body === undefined ? {} : { body }),
  });
  // Clients that wait for a 100 may hang on a refusal that has a body (FACTS, clients).
  write(asking, refusal, isVerbatim && !expectations.some(isContinue) ? "problem" : "none");
}

function answer(asking: Handshake, status: number, headers: Record<string, string>): void {
  write(asking, refuse(status, { headers: { "Cache-Control": "no-store", ...headers } }), "none");
}

function write(asking: Handshake, response: Refusal, body: "none" | "problem"): void {
  try {
    writeRefusal(asking, response, body);
  } catch {
    writePlainRefusal(asking, 500);
  }
}

function readSettings(options: AdmissionOptions<never>): Settings {
  requireKnownKeys("admission", options, OPTION_KEYS);
  const logger = safeLogger(options.logger);
  return {
    logger,
    trusts: readTrust(options.trustProxy, logger),
    policies: readPolicies(options.policies),
    policyTimeoutMs: optionalCount("policyTimeoutMs", options.policyTimeoutMs, 10_000),
    isVerbatim: optionalOneOf("statuses", options.statuses, ["nginx", "verbatim"], "nginx") === "verbatim",
    ignoresUnknown:
      optionalOneOf("unknownExpectations", options.unknownExpectations, ["refuse", "ignore"], "refuse") === "ignore",
    context: createDetachedContext(logger),
  };
}

function readTrust(trustProxy: unknown, logger: Logger): TrustsAddress {
  if (typeof trustProxy === "function") {
    return (address, hop) => {
      try {
        const answer: unknown = trustProxy(address, hop);
        if (typeof answer !== "boolean") throw answerError("trustProxy", answer, "true or false");
        return answer;
      } catch (error) {
        logger.error({ event: "expectation.error", err: asError(error) }, "trustProxy threw");
        return false;
      }
    };
  }
  const isList = Array.isArray(trustProxy) && trustProxy.length > 0;
  if (isList || (typeof trustProxy === "string" && trustProxy !== "")) {
    try {
      return proxyaddr.compile(trustProxy as string | string[]);
    } catch (cause) {
      throw new ExpectationError("ERR_EXPECT_OPTION", `trustProxy: ${asError(cause).message}`, { cause });
    }
  }
  throw optionError("trustProxy", trustProxy, 'the addresses of the proxies that may ask, such as "loopback"');
}

function readPolicies(policies: unknown): Settings["policies"] {
  const read = readGuardPolicies(policies);
  for (const [i, { policy }] of read.entries()) {
    // It would count uploads that never end here, and lock everybody out.
    if (namesOf(policy).includes("concurrency"))
      throw optionError(`policies[${i}]`, policy, "another: it belongs into the origin's guard");
  }
  return read;
}
