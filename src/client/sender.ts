import type { Readable } from "node:stream";
import { type Body, bytesOf } from "./body.js";
import { UploadError } from "./error.js";

type Done = (error?: Error | null) => void;

/** The part of a request that takes the body. */
export interface Sink {
  readonly writableFinished: boolean;
  write(bytes: Uint8Array, done: Done): boolean;
  end(done: Done): unknown;
}

const PIECE_BYTES = 65_536;

/** Sends a body piece by piece. The next piece is read when the system has taken the last one. */
export class Sender {
  /** Bytes that the system has taken. */
  sentBytes = 0;
  /** Whether the body itself has to bring more before anything can be sent. */
  isWaitingForBody = false;
  #isStopped = false;
  #source: Readable | undefined;

  constructor(
    readonly body: Body,
    readonly onProgress: (sentBytes: number) => void,
  ) {}

  /**
   * Sends everything. If the connection breaks or {@link stop} is called, the promise stays pending.
   *
   * @throws {UploadError} `ERR_UPLOAD_BODY`
   */
  async send(sink: Sink): Promise<void> {
    const { length } = this.body;
    let readBytes = 0;
    try {
      this.isWaitingForBody = true;
      for await (const chunk of await this.#open()) {
        const bytes = bytesOf(chunk);
        if (!bytes) throw new TypeError(`its stream brings ${typeof chunk}, not bytes`);
        readBytes += bytes.length;
        if (length !== undefined && readBytes > length) throw new RangeError(`it is longer than ${length} bytes`);
        this.isWaitingForBody = false;
        for (let from = 0; from < bytes.length; from += PIECE_BYTES) {
          await this.#taken((done) => void sink.write(bytes.subarray(from, from + PIECE_BYTES), done));
          this.sentBytes += Math.min(PIECE_BYTES, bytes.length - from);
          this.onProgress(this.sentBytes);
        }
        this.isWaitingForBody = true;
      }
      if (length !== undefined && readBytes < length)
        throw new RangeError(`it ended after ${readBytes} of ${length} bytes`);
    } catch (cause) {
      // A source that is destroyed by stop() ends with an error, too.
      await this.#taken((done) => done());
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new UploadError("ERR_UPLOAD_BODY", `the body cannot be read: ${why}`, { cause });
    }
    this.isWaitingForBody = false;
    await this.#taken((done) => void sink.end(done));
  }

  /** Reads and sends no more. */
  stop(): void {
    this.#isStopped = true;
    this.#source?.destroy();
  }

  async #open(): Promise<Readable | readonly Buffer[]> {
    const opened = await this.body.open();
    if (!("destroy" in opened)) return opened;
    this.#source = opened;
    // It may report another error after it was destroyed.
    opened.on("error", () => {});
    if (this.#isStopped) opened.destroy();
    return opened;
  }

  // Stays pending after an error, because the request reports why its connection broke.
  #taken(give: (done: Done) => void): Promise<void> {
    return new Promise((resolve) => {
      give((error) => {
        if (!error && !this.#isStopped) resolve();
      });
    });
  }
}
