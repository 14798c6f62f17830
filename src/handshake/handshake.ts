import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerResponse, ServerHttp2Stream } from "node:http2";
import { type Expectation, expectLines, isContinue, parseExpect } from "../http/expect-header.js";
import { announcedContent, type HttpRequest, type HttpResponse, http2Stream, isHttp11 } from "../http/message.js";
import { contentChannel, gauges } from "../observe/diagnostics.js";
import type { PreparedLogger } from "../observe/logger.js";
import type { LingeringSockets } from "../response/linger.js";
import { ExpectationError, type ExpectationErrorCode } from "../support/errors.js";

/** What the server that a request came in on has to say about it. */
export interface ServerContext {
  readonly lingering: LingeringSockets;
  readonly bodyTimeoutMs: number;
  readonly logger: PreparedLogger;
  /** Whether an expectation that nobody accepted is passed over. */
  readonly ignoresUnknown: boolean;
  /** Whether the server itself refuses expectations that no name covers, before any guard sees them. */
  readonly refusesUnknownAtOnce: boolean;
  /** Names of the expectations that guards deal with. */
  readonly names: ReadonlySet<string>;
}

/** Where a handshake stands; `none` where no `100 Continue` is owed. */
export type HandshakeState = "none" | "pending" | "continued" | "refused";

/** How a handshake was refused. */
export interface RefusedWith {
  readonly status: number;
  readonly policy: string;
  readonly reason: string | undefined;
}

/** What {@link handshakeOf} tells. */
export interface HandshakeInfo {
  readonly state: HandshakeState;
  /** The expectations of the request, in the order received. */
  readonly expectations: readonly Expectation[];
  /** Announced bytes of content; 0 for none; `undefined` for an unknown length. */
  readonly length: number | undefined;
  /** Bytes of content that have arrived until now. */
  readonly received: number;
  /** Present when the state is `refused`. */
  readonly refusal: RefusedWith | undefined;
}

interface Limit {
  readonly bytes: number;
  readonly exceed: () => void;
}

/** What others are told as the request goes on. */
export interface HandshakeListener {
  /** Somebody wants the content, but nobody has accepted these expectations. */
  onUndecided(handshake: Handshake): void;
  /** No byte for `bodyTimeoutMs` although the application asks for some. */
  onIdle(handshake: Handshake): void;
  /** Decided in the client's favour: its 100 is sent, or its content is read, or its response ends without either. */
  onAccept(handshake: Handshake): void;
  /** The first content has come, so long after the 100. */
  onContent(handshake: Handshake, waitedMs: number): void;
  /** The response is finished, or the client has left, and all who asked for it were told. */
  onClosed(handshake: Handshake): void;
}

const HANDSHAKE = Symbol.for("express-expectations:handshake:1");

type Carrier = HttpRequest & { [HANDSHAKE]?: Handshake };

/**
 * One request's handshake: pending, then continued, refused, or abandoned with its connection.
 *
 * Owns the request's reading side: the only place that writes a 100, and the place that tells a read by somebody who
 * wants the content from one that throws it away.
 *
 * @see RFC 9110 §10.1.1
 */
export class Handshake {
  readonly startedAt: number = performance.now();
  readonly expectations: readonly Expectation[];
  /** Announced bytes; 0 for none; `undefined` for an unknown length. */
  readonly length: number | undefined;
  /** Whether the request is one that HTTP allows to expect a 100, and does. */
  readonly expectsContinue: boolean;
  received: number = 0;
  /** Whether the content has arrived to its end. */
  hasArrived: boolean;
  /** Whether somebody has begun to read the content for its bytes. */
  hasReader = false;
  /** Whether the application has been handed the request. */
  isAppRunning = false;
  /** Whether the bytes that follow the request on its connection cannot be trusted. */
  isLastOfConnection = false;
  refusal: RefusedWith | undefined;
  /** When a guard last accepted; `undefined` where none did. */
  acceptedAt: number | undefined;
  readonly #hasOthers: boolean;
  /**
   * The HTTP/1 socket. Kept here: Node takes it off a request whose reader gives up (`pipeline` that fails, `for await`
   * that is left), and behind Express each look at a request costs (it changes its prototype).
   */
  readonly socket: IncomingMessage["socket"] | undefined;
  readonly #isHttp11: boolean;
  #isContinued = false;
  #continuedAt: number | undefined;
  #isPending = false;
  #isSettled = false;
  #isDiscarded = false;
  #judging = 0;
  #isReadHeld = false;
  #limits: Limit[] | undefined;
  #leastLimit = Number.POSITIVE_INFINITY;
  #accepted: Set<Expectation> | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #isAsking = false;
  #isWaitingForTurn = false;
  /** The HTTP/2 stream; `undefined` on HTTP/1. */
  readonly stream: ServerHttp2Stream | undefined;
  readonly #writeContinue: (callback?: () => void) => void;
  #closeCallbacks: (() => void)[] | undefined;
  #isClosed = false;
  #failure: ExpectationError | undefined;
  readonly #read: (size: number) => void;
  readonly #push: (chunk: unknown, encoding?: BufferEncoding) => boolean;

  constructor(
    readonly req: IncomingMessage,
    readonly res: ServerResponse,
    readonly context: ServerContext,
    readonly listener: HandshakeListener,
  ) {
    this.expectations = req.headers.expect === undefined ? [] : parseExpect(expectLines(req.rawHeaders));
    this.length = announcedContent(req).length;
    this.#hasOthers = !this.expectations.every(isContinue);
    this.hasArrived = this.length === 0 || req.complete;
    this.#isHttp11 = isHttp11(req);
    this.expectsContinue = this.length !== 0 && this.#isHttp11 && this.expectations.some(isContinue);
    this.stream = http2Stream(req);
    this.socket = this.stream ? undefined : req.socket;
    this.#isContinued = this.expectsContinue && isContinuedByOthers(res, this.stream);
    this.#read = req._read;
    this.#push = req.push as typeof this.push;
    this.#writeContinue = res.writeContinue;
    (req as Carrier)[HANDSHAKE] = this;
    res.on("close", closeHandshake);
    if (this.length === 0) return;
    if (this.isWithheld) {
      this.#isPending = true;
      gauges().pendingHandshakes++;
    }
    req._read = readThroughHandshake;
    req.push = pushThroughHandshake;
    res.writeContinue = continueThroughHandshake;
  }

  get state(): HandshakeState {
    if (this.refusal) return "refused";
    if (this.#isContinued) return "continued";
    return this.isWithheld ? "pending" : "none";
  }

  /** Whether the client may be holding its content back until it hears of a verdict. */
  get isWithheld(): boolean {
    return this.expectsContinue && !this.#isContinued && !this.hasArrived;
  }

  /** Whether nobody is left to answer: the client went away, or the connection was ended. */
  get isGone(): boolean {
    const { stream } = this;
    if (stream) return stream.destroyed || stream.closed || stream.aborted;
    return this.socket?.destroyed === true || this.res.destroyed;
  }

  /** Whether the request carries an expectation that counts: HTTP/1.0 has no `100-continue` (RFC 9110 §10.1.1). */
  get hasExpectation(): boolean {
    return this.expectations.some((member) => !isContinue(member) || this.#isHttp11);
  }

  /** The expectations that are not `100-continue` and that nobody has accepted. */
  get undecided(): readonly Expectation[] {
    if (!this.#hasOthers) return NONE;
    return this.expectations.filter((member) => !isContinue(member) && !this.#accepted?.has(member));
  }

  /** A guard has accepted; another one may still refuse. */
  accept(): void {
    this.isAppRunning = true;
    this.acceptedAt = performance.now();
  }

  acceptExpectation(member: Expectation): void {
    this.#accepted ??= new Set();
    this.#accepted.add(member);
  }

  /** Holds reads back until {@link endVerdict}, so that no 100 overtakes the verdict. */
  beginVerdict(): void {
    this.#judging++;
  }

  endVerdict(): void {
    this.#judging--;
    if (this.#judging > 0 || !this.#isReadHeld) return;
    this.#isReadHeld = false;
    this.read(0);
  }

  /** Calls back once, when the response is finished or the client has left. */
  onClose(callback: () => void): void {
    if (this.#isClosed) callback();
    else if (this.#closeCallbacks) this.#closeCallbacks.push(callback);
    else this.#closeCallbacks = [callback];
  }

  /** The response is finished, or nobody is left to read it. */
  close(): void {
    this.#stopIdleTimer();
    this.#leavePending();
    if (this.acceptedAt !== undefined) this.#settle();
    this.#isClosed = true;
    const callbacks = this.#closeCallbacks;
    this.#closeCallbacks = undefined;
    for (const callback of callbacks ?? []) callback();
    this.listener.onClosed(this);
  }

  /** Calls `exceed` as soon as more than `bytes` have arrived. */
  limit(bytes: number, exceed: () => void): void {
    if (this.#limits) this.#limits.push({ bytes, exceed });
    else this.#limits = [{ bytes, exceed }];
    this.#leastLimit = Math.min(this.#leastLimit, bytes);
    if (this.received > bytes) exceed();
  }

  /**
   * Sends the one `100 Continue`, where it is owed and can still be sent.
   *
   * @see RFC 9110 §10.1.1, §15.2.1
   */
  sendContinue(): void {
    if (!this.isWithheld || this.refusal || isFinalOnWire(this.res) || this.isGone) return;
    this.#isContinued = true;
    if (contentChannel.hasSubscribers) this.#continuedAt = performance.now();
    if (this.stream || !this.res.headersSent) this.#writeContinue.call(this.res);
    // Node 24 and later refuse `writeContinue()` once a head is prepared, even while none of it is on the wire.
    else if (this.res.socket) this.res.socket.write(CONTINUE);
    else this.res.once("socket", (socket) => socket.write(CONTINUE));
    this.#leavePending();
    this.#settle();
  }

  /** A final status is about to be written: who listens for the content by now has asked for it in time. */
  beginFinal(status: number): void {
    const isWanted = status < 400 && this.#judging === 0 && isHeardBySomebody(this.req);
    if (isWanted && this.isWithheld && this.undecided.length === 0) this.sendContinue();
  }

  /** Marks the request as refused: from here on its content is thrown away. */
  refuse(refusal: RefusedWith): void {
    this.refusal = refusal;
    this.#leavePending();
    this.#stopIdleTimer();
  }

  /**
   * Ends the content with an error for whoever reads it, and leaves the connection to the refusal.
   */
  failBody(code: ExpectationErrorCode, message: string): void {
    const { req } = this;
    if (req.destroyed || req.readableEnded) return;
    this.#stopIdleTimer();
    const failure = new ExpectationError(code, message);
    this.#failure = failure;
    if (this.hasReader || req.listenerCount("error") > 0 || isHeardBySomebody(req)) {
      this.#destroyBody(failure);
      return;
    }
    // An error that is emitted before anybody listens reaches nobody: who comes later is told then.
    const tellLater = (event: string | symbol) => {
      if (!READER_EVENTS.has(event)) return;
      req.off("newListener", tellLater);
      process.nextTick(() => this.#destroyBody(failure));
    };
    req.on("newListener", tellLater);
  }

  #destroyBody(failure: ExpectationError): void {
    const { req } = this;
    // Node's own `_destroy` takes the socket with it, and on HTTP/2 an error without a listener ends the process.
    req._destroy = (error, done) => done(req.listenerCount("error") > 0 ? error : null);
    req.destroy(failure);
    if (this.stream) return;
    process.nextTick(abort, req);
    // What is thrown away from here on must not stop the socket: a client that leaves would go unseen.
    if (req.socket) this.#read.call(req, 0);
  }

  /** The request's `_read`: called when the stream wants content, whoever is behind it. */
  read(size: number): void {
    const { req } = this;
    const isDiscard = isReadToDiscard(req);
    if (this.refusal) {
      if (!isDiscard) this.#destroyBody(this.#failure ?? refusedError(this.refusal));
      else if (!this.#failure) this.#discard();
      return;
    }
    if (this.isWithheld) {
      if (this.#judging > 0) {
        this.#isReadHeld = true;
        return;
      }
      if (isDiscard) {
        this.#discard();
        return;
      }
      // Content that has begun to come needs no 100 (RFC 9110 §10.1.1): its reader is served whatever is on the wire.
      if (this.received === 0 && isFinalOnWire(this.res)) {
        this.#destroyBody(
          new ExpectationError("ERR_EXPECT_TOO_LATE", "the final response began before the content was asked for"),
        );
        return;
      }
    }
    if (!isDiscard) {
      if (!this.hasReader && !this.context.ignoresUnknown && this.undecided.length > 0) {
        this.listener.onUndecided(this);
        return;
      }
      this.hasReader = true;
      this.sendContinue();
      if (this.acceptedAt !== undefined) this.#settle();
      this.#askForBytes();
    }
    this.#read.call(req, size);
  }

  /** The request's `push`: called by Node with each piece of content, and with `null` at its end. */
  push(chunk: unknown, encoding?: BufferEncoding): boolean {
    this.#isAsking = false;
    if (chunk === null) {
      // HTTP/2 ends the stream of a client that went away like any other.
      this.hasArrived = this.stream?.aborted !== true;
      this.#leavePending();
      this.#stopIdleTimer();
      return this.#isDiscarded ? false : this.#push.call(this.req, null);
    }
    if (this.#continuedAt !== undefined) this.#tellContent(this.#continuedAt);
    this.received += (chunk as Uint8Array).length;
    if (this.#isDiscarded || this.refusal || this.req.destroyed) return true;
    if (this.received > this.#leastLimit) {
      this.#limits?.find(({ bytes }) => this.received > bytes)?.exceed();
      if (this.refusal) return true;
    }
    return this.#push.call(this.req, chunk, encoding);
  }

  // Ends the request for those who wait for its end before they answer (finalhandler, body-parser): the content
  // itself stays at the client. On HTTP/1 a request that ends without `complete` takes its socket with it; on HTTP/2
  // `complete` has a getter alone.
  #discard(): void {
    if (this.#isDiscarded) return;
    this.#isDiscarded = true;
    if (!this.stream) this.req.complete = true;
    this.#push.call(this.req, null);
  }

  // One timer an upload; it means something only while the application asks: one that is slow to read is no idle client.
  #askForBytes(): void {
    if (!this.#isContinued || this.hasArrived) return;
    if (!this.stream && !this.res.socket) {
      // The 100 waits behind an earlier response: the client cannot know of it yet.
      if (!this.#isWaitingForTurn) this.res.once("socket", () => this.#askForBytes());
      this.#isWaitingForTurn = true;
      return;
    }
    this.#isAsking = true;
    if (this.#idleTimer) this.#idleTimer.refresh();
    else {
      this.#idleTimer = setTimeout(() => {
        // A reader that has given up asks for nothing.
        if (this.#isAsking && !this.hasArrived && !this.req.destroyed) this.listener.onIdle(this);
      }, this.context.bodyTimeoutMs).unref();
    }
  }

  #leavePending(): void {
    if (!this.#isPending) return;
    this.#isPending = false;
    gauges().pendingHandshakes--;
  }

  #settle(): void {
    if (this.#isSettled || this.refusal) return;
    this.#isSettled = true;
    this.listener.onAccept(this);
  }

  #tellContent(continuedAt: number): void {
    this.#continuedAt = undefined;
    this.listener.onContent(this, performance.now() - continuedAt);
  }

  #stopIdleTimer(): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = undefined;
    this.#isAsking = false;
  }
}

// Node tells of a body that ends early by this event, and proxies and parsers of files tidy up at it. Behind the error,
// which says why.
function abort(req: IncomingMessage): void {
  if (req.aborted) return;
  req.aborted = true;
  req.emit("aborted");
}

// One function each for all requests: a closure for each of them would be the most of what a pending handshake takes.
function closeHandshake(this: HttpResponse): void {
  currentHandshake(this.req)?.close();
}

function readThroughHandshake(this: IncomingMessage, size: number): void {
  currentHandshake(this)?.read(size);
}

function pushThroughHandshake(this: IncomingMessage, chunk: unknown, encoding?: BufferEncoding): boolean {
  return currentHandshake(this)?.push(chunk, encoding) ?? false;
}

function continueThroughHandshake(this: ServerResponse, callback?: () => void): void {
  currentHandshake(this.req)?.sendContinue();
  if (callback) process.nextTick(callback);
}

// Not `end`: Node listens for that itself when a response is done.
const READER_EVENTS = new Set<string | symbol>(["data", "readable", "error"]);

const NONE: readonly Expectation[] = Object.freeze([]);

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

/** The handshake that a gate or guard has begun for a request. */
export function currentHandshake(req: HttpRequest): Handshake | undefined {
  return (req as Carrier)[HANDSHAKE];
}

/**
 * Tells what was decided about a request, for handlers and logs.
 *
 * @example const { state, received } = handshakeOf(req);
 */
export function handshakeOf(req: HttpRequest): HandshakeInfo {
  const handshake = currentHandshake(req);
  if (!handshake) {
    return { state: "none", expectations: [], length: announcedContent(req).length, received: 0, refusal: undefined };
  }
  const { state, expectations, length, received, refusal } = handshake;
  return { state, expectations, length, received, refusal };
}

// Streams that flow without anybody listening throw their data away: `req.resume()`, as finalhandler and body-parser
// call it. A bare `read()` leaves `readableFlowing` at null.
export function isReadToDiscard(req: IncomingMessage): boolean {
  return req.readableFlowing === true && !isHeardBySomebody(req);
}

/** Whether somebody listens for the content itself. */
export function isHeardBySomebody(req: IncomingMessage): boolean {
  return req.listenerCount("data") > 0 || req.listenerCount("readable") > 0;
}

function refusedError({ status }: RefusedWith): ExpectationError {
  return new ExpectationError("ERR_EXPECT_REFUSED", `the upload was refused with ${status}`);
}

/**
 * Whether a 100 went out before this package could decide: by Node, where nobody listens for `checkContinue`, or by
 * somebody who does. HTTP/1 keeps no public record of it: `_sent100` is Node's own mark. Wire test "warns once when the
 * first 100 was sent before it could attach".
 */
export function isContinuedByOthers(res: HttpResponse, stream: ServerHttp2Stream | undefined): boolean {
  if (stream) return (stream.sentInfoHeaders ?? []).some((headers) => headers[":status"] === 100);
  return (res as { _sent100?: boolean })._sent100 === true;
}

/**
 * Whether the final response has begun on the wire.
 *
 * `_headerSent` is Node's own mark for "the head left with the first bytes": the public `headersSent` is true as soon
 * as a head is prepared, when a 100 may still go out before it. Wire test "owes the 100 after writeHead(200)".
 */
export function isFinalOnWire(res: HttpResponse): boolean {
  const stream = (res as Partial<Http2ServerResponse>).stream;
  if (stream) return stream.headersSent;
  return (res as ServerResponse & { _headerSent?: boolean })._headerSent === true;
}
