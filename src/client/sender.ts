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
    readonly onProgress?: (sentBytes: number) => void,
  ) {}

  /**
   * Sends everything. If the connection breaks or {@link stop} is called, the promise stays pending.
   *
   * @throws {UploadError} `ERR_UPLOAD_BODY`
   */
  async send(sink: Sink): Promise<void> {
    if (this.body.bytes) await this.#write(sink, this.body.bytes);
    else await this.#writeStream(sink);
    this.isWaitingForBody = false;
    await this.#taken((done) => void sink.end(done));
  }

  /** Reads and sends no more. */
  stop(): void {
    this.#isStopped = true;
    this.#source?.destroy();
  }

  async #writeStream(sink: Sink): Promise<void> {
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
        await this.#write(sink, bytes);
        this.isWaitingForBody = true;
      }
      if (length !== undefined && readBytes < length) {
        throw new RangeError(`it ended after ${readBytes} of ${length} bytes`);
      }
    } catch (cause) {
      // A source that is destroyed by stop() ends with an error, too.
      await this.#taken((done) => done());
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new UploadError("ERR_UPLOAD_BODY", `the body cannot be read: ${why}`, { cause });
    }
  }

  async #open(): Promise<Readable> {
    const source = (await this.body.open?.()) as Readable;
    this.#source = source;
    // It may report another error after it was destroyed.
    source.on("error", () => {});
    if (this.#isStopped) source.destroy();
    return source;
  }

  async #write(sink: Sink, bytes: Buffer): Promise<void> {
    for (let from = 0; from < bytes.length; from += PIECE_BYTES) {
      const piece = bytes.length <= PIECE_BYTES ? bytes : bytes.subarray(from, from + PIECE_BYTES);
      await this.#taken((done) => void sink.write(piece, done));
      this.sentBytes += piece.length;
      this.onProgress?.(this.sentBytes);
    }
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
