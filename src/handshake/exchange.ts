import type { IncomingMessage, ServerResponse } from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import { type Expectation, expectationsOf, isContinue, MAX_EXPECTATIONS } from "../http/expect-header.js";
import { announcedContent, http2Stream, isHttp11 } from "../http/message.js";
import { acceptedSocket } from "../node/server.js";
import type { Linked, Row } from "../support/row.js";
import type { SessionWatch } from "./context.js";

/** The uploads that a server has under way, and whether it is about to go. */
export interface Traffic {
  /** Requests that are watched, and whose responses are not done, in the order in which they came. */
  readonly uploads: Row<Exchange>;
  /** Whether the server is about to close, so that its responses end their connections where nothing is lost by it. */
  readonly isLeaving: boolean;
}

/** A request with its response: what its header section says, and what has become of its connection. */
export class Exchange implements Linked<Exchange> {
  /** The neighbours among the uploads of {@link traffic}. */
  before: Exchange | undefined;
  behind: Exchange | undefined;
  /** The traffic of the server that accepted the connection; `undefined` if nobody has attached that server. */
  traffic: Traffic | undefined;
  /** The watch of its HTTP/2 session, until the response is done. */
  sessionWatch: SessionWatch | undefined;
  readonly startedAt: number = performance.now();
  readonly expectations: readonly Expectation[];
  /** Announced bytes; 0 for none; `undefined` for an unknown length. */
  readonly length: number | undefined;
  /** Whether the request may expect a 100 by the rules of HTTP, and does. */
  readonly expectsContinue: boolean;
  /** The HTTP/2 stream; `undefined` on HTTP/1. */
  readonly stream: ServerHttp2Stream | undefined;
  /**
   * The HTTP/1 connection; `undefined` for an injected request, whose socket no server has accepted. Node sets
   * `req.socket` to null when a reader gives up (a `pipeline` that fails, a `for await` that is left).
   */
  readonly socket: IncomingMessage["socket"] | undefined;
  readonly #isHttp11: boolean;
  readonly #hasOthers: boolean;
  #accepted: Set<Expectation> | undefined;
  #isDispatched = false;
  #hasLostResponse = false;

  constructor(
    readonly req: IncomingMessage,
    readonly res: ServerResponse,
  ) {
    this.expectations = expectationsOf(req);
    this.length = announcedContent(req).length;
    this.#hasOthers = !this.expectations.every(isContinue);
    this.#isHttp11 = isHttp11(req);
    this.stream = http2Stream(req);
    this.socket = this.stream ? undefined : acceptedSocket(req);
    // Behind an injected request there is no client that waits.
    this.expectsContinue =
      this.length !== 0 && !this.isInjected && this.#isHttp11 && this.expectations.some(isContinue);
  }

  /** Whether a program called the application with a request of its own, which no server has accepted. */
  get isInjected(): boolean {
    return !this.stream && !this.socket;
  }

  /** Whether the response was given up before its client had taken it. */
  get hasLostResponse(): boolean {
    return this.#hasLostResponse;
  }

  loseResponse(): void {
    this.#hasLostResponse = true;
  }

  /** The status of the response that was sent, or that is set. An HTTP/2 application may respond past `res`. */
  get finalStatus(): number {
    return Number(this.stream?.sentHeaders?.[":status"] ?? this.res.statusCode);
  }

  /** Whether the whole response has been written, by the response or, on HTTP/2, by the stream itself. */
  get isAnswered(): boolean {
    // Node ends the stream of a HEAD before anybody has responded.
    return this.res.writableEnded || (this.stream?.headersSent === true && this.stream.writableEnded);
  }

  /** Whether nobody is left to respond to: the client left, or the connection was ended. */
  get isGone(): boolean {
    const { stream } = this;
    if (stream) return stream.destroyed || stream.closed || stream.aborted;
    return this.socket?.destroyed === true || this.res.destroyed;
  }

  /** Whether the request carries an expectation that counts: HTTP/1.0 has no `100-continue` (RFC 9110 §10.1.1). */
  get hasExpectation(): boolean {
    return this.expectations.some((member) => !isContinue(member) || this.#isHttp11);
  }

  /** Whether the request has more expectations than policies may be asked about. */
  get hasTooManyExpectations(): boolean {
    return this.expectations.length > MAX_EXPECTATIONS;
  }

  /** The expectations other than `100-continue` that nobody has accepted. */
  get undecided(): readonly Expectation[] {
    if (!this.#hasOthers) return NONE;
    return this.expectations.filter((member) => !isContinue(member) && !this.#accepted?.has(member));
  }

  acceptExpectation(member: Expectation): void {
    this.#accepted ??= new Set();
    this.#accepted.add(member);
  }

  /** Whether the request has been handed on, and not only watched while it waits for others. */
  get isDispatched(): boolean {
    return this.#isDispatched;
  }

  /** The request is handed on. */
  dispatch(): void {
    this.#isDispatched = true;
  }
}

const NONE: readonly Expectation[] = Object.freeze([]);
