import type { IncomingMessage, ServerResponse } from "node:http";
import type { HttpRequest, HttpResponse } from "../http/message.js";
import { hasContentListener } from "../node/content-source.js";
import { hasSentContinue, isFinalOnWire } from "../node/response.js";
import { contentChannel, gauges } from "../observe/diagnostics.js";
import type { RefusedWith } from "../observe/record.js";
import { ExpectationError } from "../support/errors.js";
import { BodyClock, type TimedUpload } from "./body-clock.js";
import { type ContentOwner, HANDSHAKE, type ReadMeaning, RequestContent } from "./content.js";
import type { ServerContext } from "./context.js";
import { Exchange } from "./exchange.js";
import { watchInjected } from "./injected.js";
import { type InterimOwner, type InterimWriters, watchInterim, writeContinue } from "./interim.js";
import type { HandshakeListener } from "./listener.js";

/** The state of a handshake; `none` when no `100 Continue` is owed. */
export type HandshakeState = "none" | "pending" | "continued" | "refused";

type Carrier = HttpRequest & { [HANDSHAKE]?: Handshake };

/**
 * One request's handshake: pending, then continued, refused, or abandoned with its connection.
 *
 * The only place that writes a 100.
 *
 * @see RFC 9110 §10.1.1
 */
export class Handshake extends Exchange implements ContentOwner, InterimOwner, TimedUpload {
  readonly content: RequestContent;
  /** The response's own methods that write interim responses. */
  readonly interim: InterimWriters;
  /** Whether the request counts as accepted: its 100 is sent, or its content is read, or it ended without either. */
  isSettled = false;
  /** Whether somebody asks for bytes, and none have come since. */
  isAsking = false;
  #refusal: RefusedWith | undefined;
  #acceptedAt: number | undefined;
  #isResponseShared = false;
  #hasBadFraming = false;
  #isContinued = false;
  #isContinueDue = false;
  #continuedAt: number | undefined;
  #isPending = false;
  #judging = 0;
  #clock: BodyClock | undefined;
  #isReadDue = false;
  #closeCallbacks: (() => void)[] | undefined;
  #isClosed = false;

  constructor(
    req: IncomingMessage,
    res: ServerResponse,
    readonly context: ServerContext,
    readonly listener: HandshakeListener<Handshake>,
  ) {
    super(req, res);
    this.content = new RequestContent(req, this.stream, this, this.length === 0);
    this.#isContinued = this.expectsContinue && hasSentContinue(res, this.stream);
    (req as Carrier)[HANDSHAKE] = this;
    res.on("close", closeHandshake);
    if (this.isInjected) watchInjected(req, res, closeHandshake);
    this.interim = watchInterim(res, this.stream);
    if (this.length === 0) return;
    if (this.isWithheld) {
      this.#isPending = true;
      gauges().pendingHandshakes++;
    }
    this.content.watch();
  }

  get state(): HandshakeState {
    if (this.#refusal) return "refused";
    if (this.#isContinued) return "continued";
    return this.isWithheld ? "pending" : "none";
  }

  /** How the request was refused; `undefined` unless it was. */
  get refusal(): RefusedWith | undefined {
    return this.#refusal;
  }

  /** When a guard last accepted; `undefined` when none did. */
  get acceptedAt(): number | undefined {
    return this.#acceptedAt;
  }

  /** Bytes of content that have arrived until now. */
  get received(): number {
    return this.content.received;
  }

  /** Whether the content has arrived to its end. */
  get hasArrived(): boolean {
    return this.content.hasArrived;
  }

  /** Whether somebody has begun to read the content for its bytes. */
  get hasReader(): boolean {
    return this.content.hasReader;
  }

  /** Whether code outside of this package may write to the response. */
  get isResponseShared(): boolean {
    return this.#isResponseShared;
  }

  /** Whether the bytes behind the request cannot be trusted, so that its connection must end. */
  get hasBadFraming(): boolean {
    return this.#hasBadFraming;
  }

  /** Whether the client may hold its content back until it gets a response. */
  get isWithheld(): boolean {
    return this.expectsContinue && !this.#isContinued && !this.content.hasArrived && !this.#hasAllBytes;
  }

  // The last byte is there, although Node has not ended the content yet.
  get #hasAllBytes(): boolean {
    return this.length !== undefined && this.content.received >= this.length;
  }

  /** A guard has accepted, and hands the request on. Another guard may still refuse. */
  accept(): void {
    this.#isResponseShared = true;
    this.#acceptedAt = performance.now();
    this.#clock?.renew();
  }

  /** Code outside of this package gets the response. */
  shareResponse(): void {
    this.#isResponseShared = true;
  }

  /** Ends the connection after this response: what comes behind the request cannot be trusted. */
  distrustFraming(): void {
    this.#hasBadFraming = true;
  }

  /** Holds reads back until {@link endVerdict}, so that no 100 goes out before the verdict. */
  beginVerdict(): void {
    this.#judging++;
  }

  endVerdict(): void {
    this.#judging--;
    if (this.#judging > 0) return;
    if (this.#isContinueDue) this.sendContinue();
    this.content.release();
    this.listener.onVerdict(this);
  }

  /** Whether a verdict is pending. */
  get isJudged(): boolean {
    return this.#judging > 0;
  }

  /** Calls back once, when the response is finished or the client has left. */
  onClose(callback: () => void): void {
    if (this.#isClosed) callback();
    else if (this.#closeCallbacks) this.#closeCallbacks.push(callback);
    else this.#closeCallbacks = [callback];
  }

  /** The response is finished, or its client has left. Safe to call again. */
  close(): void {
    if (this.#isClosed) return;
    if (!this.isOverdue) this.#clock?.stop();
    this.#leavePending();
    if (this.#acceptedAt !== undefined) this.#settle();
    // No parser holds injected content to its declared length.
    if (!this.isInjected && this.content.hasMissedBytes(this.length)) this.listener.onMissedBytes(this);
    this.#isClosed = true;
    const callbacks = this.#closeCallbacks;
    this.#closeCallbacks = undefined;
    for (const callback of callbacks ?? []) callback();
    this.listener.onClosed(this);
  }

  /** The connection has closed behind the response, and the content has not come whole: its reader is told. */
  abandonContent(): void {
    const { content } = this;
    this.#clock?.stop();
    if (content.hasArrived) return;
    if (content.hasReader) content.fail("ERR_EXPECT_TOO_LATE", "the connection closed before the content had come");
    else content.end();
    content.close();
  }

  /**
   * Sends the one `100 Continue`, if it is owed and can still be sent. While a verdict is pending it waits for that.
   *
   * @see RFC 9110 §10.1.1, §15.2.1
   */
  sendContinue(): void {
    if (!this.isWithheld || this.#refusal || isFinalOnWire(this.res) || this.isGone) return;
    if (this.#judging > 0) {
      this.#isContinueDue = true;
      return;
    }
    this.#isContinued = true;
    if (contentChannel.hasSubscribers) this.#continuedAt = performance.now();
    writeContinue(this.res, this.stream, this.interim);
    this.#leavePending();
    this.#settle();
  }

  /** Whether an interim response other than 100 may be written: not behind the final status. */
  get mayInform(): boolean {
    return !this.#refusal && !this.res.headersSent && !this.isGone;
  }

  /** A final status is about to be written. A listener for the content has asked for it in time and gets its 100. */
  beginFinal(status: number): void {
    const isWanted = status < 400 && this.#judging === 0 && hasContentListener(this.req, this.stream);
    if (isWanted && this.isWithheld && this.undecided.length === 0) this.sendContinue();
  }

  /** Marks the request as refused: from here on its content is thrown away. */
  refuse(refusal: RefusedWith): void {
    this.#refusal = refusal;
    this.#leavePending();
    this.#clock?.stop();
  }

  /** Counts how long the content takes. */
  get clock(): BodyClock {
    this.#clock ??= new BodyClock(this);
    return this.#clock;
  }

  /** Whether Node's `requestTimeout` has passed, and did not end the upload. */
  get isOverdue(): boolean {
    return this.#clock?.isOverdue === true;
  }

  /** Whether the response is finished, or the client has left. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  meaningOfRead(isWanted: boolean): ReadMeaning {
    if (this.#refusal) return "refused";
    if (this.isWithheld) {
      if (this.#judging > 0) return "hold";
      if (!isWanted) return "discard";
    }
    if (!isWanted) return "pass";
    const isUndecided = !this.content.hasReader && !this.context.ignoresUnknown && this.undecided.length > 0;
    return isUndecided ? "undecided" : "read";
  }

  get isRefused(): boolean {
    return this.#refusal !== undefined;
  }

  get refusedError(): ExpectationError | undefined {
    const refusal = this.#refusal;
    return refusal && new ExpectationError("ERR_EXPECT_REFUSED", `the upload was refused with ${refusal.status}`);
  }

  onRead(): void {
    if (this.isWithheld && !isFinalOnWire(this.res)) this.#isContinueDue = true;
    else if (this.#acceptedAt !== undefined) this.#settle();
    this.#ask();
  }

  /** Sends the 100 that a read has asked for, and begins to count the time. */
  continueForReader(): void {
    this.#isReadDue = false;
    if (this.#isContinueDue) {
      this.#isContinueDue = false;
      this.sendContinue();
      if (this.#acceptedAt !== undefined) this.#settle();
    }
    if (this.isAsking) this.clock.start();
  }

  onDiscard(): void {
    if ((this.#acceptedAt !== undefined || this.isOverdue) && !this.#isClosed) this.#ask();
  }

  onUndecided(): void {
    this.listener.onUndecided(this);
  }

  onBytes(): void {
    this.isAsking = false;
    this.#clock?.hear();
    if (this.#continuedAt === undefined) return;
    const waitedMs = performance.now() - this.#continuedAt;
    this.#continuedAt = undefined;
    this.listener.onContent(this, waitedMs);
  }

  onEnd(): void {
    this.#leavePending();
    this.#clock?.stop();
  }

  onCutOff(): void {
    this.#clock?.stop();
  }

  // Later at first, because the whole content may be in the packet that is being parsed. Then no 100 is owed.
  #ask(): void {
    // Node ends it in this turn. On HTTP/2 the client does, by a frame of its own.
    if (!this.stream && this.#hasAllBytes) return;
    this.isAsking = true;
    if (this.#clock && !this.#isContinueDue) this.#clock.start();
    else if (!this.#isReadDue) {
      this.#isReadDue = true;
      process.nextTick(continueForReader, this);
    }
  }

  #leavePending(): void {
    if (!this.#isPending) return;
    this.#isPending = false;
    gauges().pendingHandshakes--;
  }

  #settle(): void {
    if (this.isSettled || this.#refusal) return;
    this.isSettled = true;
    this.listener.onAccept(this);
  }
}

/** The handshake that a gate or guard has begun for a request. */
export function currentHandshake(req: HttpRequest): Handshake | undefined {
  return (req as Carrier)[HANDSHAKE];
}

// Shared by all requests: a closure for each would be most of the memory of a pending handshake.
function closeHandshake(this: HttpResponse): void {
  currentHandshake(this.req)?.close();
}

function continueForReader(handshake: Handshake): void {
  handshake.continueForReader();
}
