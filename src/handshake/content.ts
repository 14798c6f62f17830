import type { IncomingMessage } from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import { ExpectationError, type ExpectationErrorCode } from "../support/errors.js";
import { hasContentListener, isDiscarding } from "./reader.js";

/**
 * What a read of the content means at this moment.
 *
 * - `read`: somebody wants the bytes.
 * - `pass`: nobody wants them, and the client sends them anyway.
 * - `hold`: a verdict is pending; the read waits for it.
 * - `discard`: nobody wants them, and the client still holds them back.
 * - `refused`: the request has been refused.
 * - `undecided`: nobody has accepted one of the request's expectations.
 * - `late`: the final response is on the wire, and no 100 can go out any more.
 */
export type ReadMeaning = "read" | "pass" | "hold" | "discard" | "refused" | "undecided" | "late";

/** Decides about the content, and is told what becomes of it. */
export interface ContentOwner {
  /** @param isWanted - whether the reader wants the bytes; otherwise it throws them away. */
  meaningOfRead(isWanted: boolean): ReadMeaning;
  /** The reader wants the bytes: the 100 is due. */
  onRead(): void;
  /** Somebody wants content whose expectations nobody has accepted. */
  onUndecided(): void;
  /** A piece of content has come. */
  onBytes(): void;
  /** The content is over: it has come whole, or its client has left. */
  onEnd(): void;
  /** The content is cut off with an error for its reader. */
  onCutOff(): void;
  /** The error for a reader of refused content; `undefined` unless the request is refused. */
  readonly refusedError: ExpectationError | undefined;
  /** Whether the request has been refused: its content is thrown away. */
  readonly isRefused: boolean;
}

interface Limit {
  readonly bytes: number;
  readonly exceed: () => void;
}

/** The key of a request's handshake. The ESM and the CommonJS copy of this package use the same one. */
export const HANDSHAKE: unique symbol = Symbol.for("express-expectations:handshake:1");

type Carrier = IncomingMessage & { [HANDSHAKE]?: { readonly content: RequestContent } };

type Push = (chunk: unknown, encoding?: BufferEncoding) => boolean;

/**
 * The reading side of one request: its `_read`, its `push` and its `_destroy`.
 *
 * These three are the interface between a `Readable` and its source. Node has no other place that every reader and every
 * byte passes: a `data` listener would start the flow, and a wrapper of `pipe` or `read` misses all other readers. If
 * Node stopped calling them, limits would not count and no 100 would be sent; {@link hasMissedBytes} notices that. The
 * tests of tests/wire/canaries.test.ts say which of them has changed.
 */
export class RequestContent {
  #received = 0;
  #hasArrived: boolean;
  #hasReader = false;
  #isWatchedWhole = false;
  #isDiscarded = false;
  #isReadHeld = false;
  #limits: Limit[] | undefined;
  #leastLimit = Number.POSITIVE_INFINITY;
  #failure: ExpectationError | undefined;
  readonly #read: (size: number) => void;
  readonly #push: Push;

  constructor(
    readonly req: IncomingMessage,
    readonly stream: ServerHttp2Stream | undefined,
    readonly owner: ContentOwner,
    isEmpty: boolean,
  ) {
    this.#hasArrived = isEmpty || req.complete;
    this.#read = req._read;
    this.#push = req.push as Push;
  }

  /** Bytes that have arrived until now. */
  get received(): number {
    return this.#received;
  }

  /** Whether the content has arrived to its end. */
  get hasArrived(): boolean {
    return this.#hasArrived;
  }

  /** Whether somebody has begun to read the content for its bytes. */
  get hasReader(): boolean {
    return this.#hasReader;
  }

  /** Begins to watch the request's reads and bytes. */
  watch(): void {
    const { req } = this;
    this.#isWatchedWhole = !req.readableDidRead && req.readableLength === 0 && !req.complete;
    req._read = readThroughHandshake;
    req.push = pushThroughHandshake;
  }

  /**
   * Whether a reader got content that did not pass {@link push}, so that limits have not counted it: the request has
   * ended whole, and its bytes are not as many as declared.
   *
   * @param length - declared bytes; `undefined` when unknown.
   */
  hasMissedBytes(length: number | undefined): boolean {
    if (length === undefined || length === this.#received) return false;
    return this.#isWatchedWhole && this.req.readableEnded && !this.#isDiscarded && !this.owner.isRefused;
  }

  /** The request's `_read`: called when the stream wants content, whoever is behind it. */
  read(size: number): void {
    const { owner } = this;
    const isWanted = !isDiscarding(this.req);
    const meaning = owner.meaningOfRead(isWanted);
    switch (meaning) {
      case "read":
        this.#hasReader = true;
        owner.onRead();
        this.#read.call(this.req, size);
        return;
      case "pass":
        this.#read.call(this.req, size);
        return;
      case "hold":
        this.#isReadHeld = true;
        return;
      case "discard":
        this.#discard();
        return;
      case "refused":
        if (isWanted) this.#destroy(this.#failure ?? (owner.refusedError as ExpectationError));
        else if (!this.#failure) this.#discard();
        return;
      case "undecided":
        owner.onUndecided();
        return;
      case "late":
        this.#destroy(
          new ExpectationError("ERR_EXPECT_TOO_LATE", "the final response began before the content was asked for"),
        );
        return;
      default:
        meaning satisfies never;
    }
  }

  /** The request's `push`: called by Node with each piece of content, and with `null` at its end. */
  push(chunk: unknown, encoding?: BufferEncoding): boolean {
    if (chunk === null) {
      // HTTP/2 ends the stream of a client that left like any other.
      this.#hasArrived = this.stream?.aborted !== true;
      this.owner.onEnd();
      return this.#isDiscarded ? false : this.#push.call(this.req, null);
    }
    this.owner.onBytes();
    this.#received += (chunk as Uint8Array).length;
    if (this.#isThrownAway()) return true;
    if (this.#received > this.#leastLimit) {
      this.#limits?.find(({ bytes }) => this.#received > bytes)?.exceed();
      if (this.#isThrownAway()) return true;
    }
    return this.#push.call(this.req, chunk, encoding);
  }

  /** Counts a piece of content that somebody keeps away from its reader; `null` is the end. */
  countSwallowed(chunk: unknown): void {
    if (chunk === null) this.#hasArrived = true;
    else this.#received += (chunk as Uint8Array).length;
  }

  /** Calls `exceed` as soon as more than `bytes` have arrived. */
  limit(bytes: number, exceed: () => void): void {
    if (this.#limits) this.#limits.push({ bytes, exceed });
    else this.#limits = [{ bytes, exceed }];
    this.#leastLimit = Math.min(this.#leastLimit, bytes);
    if (this.#received > bytes) exceed();
  }

  /** Goes on with a read that waited for a verdict. */
  release(): void {
    if (!this.#isReadHeld) return;
    this.#isReadHeld = false;
    this.read(0);
  }

  /** Ends the content with an error for its reader. The connection is left to the refusal. */
  fail(code: ExpectationErrorCode, message: string): void {
    const { req } = this;
    if (req.destroyed || req.readableEnded) return;
    this.owner.onCutOff();
    const failure = new ExpectationError(code, message);
    this.#failure = failure;
    if (this.#hasReader || req.listenerCount("error") > 0 || hasContentListener(req)) {
      this.#destroy(failure);
      return;
    }
    // Defer the error until somebody listens.
    const failLater = (event: string | symbol) => {
      if (!READER_EVENTS.has(event)) return;
      req.off("newListener", failLater);
      process.nextTick(() => this.#destroy(failure));
    };
    req.on("newListener", failLater);
  }

  #isThrownAway(): boolean {
    return this.#isDiscarded || this.req.destroyed || this.owner.isRefused;
  }

  #destroy(failure: ExpectationError): void {
    const { req } = this;
    // Node's own `_destroy` takes the socket with it. On HTTP/2 an error without a listener ends the process.
    req._destroy = (error, done) => done(req.listenerCount("error") > 0 ? error : null);
    req.destroy(failure);
    if (this.stream) return;
    process.nextTick(abort, req);
    // Discarded bytes must not stop the socket: the server would not see that the client leaves.
    if (req.socket) this.#read.call(req, 0);
  }

  // Ends the request for code that waits for its end before it responds (finalhandler, body-parser). The content stays
  // at the client. On HTTP/1 a request that ends without `complete` takes its socket with it. On HTTP/2 `complete` has
  // only a getter.
  #discard(): void {
    if (this.#isDiscarded) return;
    this.#isDiscarded = true;
    if (!this.stream) this.req.complete = true;
    this.#push.call(this.req, null);
  }
}

// Node tells a body that ends early by this event. Proxies and file parsers tidy up when they see it.
function abort(req: IncomingMessage): void {
  if (req.aborted) return;
  req.aborted = true;
  req.emit("aborted");
}

// Not `end`: Node itself listens for that when a response is done.
const READER_EVENTS = new Set<string | symbol>(["data", "readable", "error"]);

// Shared by all requests: a closure for each would be most of the memory of a pending handshake.
function readThroughHandshake(this: Carrier, size: number): void {
  this[HANDSHAKE]?.content.read(size);
}

function pushThroughHandshake(this: Carrier, chunk: unknown, encoding?: BufferEncoding): boolean {
  return this[HANDSHAKE]?.content.push(chunk, encoding) ?? false;
}
