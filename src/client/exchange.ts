import type { IncomingHttpHeaders } from "node:http";
import { callSafely } from "../support/errors.js";
import type { Body } from "./body.js";
import { UploadError, type UploadErrorCode } from "./error.js";
import type { Hop } from "./hop.js";
import type { UploadResult, UploadSettings } from "./options.js";
import { Sender, type Sink } from "./sender.js";

/** More than any server sends while it works on an upload of hours. */
const MOST_INTERIMS = 10_000;

/** What came of one request. */
export type Attempt = Omit<UploadResult, "url" | "attempts">;

const NOTHING = Buffer.alloc(0);

/** One request and its response, on any version of HTTP. It decides when the body is sent, and when no more of it is. */
export class Exchange {
  readonly outcome: Promise<Attempt>;
  /** Whether the body has been opened. */
  isBodyBegun = false;
  /** Whether the agent's connection had carried another request before. */
  isReused = false;
  /** Gives up the connection, or the request on it. */
  discard: () => void = () => {};
  /** Called when the exchange is over, and the connection may get another user. */
  onOver: () => void = () => {};
  /** Calls {@link idled} when the connection was idle for `idleTimeoutMs`. It also sees when a part of a piece is sent. */
  watch: () => void = () => {};
  readonly #sender: Sender;
  #fulfil!: (attempt: Attempt) => void;
  #reject!: (error: Error) => void;
  #sink: Sink | undefined;
  #expectTimer: NodeJS.Timeout | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #activeAt = performance.now();
  #openedAt = 0;
  #final: { readonly status: number; readonly headers: IncomingHttpHeaders } | undefined;
  #trailers: Attempt["trailers"] | undefined;
  readonly #received: Buffer[] = [];
  #receivedBytes = 0;
  #interims = 0;
  #waitedMs = 0;
  #wasContinued = false;
  #isEarly = false;
  #isSending = false;
  #isOver = false;

  constructor(
    readonly hop: Hop,
    readonly settings: UploadSettings,
    readonly body: Body,
  ) {
    this.outcome = new Promise((resolve, reject) => {
      this.#fulfil = resolve;
      this.#reject = reject;
    });
    this.#sender = new Sender(body, () => this.#taken());
    this.#watchIdle(settings.idleTimeoutMs);
  }

  get sentBytes(): number {
    return this.#sender.sentBytes;
  }

  /** Whether it failed because the server had closed an idle connection. Then nothing was uploaded. */
  isStale(error: unknown): boolean {
    const isBroken = error instanceof UploadError && error.code === "ERR_UPLOAD_CONNECTION";
    return isBroken && this.isReused && this.hop.expects && !this.isBodyBegun;
  }

  /** The connection is there, and the head is on its way. */
  opened(sink: Sink): void {
    this.#openedAt = this.#activeAt = performance.now();
    if (this.#isOver || this.body.length === 0) return;
    this.#sink = sink;
    if (!this.hop.expects) this.#send();
    // Timers run before the connection is read. After a turn, a response that has arrived in time is known.
    else this.#expectTimer = setTimeout(() => setImmediate(() => this.#send()), this.settings.expectTimeoutMs);
  }

  interim(status: number, headers: IncomingHttpHeaders): void {
    if (this.#isOver || this.#final) return;
    this.#activeAt = performance.now();
    // Without a bound, a server could keep the upload from ever ending.
    if (++this.#interims > MOST_INTERIMS) {
      this.fail(new UploadError("ERR_UPLOAD_RESPONSE", `more than ${MOST_INTERIMS} interim responses`));
    } else if (status === 100) {
      this.#wasContinued = true;
      this.#send();
    } else this.#call(this.settings.onInterim, { status, headers });
  }

  final(status: number, headers: IncomingHttpHeaders): void {
    if (this.#isOver) return;
    this.#activeAt = performance.now();
    this.#final = { status, headers };
    this.#isEarly = this.#sink?.writableFinished === false;
    if (!this.isBodyBegun) this.#endWait();
    // Some servers read on behind the head of a success, as an echo does.
    if (this.isBodyBegun && status < 300) return;
    this.#isSending = false;
    this.#sender.stop();
  }

  received(chunk: Buffer): void {
    this.#activeAt = performance.now();
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes > this.settings.maxResponseBytes) this.broke();
    else this.#received.push(chunk);
  }

  /** The response is complete. */
  ended(trailers: Attempt["trailers"]): void {
    this.#trailers = trailers;
    if (!this.#isSending) this.#resolve();
  }

  /** Nothing more can come. A final response that has arrived counts, even if it is incomplete. */
  broke(cause?: NodeJS.ErrnoException): void {
    if (this.#final) this.#resolve();
    else if (!this.#isOver) this.fail(this.#errorOf(cause));
  }

  /** Nothing was sent or received for `idleTimeoutMs`. That is the fault of the server, unless the body is slow. */
  idled(): void {
    const { idleTimeoutMs } = this.settings;
    if (this.#sender.waitsFor === "body") this.#watchIdle(idleTimeoutMs);
    else if (this.#final) this.#resolve();
    else this.fail(new UploadError("ERR_UPLOAD_TIMEOUT", `nothing was sent or received for ${idleTimeoutMs} ms`));
  }

  fail(error: Error): void {
    if (this.#over()) return;
    if (error instanceof UploadError) error.sentBytes = this.sentBytes;
    this.discard();
    this.#reject(error);
  }

  #errorOf(cause: NodeJS.ErrnoException | undefined): UploadError {
    const reason = cause?.message || cause?.code || "closed";
    const error = (code: UploadErrorCode, what: string) => new UploadError(code, `${what}: ${reason}`, { cause });
    if (this.#openedAt === 0) return error("ERR_UPLOAD_CONNECT", `no connection with ${this.hop.url.host}`);
    if (cause?.code?.startsWith("HPE_")) return error("ERR_UPLOAD_RESPONSE", "the response is not HTTP");
    return error("ERR_UPLOAD_CONNECTION", "the connection ended before a final response");
  }

  #send(): void {
    if (this.isBodyBegun || this.#isOver || this.#final || !this.#sink) return;
    this.isBodyBegun = true;
    this.#isSending = true;
    this.#endWait();
    const sent = () => {
      this.#isSending = false;
      if (this.#trailers) this.#resolve();
    };
    this.#sender.send(this.#sink, sent, (error) => this.fail(error));
  }

  #taken(): void {
    this.#activeAt = performance.now();
    const { onProgress } = this.settings;
    if (onProgress) this.#call(onProgress, { sentBytes: this.sentBytes, totalBytes: this.body.length });
  }

  #endWait(): void {
    if (!this.#expectTimer) return;
    clearTimeout(this.#expectTimer);
    this.#waitedMs = performance.now() - this.#openedAt;
  }

  // One timer for an exchange costs less than the timeout of its socket, which Node sets again for each request.
  #watchIdle(ms: number): void {
    this.#idleTimer = setTimeout(() => {
      const leftMs = this.settings.idleTimeoutMs - (performance.now() - this.#activeAt);
      if (leftMs > 0) this.#watchIdle(leftMs);
      else if (this.#sender.waitsFor === "system") this.watch();
      else this.idled();
    }, ms);
  }

  #resolve(): void {
    if (!this.#final || this.#over()) return;
    if (this.#isEarly || !this.#trailers) this.discard();
    const { status, headers } = this.#final;
    const [first = NOTHING, ...more] = this.#received;
    this.#fulfil({
      status,
      headers,
      trailers: this.#trailers ?? {},
      body: more.length === 0 ? first : Buffer.concat(this.#received),
      isComplete: this.#trailers !== undefined,
      sentBytes: this.sentBytes,
      wasContinued: this.#wasContinued,
      waitedMs: this.#waitedMs,
    });
  }

  #over(): boolean {
    if (this.#isOver) return true;
    this.#isOver = true;
    clearTimeout(this.#expectTimer);
    clearTimeout(this.#idleTimer);
    this.#sender.stop();
    this.onOver();
    return false;
  }

  #call<T>(callback: ((argument: T) => unknown) | undefined, argument: T): void {
    if (!callback) return;
    callSafely(
      () => callback(argument),
      (error) => this.fail(error),
    );
  }
}
