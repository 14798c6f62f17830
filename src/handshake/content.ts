import type { IncomingMessage } from "node:http";
import { constants, type ServerHttp2Stream } from "node:http2";
import { Readable } from "node:stream";
import { hasContentListener, isDiscarding, isReadByRequest } from "../node/content-source.js";
import { acceptedSocket } from "../node/server.js";
import { ExpectationError, type ExpectationErrorCode } from "../support/errors.js";

/**
 * What a read of the content means at this moment.
 *
 * - `read`: somebody wants the bytes.
 * - `pass`: nobody wants them, and the client sends them anyway.
 * - `hold`: a verdict is pending; the read waits for it.
 * - `discard`: nobody wants them, and the client still holds them back.
 * - `refused`: the request has been refused.
 * - `undecided`: nobody has accepted one of the request's expectations.
 */
export type ReadMeaning = "read" | "pass" | "hold" | "discard" | "refused" | "undecided";

/** Decides about the content, and is told what becomes of it. */
export interface ContentOwner {
  /** @param isWanted - whether the reader wants the bytes; otherwise it throws them away. */
  meaningOfRead(isWanted: boolean): ReadMeaning;
  /** The reader wants the bytes: the 100 is due. */
  onRead(): void;
  /** The bytes are thrown away as they come. */
  onDiscard(): void;
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

/** What the content comes from: a request of HTTP/1, or a stream of HTTP/2. */
type Source = IncomingMessage & { [HANDSHAKE]?: { readonly content: RequestContent } };

type Push = (chunk: unknown, encoding?: BufferEncoding) => boolean;

/**
 * The reading side of one request: `_read`, `push` and `_destroy` of the stream that its content comes from. That is the
 * request itself on HTTP/1, and its stream on HTTP/2, which applications may read past the request.
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
  readonly #source: Source;
  readonly #read: (size: number) => void;
  readonly #push: Push;

  constructor(
    readonly req: IncomingMessage,
    readonly stream: ServerHttp2Stream | undefined,
    readonly owner: ContentOwner,
    isEmpty: boolean,
  ) {
    this.#source = (stream ?? req) as Source;
    // `complete` of the compatibility API is true of a stream that was reset, too.
    this.#hasArrived = isEmpty || (!stream && req.complete === true);
    this.#read = this.#source._read;
    this.#push = this.#source.push as Push;
  }

  /** Bytes that have arrived until now. */
  get received(): number {
    return this.#received;
  }

  /** Whether the content has arrived to its end. */
  get hasArrived(): boolean {
    return this.#hasArrived;
  }

  /** Whether nobody is to be told anything more about the content: it has arrived, or has been ended in its place. */
  get isOver(): boolean {
    return this.#hasArrived || (this.#isDiscarded && this.#failure === undefined);
  }

  /** Whether somebody has begun to read the content for its bytes. */
  get hasReader(): boolean {
    return this.#hasReader;
  }

  /** Begins to watch the content's reads and bytes. */
  watch(): void {
    const source = this.#source;
    if (!this.#isReadable) return;
    const { stream } = this;
    // On HTTP/2 content may have come before Node emitted the request.
    if (stream) {
      this.#received = stream.readableLength;
      // A stream that its client has reset counts as ended, too.
      this.#hasArrived ||= !stream.closed && (stream.readableEnded || stream.state.remoteClose === 1);
    }
    this.#isWatchedWhole = !this.req.readableDidRead && this.req.readableLength === 0 && !this.#hasArrived;
    const carried = (this.req as Source)[HANDSHAKE];
    if (stream && carried) (stream as unknown as Source)[HANDSHAKE] = carried;
    source._read = readThroughHandshake;
    source.push = pushThroughHandshake;
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

  /** The source's `_read`: called when the stream wants content, whoever is behind it. */
  read(size: number): void {
    const { owner } = this;
    const isWanted = !isDiscarding(this.req, this.stream);
    const meaning = owner.meaningOfRead(isWanted);
    switch (meaning) {
      case "read":
        this.#hasReader = true;
        owner.onRead();
        this.#pull(size);
        return;
      case "pass":
        owner.onDiscard();
        this.#pull(size);
        return;
      case "hold":
        this.#isReadHeld = true;
        return;
      case "discard":
        this.end();
        return;
      case "refused":
        if (isWanted) this.#destroy(this.#failure ?? (owner.refusedError as ExpectationError));
        else if (!this.#failure) this.end();
        // A stream that stops asking would hold its session's window.
        if (this.stream) this.#pull(size);
        return;
      case "undecided":
        owner.onUndecided();
        return;
      default:
        meaning satisfies never;
    }
  }

  /** The source's `push`: called by Node with each piece of content, and with `null` at its end. */
  push(chunk: unknown, encoding?: BufferEncoding): boolean {
    if (chunk === null) {
      // HTTP/2 ends a stream that closes in the middle of its content like any other.
      this.#hasArrived ||= this.stream?.closed !== true;
      this.owner.onEnd();
      return this.#isDiscarded && !this.stream ? false : this.#push.call(this.#source, null);
    }
    this.#received += byteLength(chunk, encoding);
    this.owner.onBytes();
    if (this.#isThrownAway()) return true;
    if (this.#received > this.#leastLimit) {
      this.#limits?.find(({ bytes }) => this.#received > bytes)?.exceed();
      if (this.#isThrownAway()) return true;
    }
    return this.#push.call(this.#source, chunk, encoding);
  }

  /** Counts a piece of content that a relay keeps away from its reader; `null` is the end. */
  countSwallowed(chunk: unknown): void {
    // On HTTP/2 it has passed `push` of the stream.
    if (this.stream) return;
    if (chunk === null) this.#hasArrived = true;
    else this.#received += byteLength(chunk);
  }

  /** Calls `exceed` as soon as more than `bytes` have arrived. */
  limit(bytes: number, exceed: () => void): void {
    if (this.#limits) this.#limits.push({ bytes, exceed });
    else this.#limits = [{ bytes, exceed }];
    this.#leastLimit = Math.min(this.#leastLimit, bytes);
    if (this.#received > bytes) exceed();
  }

  /** Continues with a read that waited for a verdict. */
  release(): void {
    if (!this.#isReadHeld) return;
    this.#isReadHeld = false;
    this.read(0);
  }

  /** Ends the content with an error for its reader. The connection is left to the response. */
  fail(code: ExpectationErrorCode, message: string): void {
    const { req } = this;
    if (!this.#isReadable || req.destroyed || req.readableEnded) return;
    this.owner.onCutOff();
    const failure = new ExpectationError(code, message);
    this.#failure = failure;
    if (this.#hasReader || req.listenerCount("error") > 0 || hasContentListener(req, this.stream)) {
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

  /** The connection is gone: what was cut off ends now, whether or not anybody has listened. */
  close(): void {
    if (this.#failure && !this.req.destroyed) this.#destroy(this.#failure);
  }

  /**
   * Ends the content for code that waits for its end (finalhandler and body-parser before they respond, cleanup by
   * `req.on("close")`). What the client still holds stays there.
   */
  end(): void {
    const { req } = this;
    if (this.#isDiscarded || this.#failure || req.destroyed || req.readableEnded) return;
    this.#isDiscarded = true;
    // On HTTP/1 a request that ends without `complete` takes its socket with it. On HTTP/2 `complete` has only a getter.
    if (!this.stream) {
      req.complete = true;
      this.#push.call(req, null);
    } else if (isReadByRequest(this.stream) || this.stream.readableFlowing !== true) {
      const { push } = req;
      // Content that the stream has buffered must not follow the end.
      req.push = swallow;
      push.call(req, null);
    } else this.#push.call(this.#source, null);
    if (req.readableFlowing === null && !hasContentListener(req)) req.resume();
  }

  /** Closes the HTTP/2 stream of a response that its client has seen. Who reads the stream itself gets the error now. */
  closeStream(): void {
    const { stream } = this;
    if (!stream || stream.destroyed) return;
    const failure = this.#hasReader && stream.listenerCount("error") > 0 ? this.#failure : undefined;
    stream.close(constants.NGHTTP2_NO_ERROR);
    if (failure) stream.destroy(failure);
    else stream.resume();
  }

  // A test double of a request may be no stream at all.
  get #isReadable(): boolean {
    return typeof this.#read === "function";
  }

  #pull(size: number): void {
    this.#read.call(this.#source, size);
  }

  #isThrownAway(): boolean {
    return this.#isDiscarded || this.#failure !== undefined || this.req.destroyed || this.owner.isRefused;
  }

  #destroy(failure: ExpectationError): void {
    this.#failure = failure;
    const { req } = this;
    // Node's own `_destroy` takes the socket with it. On HTTP/2 an error without a listener ends the process.
    req._destroy = (error, done) => done(req.listenerCount("error") > 0 ? error : null);
    // A `destroy` of the request's own may emit an error that nobody listens for, or do nothing (light-my-request).
    Readable.prototype.destroy.call(req, failure);
    if (this.stream) return;
    process.nextTick(abort, req);
    // Discarded bytes must not stop the socket: the server would not see that the client leaves.
    if (acceptedSocket(req)) this.#pull(0);
  }
}

// Content that Node has parsed is bytes. Programs that make requests themselves may push text.
function byteLength(chunk: unknown, encoding?: BufferEncoding): number {
  return typeof chunk === "string" ? Buffer.byteLength(chunk, encoding) : (chunk as Uint8Array).length;
}

function swallow(): boolean {
  return true;
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
function readThroughHandshake(this: Source, size: number): void {
  this[HANDSHAKE]?.content.read(size);
}

function pushThroughHandshake(this: Source, chunk: unknown, encoding?: BufferEncoding): boolean {
  return this[HANDSHAKE]?.content.push(chunk, encoding) ?? false;
}
