import type { IncomingMessage, ServerResponse } from "node:http";
import { currentHandshake, type Handshake, isContinuedByOthers, type ServerContext } from "../handshake/handshake.js";
import { type Expectation, isContinue } from "../http/expect-header.js";
import { type HttpRequest, type HttpResponse, http2Stream, isBare, isSafe, mediaTypeOf } from "../http/message.js";
import type { Refusal } from "../http/refusal.js";
import { lowerAscii } from "../http/token.js";
import { type Logger, type PreparedLogger, safeLogger } from "../observe/logger.js";
import { loggableUrl } from "../observe/printable.js";
import { reportFault, reportRefusal } from "../observe/record.js";
import { policyName } from "../policies/names.js";
import type { Policy, Upload, UploadEnd } from "../policies/policy.js";
import { refuse, requireLimit } from "../policies/refuse.js";
import { callOnClose, type Outcome, runInOrder, type Trial } from "../policies/run.js";
import { type RefusalBody, type RefusalContent, writePlainRefusal, writeRefusal } from "../response/refusal.js";
import { type AttachableServer, attachForGuard, createDetachedContext, isSettled, serverOf } from "../server/attach.js";
import { beginHandshake } from "../server/gate.js";
import { asError, callSafely, ExpectationError, optionError } from "../support/errors.js";
import {
  optionalBoolean,
  optionalCount,
  optionalFunction,
  optionalOneOf,
  requireKnownKeys,
} from "../support/options.js";

/** Hands a request on, or an error to the framework's error handling. */
export type Next = (error?: unknown) => void;

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
   * When the 100 goes out: `"onRead"` (default) when somebody reads the content; `"immediately"` when this guard
   * accepts, which takes the decision away from every guard that comes later.
   */
  continueTiming?: "onRead" | "immediately";
  /** `"uploads"` (default): all that announces content, has `Expect`, or whose method is not safe; `"expectations"`: only what has `Expect`. */
  applyTo?: "uploads" | "expectations";
  /** Expectations other than `100-continue` that this guard understands, by name. Default: none. */
  extensions?: Readonly<Record<string, Policy<Req>>>;
  /** What becomes of all other expectations. Default `"refuse"`: with 417. */
  unknownExpectations?: "refuse" | "ignore";
  /** How long the policies may take together, in milliseconds. Default 10,000; then 503. */
  policyTimeoutMs?: number;
  /** One final status for every refusal of a request with `Expect`, in place of each policy's own. */
  expectationStatus?: number;
  /**
   * The body of refusals. `"auto"` (default): problem details (RFC 9457), but none while a client waits for a 100;
   * `"problem"`: always; `"none"`: never; or a function. What `refuse(…, { body })` brings is sent in any case.
   */
  refusalBody?: "auto" | "none" | "problem" | ((refusal: Refusal, req: Req) => RefusalContent | undefined);
  /** Answers a refusal in its own way, or hands an error to `next`; must do one of the two. */
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

interface Settings {
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

/**
 * Makes a guard: a middleware that decides about an upload before it is sent.
 *
 * Judges each request that announces content, has `Expect` or changes state; all others pass at no cost. Guards
 * compose: the one `100 Continue` goes out when all on the way have accepted and somebody reads the content.
 *
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for an unknown key or a wrong value.
 * @example app.put("/files", expectations({ policies: [maxSize("10mb")] }), save);
 * @see RFC 9110 §10.1.1
 */
export function expectations<Req extends HttpRequest = IncomingMessage, Res extends HttpResponse = HttpResponse>(
  options: ExpectationOptions<Req, Res> = {},
): Guard<Req, Res> {
  requireCall(options);
  const settings = readSettings(options as unknown as ExpectationOptions<never, never>);
  const attachTo = settings.autoAttach ? autoAttacher(settings) : undefined;
  let hasWarnedOfReader = false;

  return function expectationGuard(req: Req, res: Res, next: Next): void {
    if (typeof next !== "function") throw notMounted();
    attachTo?.(req, res);
    if (isOutOfScope(req, settings)) {
      next();
      return;
    }
    const handshake =
      currentHandshake(req) ?? beginHandshake(req as IncomingMessage, res as ServerResponse, settings.context);
    if (handshake.refusal || handshake.isGone) return;
    if (!hasWarnedOfReader && isReadAlready(handshake)) {
      hasWarnedOfReader = true;
      const message = "a guard came too late: the content was read before it; mount it in front of body parsers";
      settings.logger.warn({ event: "expectation.late", url: loggableUrl(req.url ?? "") }, message);
    }
    new Judgement(handshake, settings, next).begin();
  };
}

function isOutOfScope(req: HttpRequest, settings: Settings): boolean {
  if (settings.onlyExpectations) return req.headers.expect === undefined;
  return isBare(req) && isSafe(req.method);
}

function isReadAlready(handshake: Handshake): boolean {
  return handshake.length !== 0 && (handshake.hasReader || handshake.req.readableDidRead);
}

/** A policy of this guard, or the one that it has for an expectation of the request. */
interface MemberTrial extends Trial {
  readonly member?: Expectation;
}

/** One guard's decision about one request. Ends once: by its policies, by time, or because the client left. */
class Judgement {
  #isOver = false;
  #isAbandoned = false;
  #abort: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #upload: Upload | undefined;
  current = "";

  constructor(
    readonly handshake: Handshake,
    readonly settings: Settings,
    readonly next: Next,
  ) {}

  begin(): void {
    const { handshake, settings } = this;
    const unknown = this.#unknownMember();
    if (unknown) {
      const reason = "an expectation that this server does not know";
      this.#refuse(refuse(417, { reason }), "unknown-expectation", true);
      return;
    }
    handshake.beginVerdict();
    const outcome = runInOrder(this.#trials(), (trial) => this.#ask(trial));
    if (outcome instanceof Promise) {
      if (!this.#isOver) this.#watch(settings.policyTimeoutMs);
      // `runInOrder` never rejects; what `next()` throws is the application's, and stays unhandled as it would anywhere.
      void outcome.then((settled) => this.#end(settled));
    } else this.#end(outcome);
  }

  // A name that the server leaves to guards, or that one accepted already, is for another guard to refuse.
  #unknownMember(): Expectation | undefined {
    const { handshake, settings } = this;
    for (const member of handshake.undecided) {
      if (this.#extension(member)) continue;
      if (settings.ignoresUnknown) handshake.acceptExpectation(member);
      else if (!handshake.context.names.has(member.name)) return member;
    }
    return undefined;
  }

  #extension(member: Expectation): Policy<never> | undefined {
    return member.wellFormed ? this.settings.extensions.get(member.name) : undefined;
  }

  #trials(): readonly MemberTrial[] {
    const { policies, extensions } = this.settings;
    if (extensions.size === 0 || this.handshake.expectations.length === 0) return policies;
    const extended = this.handshake.undecided.flatMap((member): MemberTrial[] => {
      const policy = this.#extension(member);
      return policy ? [{ name: `expectation ${member.name}`, policy, member }] : [];
    });
    return [...extended, ...policies];
  }

  #ask({ name, policy, member }: MemberTrial): unknown {
    if (this.#isOver) return false;
    const { handshake } = this;
    this.current = name;
    if (member) return policy(handshake.req as never, new JudgedUpload(this, member));
    this.#upload ??= new JudgedUpload(
      this,
      handshake.expectsContinue ? handshake.expectations.find(isContinue) : undefined,
    );
    return policy(handshake.req as never, this.#upload);
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#isAbandoned) this.#abort.abort();
    return this.#abort.signal;
  }

  // Begun before the first wait.
  #watch(policyTimeoutMs: number): void {
    this.#timer = setTimeout(() => {
      const error = new Error(`policy ${this.current} did not answer within ${policyTimeoutMs} ms`);
      this.#abortSignal();
      this.#end({ kind: "fault", policy: this.current, status: 503, error });
    }, policyTimeoutMs);
    this.handshake.onClose(() => {
      if (!this.#isOver) this.#abandon();
    });
  }

  #abandon(): void {
    this.#abortSignal();
    this.#close();
    this.handshake.endVerdict();
  }

  #abortSignal(): void {
    this.#isAbandoned = true;
    this.#abort?.abort();
  }

  #close(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  #end(outcome: Outcome): void {
    if (this.#isOver) return;
    const { handshake } = this;
    if (handshake.isGone) {
      this.#abandon();
      return;
    }
    this.#close();
    switch (outcome.kind) {
      case "accept":
        this.#accept();
        return;
      case "refuse":
        this.#refuse(outcome.verdict || refuse(417), outcome.policy, true);
        break;
      case "fault":
        this.#fail(outcome.policy, outcome.status, outcome.error);
        break;
    }
    handshake.endVerdict();
  }

  #accept(): void {
    const { handshake, settings } = this;
    for (const member of handshake.undecided) if (this.#extension(member)) handshake.acceptExpectation(member);
    handshake.accept();
    handshake.endVerdict();
    if (settings.isImmediate) handshake.sendContinue();
    this.next();
  }

  /** The content has passed a limit that a policy set. */
  exceed(refusal: Refusal, policy: string): void {
    const { handshake } = this;
    if (handshake.refusal || handshake.res.writableEnded || handshake.isGone) return;
    const wasJudging = !this.#isOver;
    this.#abortSignal();
    this.#close();
    this.#refuse(refusal, policy, wasJudging);
    if (wasJudging) handshake.endVerdict();
    else
      handshake.failBody("ERR_EXPECT_LIMIT", `the upload was cut off by ${policy} after ${handshake.received} bytes`);
  }

  // `mayHandOn`: nobody but this guard has the request in hand, so that `onRefusal` and its `next` make sense.
  #refuse(verdict: Refusal, policy: string, mayHandOn: boolean): void {
    const { handshake, settings } = this;
    const refusal = withStatus(verdict, finalStatus(verdict.status, handshake, settings.expectationStatus));
    const by = { status: refusal.status, policy, reason: refusal.reason };
    handshake.refuse(by);
    reportRefusal(settings.logger, handshake, by);
    if (settings.onRefusal && mayHandOn) this.#answerOtherwise(refusal);
    else this.#write(refusal);
  }

  #write(refusal: Refusal): void {
    try {
      writeRefusal(this.handshake, refusal, this.settings.refusalBody);
    } catch (error) {
      this.#fail("refusalBody", 500, asError(error));
    }
  }

  #fail(policy: string, status: 500 | 503, error: Error): void {
    const { handshake } = this;
    // What is answered already stays answered: the record says with what.
    const by = { status: handshake.res.headersSent ? handshake.res.statusCode : status, policy, reason: undefined };
    handshake.refuse(by);
    reportFault(this.settings.logger, handshake, by, error);
    if (!handshake.res.headersSent) writePlainRefusal(handshake, status);
  }

  #answerOtherwise(refusal: Refusal): void {
    const { handshake, settings } = this;
    const { req, res } = handshake;
    let isHandedOn = false;
    // From here on somebody else has the response in hand as well, and may come late.
    handshake.isAppRunning = true;
    const fault = (message: string) => this.#fail("onRefusal", 500, new ExpectationError("ERR_EXPECT_POLICY", message));
    const timer = setTimeout(() => {
      if (!isHandedOn && !res.headersSent && !handshake.isGone) {
        isHandedOn = true;
        fault(`onRefusal did not answer within ${settings.policyTimeoutMs} ms`);
      }
    }, settings.policyTimeoutMs);
    handshake.onClose(() => clearTimeout(timer));
    const next: Next = (error) => {
      if (isHandedOn) return;
      isHandedOn = true;
      if (error === undefined || error === null || error === "route" || error === "router") {
        fault("onRefusal called next() without an error; it must answer, or pass an error on");
      } else this.next(error);
    };
    callSafely(
      () => settings.onRefusal?.(refusal, req as never, res as never, next),
      (error) => this.#fail("onRefusal", 500, error),
    );
  }
}

/** What a policy is told. Its methods may be taken off it: `(req, { limitBytes }) => …`. */
class JudgedUpload implements Upload {
  readonly length: number | undefined;

  constructor(
    readonly judgement: Judgement,
    readonly expectation: Expectation | undefined,
  ) {
    this.length = judgement.handshake.length;
  }

  get mediaType(): string | undefined {
    return mediaTypeOf(this.judgement.handshake.req);
  }

  get signal(): AbortSignal {
    return this.judgement.signal;
  }

  get received(): number {
    return this.judgement.handshake.received;
  }

  get limitBytes(): Upload["limitBytes"] {
    const { judgement } = this;
    return (bytes, refusal) => {
      requireLimit(bytes, refusal);
      const policy = judgement.current;
      judgement.handshake.limit(bytes, () => judgement.exceed(refusal, policy));
    };
  }

  get onClose(): Upload["onClose"] {
    const { judgement } = this;
    return (callback) => {
      if (typeof callback !== "function") throw optionError("onClose(callback)", callback, "a function");
      const { handshake } = judgement;
      const { logger } = judgement.settings;
      handshake.onClose(() => callOnClose(callback, endOf(handshake), logger));
    };
  }

  get report(): Upload["report"] {
    const { logger } = this.judgement.settings;
    return (message, error) => logger.error({ event: "expectation.error", err: asError(error) }, message);
  }
}

// 417 says that an expectation failed: a request that had none is told 403 (RFC 9110 §15.5.18).
function finalStatus(status: number, handshake: Handshake, expectationStatus: number | undefined): number {
  if (handshake.hasExpectation) return expectationStatus ?? status;
  return status === 417 ? 403 : status;
}

function endOf({ res, stream, refusal }: Handshake): UploadEnd {
  // On HTTP/2 the compatibility API calls every response finished that has closed.
  const isWhole = stream ? stream.writableFinished && !stream.aborted : res.writableFinished;
  return { status: isWhole ? res.statusCode : undefined, isRefused: refusal !== undefined };
}

function withStatus(refusal: Refusal, status: number): Refusal {
  if (refusal.status === status) return refusal;
  const { reason, headers, body } = refusal;
  return refuse(status, {
    headers,
    ...(reason === undefined ? {} : { reason }),
    ...(body === undefined ? {} : { body }),
  });
}

// Attaches the server of whatever request comes first.
function autoAttacher(settings: Settings): (req: HttpRequest, res: HttpResponse) => void {
  let settled: AttachableServer | undefined;
  return (req, res) => {
    const server = serverOf(req);
    if (server === undefined || server === settled) return;
    settled = server;
    if (isSettled(server)) return;
    try {
      attachForGuard(server, settings.context);
    } catch (error) {
      settings.logger.error({ event: "expectation.attach", err: error }, `not attached: ${asError(error).message}`);
      return;
    }
    if (req.headers.expect === undefined || !isContinuedByOthers(res, http2Stream(req))) return;
    settings.logger.warn(
      { event: "expectation.attach" },
      "Node had sent this first request's 100 Continue before any guard ran; attach the server when it starts: attach(app.listen(port))",
    );
  };
}

function notMounted(): ExpectationError {
  return new ExpectationError(
    "ERR_EXPECT_OPTION",
    "a guard was called without next; it is a middleware and no policy: app.use(guard), or hand its policies to the other guard",
  );
}

function requireCall(options: unknown): void {
  const { method, headers } = (options ?? {}) as { method?: unknown; headers?: unknown };
  if (typeof method !== "string" || typeof headers !== "object") return;
  throw new ExpectationError(
    "ERR_EXPECT_OPTION",
    "expectations was used as a middleware; it makes one: app.use(expectations()), not app.use(expectations)",
  );
}

function readSettings(options: ExpectationOptions<never, never>): Settings {
  requireKnownKeys("expectations", options, OPTION_KEYS);
  const logger = safeLogger(options.logger);
  const refusalBody =
    typeof options.refusalBody === "function"
      ? (options.refusalBody as RefusalBody)
      : optionalOneOf("refusalBody", options.refusalBody, ["auto", "none", "problem"], "auto", " or a function");
  return {
    logger,
    refusalBody,
    policies: readPolicies(options.policies),
    extensions: readExtensions(options.extensions),
    autoAttach: optionalBoolean("autoAttach", options.autoAttach, true),
    isImmediate:
      optionalOneOf("continueTiming", options.continueTiming, ["onRead", "immediately"], "onRead") === "immediately",
    onlyExpectations:
      optionalOneOf("applyTo", options.applyTo, ["uploads", "expectations"], "uploads") === "expectations",
    ignoresUnknown:
      optionalOneOf("unknownExpectations", options.unknownExpectations, ["refuse", "ignore"], "refuse") === "ignore",
    policyTimeoutMs: optionalCount("policyTimeoutMs", options.policyTimeoutMs, 10_000),
    expectationStatus: readStatus(options.expectationStatus),
    onRefusal: optionalFunction("onRefusal", options.onRefusal),
    context: createDetachedContext(logger),
  };
}

/** Checks the policies of a guard or an admission endpoint, and names them. */
export function readPolicies(policies: unknown): Settings["policies"] {
  if (policies === undefined) return [];
  if (!Array.isArray(policies)) throw optionError("policies", policies, "a list of functions");
  return Array.from(policies, (policy: unknown, i) => {
    if (typeof policy !== "function") {
      throw optionError(`policies[${i}]`, policy, 'a function, such as maxSize("10mb") returns');
    }
    return { name: policyName(policy), policy: policy as Policy<never> };
  });
}

function readExtensions(extensions: unknown): Settings["extensions"] {
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
    if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(name))
      throw optionError(option, policy, "a token (RFC 9110 §5.6.2) as its name");
    if (typeof policy !== "function") throw optionError(option, policy, "a policy function");
    if (read.has(name)) throw optionError(option, policy, "one policy for each name, whatever its letter case");
    read.set(name, policy as Policy<never>);
  }
  return read;
}

function readStatus(status: unknown): number | undefined {
  if (status === undefined) return undefined;
  if (Number.isInteger(status) && (status as number) >= 400 && (status as number) <= 599) return status as number;
  throw optionError("expectationStatus", status, "a status from 400 to 599");
}
