import type { IncomingMessage, ServerResponse } from "node:http";
import proxyaddr from "proxy-addr";
import type { ServerContext } from "../handshake/context.js";
import type { Handshake } from "../handshake/handshake.js";
import { Hearing, type HearingOwner, type HearingSettings } from "../hearing/hearing.js";
import { isContinue, MAX_EXPECTATIONS, TOO_MANY_EXPECTATIONS, UNKNOWN_EXPECTATION } from "../http/expect-header.js";
import type { HttpRequest, HttpResponse } from "../http/message.js";
import { type Logger, safeLogger } from "../observe/logger.js";
import { publishAccepted, publishBegin, reportRefusal } from "../observe/record.js";
import { namesOf } from "../policies/names.js";
import type { Policy } from "../policies/policy.js";
import { refuse } from "../policies/refuse.js";
import { readPolicies } from "../policies/run.js";
import { writePlainRefusal } from "../response/refusal.js";
import { handshakeFor } from "../server/begin.js";
import { createDetachedContext } from "../server/context.js";
import { answerError, asError, ExpectationError, optionError } from "../support/errors.js";
import { optionalCount, optionalOneOf, requireKnownKeys } from "../support/options.js";
import { answerAccepted, answerRefused } from "./admission-answer.js";
import { type AdmissionRequest, type OriginalRequest, readOriginal, type TrustsAddress } from "./admission-request.js";

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

interface Settings extends HearingSettings {
  readonly trusts: TrustsAddress;
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
 * Policies see the target in origin form, whatever form the client sent (RFC 9112 §3.2.2). A request without
 * `X-Upload-Length` counts as an upload of unknown length, also a GET.
 *
 * The upload never comes by here: `received` stays 0, `limitBytes` compares with the declared length alone (a body of
 * unknown length is for the origin's own guard to count), and `onClose` calls back when the upload is refused, never
 * after it was accepted. So `quota` reserves for good. `concurrency` and `diskSpace` belong at the origin alone.
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
    const asking = handshakeFor(req as IncomingMessage, res as ServerResponse, settings.context);
    if (asking.refusal) return;
    publishBegin(asking.req);
    if (!settings.trusts(asking.req.socket.remoteAddress ?? "", 0)) {
      const by = { status: 403, policy: "trustProxy", reason: "not a proxy that may ask" };
      reportRefusal(settings.logger, asking, by);
      asking.refuse(by);
      writePlainRefusal(asking, 403);
      return;
    }
    const original = readOriginal(asking.req, settings.trusts);
    if (typeof original === "string") refuseQuestion(asking, original, settings);
    else hear(asking, original, settings);
  };
}

function hear(asking: Handshake, original: OriginalRequest, settings: Settings): void {
  const { expectations } = original;
  publishBegin(original.req);
  const owner: HearingOwner = {
    onAccepted() {
      publishAccepted(hearing.facts);
      answerAccepted(asking);
    },
    onRefused(outcome) {
      const { refusal, by } = hearing.report(outcome);
      answerRefused(asking, refusal, by, settings, expectations);
    },
  };
  const hearing = new Hearing(asking, original, settings, owner);
  const reason = whyUnknown(expectations, settings);
  if (reason === undefined) hearing.begin();
  else owner.onRefused({ kind: "refuse", policy: "unknown-expectation", verdict: refuse(417, { reason }) });
}

function whyUnknown(expectations: OriginalRequest["expectations"], settings: Settings): string | undefined {
  if (expectations.length > MAX_EXPECTATIONS) return TOO_MANY_EXPECTATIONS;
  return settings.ignoresUnknown || expectations.every(isContinue) ? undefined : UNKNOWN_EXPECTATION;
}

function refuseQuestion(asking: Handshake, reason: string, settings: Settings): void {
  const by = { status: 400, policy: "admission", reason };
  reportRefusal(settings.logger, asking, by);
  answerRefused(asking, refuse(400, { reason }), by, settings);
}

function readSettings(options: AdmissionOptions<never>): Settings {
  requireKnownKeys("admission", options, OPTION_KEYS);
  const logger = safeLogger(options.logger);
  const policyTimeoutMs = optionalCount("policyTimeoutMs", options.policyTimeoutMs, 10_000);
  return {
    logger,
    trusts: readTrust(options.trustProxy, logger),
    policies: readAdmissionPolicies(options.policies, policyTimeoutMs),
    policyTimeoutMs,
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

function readAdmissionPolicies(policies: unknown, policyTimeoutMs: number): Settings["policies"] {
  const read = readPolicies(policies, policyTimeoutMs);
  for (const [i, { policy }] of read.entries()) {
    // They would count uploads whose end is never seen here, and refuse everybody in the end.
    if (namesOf(policy).some((name) => name === "concurrency" || name === "diskSpace"))
      throw optionError(`policies[${i}]`, policy, "another: it belongs into the origin's guard");
  }
  return read;
}
