import type { ClientRequest, IncomingMessage } from "node:http";
import { expectations } from "../guard/expectations.js";
import type { ExpectationOptions, Guard, Next } from "../guard/options.js";
import { currentHandshake, type Handshake } from "../handshake/handshake.js";
import { isContinue } from "../http/expect-header.js";
import type { HttpRequest, HttpResponse } from "../http/message.js";
import { hasContentListener, isDiscarding } from "../node/content-source.js";
import { askForBytes, ignoreReads, interpose, type Source } from "../node/readable.js";
import { type Logger, type PreparedLogger, safeLogger } from "../observe/logger.js";
import { reportFault } from "../observe/record.js";
import { named } from "../policies/names.js";
import { refuse } from "../policies/refuse.js";
import { writePlainRefusal } from "../response/refusal.js";
import { asError } from "../support/errors.js";
import { optionalCount, requireKnownKeys } from "../support/options.js";
import { dropConnectionFields, dropHopByHop } from "./hop-by-hop.js";
import { losesFraming, restoreFraming } from "./lost-framing.js";

/** Options of {@link holdExpectation}; all are optional. */
export interface RelayOptions {
  /** How long the origin may take to send its 100 or its final status, in milliseconds. Default 10,000; then 504. */
  originTimeoutMs?: number;
  /** Where 502 and 504 are logged, at `error`. Default: the attached server's logger. */
  logger?: Logger;
}

const ORIGIN_TIMEOUT_MS = 10_000;

const LENGTH_REQUIRED = refuse(411, { reason: "Content-Length is required: a proxy would drop Transfer-Encoding" });
const FRAMED = named("relay", () => LENGTH_REQUIRED);

const OPTION_KEYS = ["originTimeoutMs", "logger"] as const satisfies readonly (keyof RelayOptions)[];

/**
 * Makes a middleware that is mounted directly in front of a proxy. It holds an upload back until the origin has sent
 * `100 Continue`, and removes `Expect` from the request: `http-proxy` and its relatives emit no `proxyReq` otherwise.
 *
 * Use it together with {@link relayExpectation}. Mount guards before it, because those behind it see no `Expect`. An
 * origin that does not respond in time becomes 504, one that cannot be reached 502.
 *
 * Refuses a DELETE or OPTIONS with content of unknown length, with 411. `http-proxy` and `http-proxy-3` send such content
 * without its framing, and the origin would execute it as a request. Over HTTP/2, the same goes for GET, HEAD and TRACE.
 *
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for an unknown key or a wrong value.
 * @example
 * app.use(holdExpectation(), createProxyMiddleware({
 *   target: "http://127.0.0.1:8080",
 *   on: { proxyReq: (proxyReq, req, res) => relayExpectation(req, res, proxyReq) },
 * }));
 * @see RFC 9110 §10.1.1
 */
export function holdExpectation(options: RelayOptions = {}): Guard {
  requireKnownKeys("holdExpectation", options, OPTION_KEYS);
  const originTimeoutMs = optionalCount("originTimeoutMs", options.originTimeoutMs, ORIGIN_TIMEOUT_MS);
  const logger = options.logger === undefined ? undefined : safeLogger(options.logger);
  // Attaches the server if nobody did. Expectations that no guard decides are left to the origin.
  const guardOptions: ExpectationOptions = { unknownExpectations: "ignore", ...(logger && { logger }) };
  const guard = expectations({ ...guardOptions, applyTo: "expectations" });
  const framingGuard = expectations({ ...guardOptions, policies: [FRAMED] });

  return function expectationHold(req: IncomingMessage, res: HttpResponse, next: Next): void {
    const judge = losesFraming(req) ? framingGuard : guard;
    judge(req, res, (error) => {
      if (error === undefined) hold(req, originTimeoutMs, logger);
      next(error);
    });
  };
}

/**
 * Relays the handshake of one request to the origin: sends `Expect`, and lets the content flow when the origin sends
 * `100 Continue`. If the origin sends a final status instead, the proxy passes it on and no content is sent.
 *
 * For requests that expect no 100, it only makes sure that content of unknown length keeps its framing. With plain
 * `http.request`, call it before `req.pipe(proxyReq)` and leave `Expect` out of the request's own fields. On an attached
 * server {@link holdExpectation} is not needed then.
 *
 * @param req - the client's request.
 * @param _res - the response to the client; unused, there for the argument order of `proxyReq` listeners.
 * @param proxyReq - the request to the origin; nothing of it has been sent yet.
 * @example proxy.on("proxyReq", (proxyReq, req, res) => relayExpectation(req, res, proxyReq));
 * @see RFC 9110 §10.1.1
 */
export function relayExpectation(req: HttpRequest, _res: HttpResponse, proxyReq: ClientRequest): void {
  restoreFraming(req, proxyReq);
  const relay = (req as Carrier)[RELAY] ?? hold(req, ORIGIN_TIMEOUT_MS, undefined);
  relay?.begin(proxyReq);
}

const RELAY = Symbol.for("express-expectations:relay:1");

type Carrier = HttpRequest & { [RELAY]?: Relay };

function hold(req: HttpRequest, originTimeoutMs: number, logger: PreparedLogger | undefined): Relay | undefined {
  const handshake = currentHandshake(req);
  if (!handshake || handshake.refusal) return undefined;
  if (handshake.isWithheld) {
    const relay = new Relay(handshake, originTimeoutMs, logger ?? handshake.context.logger);
    (req as Carrier)[RELAY] = relay;
    delete req.headers.expect;
    return relay;
  }
  // The client does not wait for a 100, and the origin must not believe that it does.
  if (handshake.expectations.every(isContinue)) delete req.headers.expect;
  return undefined;
}

/**
 * Holds a request's content back from its readers until the origin has sent `100 Continue`.
 *
 * Ends when the origin responds or is given up, when the application responds by itself, or when the client leaves.
 */
class Relay implements Source {
  readonly #expect: string;
  readonly #timer: NodeJS.Timeout;
  readonly #chunks: [chunk: unknown, encoding: BufferEncoding | undefined][] = [];
  readonly #beneath: Source;
  #isSwallowing = false;
  #proxyReq: ClientRequest | undefined;
  #isRead = false;
  #isOver = false;
  #isIdle = false;

  constructor(
    readonly handshake: Handshake,
    readonly originTimeoutMs: number,
    readonly logger: PreparedLogger,
  ) {
    const { req } = handshake;
    this.#expect = handshake.expectations.map(({ raw }) => raw).join(", ");
    // A proxy's read would cause a 100 here, and content of a client that does not wait would be piped on.
    this.#beneath = interpose(req, this);
    this.#timer = setTimeout(() => this.#giveUp(504), originTimeoutMs);
    handshake.onClose(() => this.#abandon());
  }

  read(size: number): void {
    const { req } = this.handshake;
    // The content is discarded: the application responds by itself.
    if (!this.#isOver && isDiscarding(req)) this.#letFlow();
    if (this.#isOver) this.#beneath.read(size);
    else this.#isRead = true;
  }

  push(chunk: unknown, encoding?: BufferEncoding): boolean {
    if (this.#isOver) return this.#deliver(chunk, encoding);
    this.#chunks.push([chunk, encoding]);
    return false;
  }

  /** Sends `Expect` to the origin, and waits for its response. */
  begin(proxyReq: ClientRequest): void {
    const { req, refusal } = this.handshake;
    if (refusal || this.handshake.isGone) {
      // The time ran out while the proxy waited for a connection.
      destroyQuietly(proxyReq);
      return;
    }
    if (this.#isOver || this.#proxyReq) return;
    this.#proxyReq = proxyReq;
    proxyReq.once("continue", () => this.#letFlow());
    // In front of the proxy's own listeners: its error handler would respond in its own way.
    proxyReq.prependListener("timeout", () => {
      this.#isIdle = true;
    });
    proxyReq.prependListener("error", (error) => this.#giveUp(this.#isIdle ? 504 : 502, error));
    proxyReq.prependOnceListener("response", (response) => this.#takeFinal(response, proxyReq));
    if (!proxyReq.headersSent) {
      try {
        dropHopByHop(req, proxyReq);
        proxyReq.setHeader("Expect", this.#expect);
      } catch (error) {
        this.#giveUp(502, asError(error));
        return;
      }
    }
    // Later, because other listeners of the same event may set fields.
    process.nextTick(() => {
      if (!proxyReq.destroyed) proxyReq.flushHeaders();
    });
  }

  #letFlow(): void {
    if (this.#isOver) return;
    this.#end();
    this.#deliverHeld();
    if (this.#isRead) this.#beneath.read(0);
  }

  // A final status instead of the 100: the content stays at the client. The connection to the origin cannot be used
  // again, because the origin would take the next request for that content.
  #takeFinal(response: IncomingMessage, proxyReq: ClientRequest): void {
    const { req } = this.handshake;
    dropConnectionFields(response);
    if (this.#isOver) return;
    this.#end();
    response.once("close", () => {
      if (hasContentListener(req)) this.handshake.content.fail("ERR_EXPECT_REFUSED", "the origin refused the upload");
      destroyQuietly(proxyReq);
    });
    this.#throwAway(proxyReq);
  }

  #giveUp(status: 502 | 504, cause?: Error): void {
    const { handshake } = this;
    if (this.#isOver) return;
    this.#end();
    if (handshake.refusal || handshake.res.headersSent || handshake.isGone) return;
    const error =
      cause ?? new Error(`the origin sent neither a 100 nor a final status within ${this.originTimeoutMs} ms`);
    const by = { status, policy: "relay", reason: undefined };
    handshake.shareResponse();
    handshake.refuse(by);
    reportFault(this.logger, handshake, by, error);
    writePlainRefusal(handshake, status);
    this.#throwAway(this.#proxyReq);
    if (this.#proxyReq) destroyQuietly(this.#proxyReq);
  }

  #abandon(): void {
    // If the content was cut off, the origin waits for the rest.
    const isCutOff = this.handshake.refusal !== undefined && !this.handshake.hasArrived;
    if (this.#isOver && !isCutOff) return;
    this.#end();
    if (this.#proxyReq) destroyQuietly(this.#proxyReq);
  }

  #end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  #throwAway(proxyReq: ClientRequest | undefined): void {
    const { handshake } = this;
    const { req } = handshake;
    if (proxyReq) req.unpipe(proxyReq);
    if (!hasContentListener(req)) req.resume();
    else if (!handshake.refusal) {
      // Another reader gets its error only after the origin's response, which it might end as well.
      ignoreReads(req);
      this.#isSwallowing = true;
    }
    askForBytes(req);
    this.#deliverHeld();
  }

  #deliverHeld(): void {
    for (const [chunk, encoding] of this.#chunks.splice(0)) this.#deliver(chunk, encoding);
  }

  #deliver(chunk: unknown, encoding: BufferEncoding | undefined): boolean {
    if (!this.#isSwallowing) return this.#beneath.push(chunk, encoding);
    this.handshake.content.countSwallowed(chunk);
    return true;
  }
}

function destroyQuietly(proxyReq: ClientRequest): void {
  proxyReq.on("error", () => {});
  proxyReq.destroy();
}
