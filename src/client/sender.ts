import type { Readable } from "node:stream";
import { asError, messageOf } from "../support/errors.js";
import { type Body, bytesOf } from "./body.js";
import { UploadError } from "./error.js";

/** The part of a request that takes the body. */
export interface Sink {
  readonly writableFinished: boolean;
  write(bytes: Uint8Array, taken: (error?: Error | null) => void): boolean;
  end(): unknown;
}

const PIECE_BYTES = 1_048_576;

/** Sends a body piece by piece. The next piece is read when the system has taken the last one. */
export class Sender {
  /** Bytes that the system has taken. */
  sentBytes = 0;
  /** What has to happen before more can be sent: the body brings more, or the system takes more. */
  waitsFor: "nothing" | "body" | "system" = "nothing";
  #isStopped = false;
  #source: Readable | undefined;

  /** @param onTaken - called each time that the system has taken a piece. */
  constructor(
    readonly body: Body,
    readonly onTaken: () => void,
  ) {}

  /**
   * Sends everything. If the connection breaks or {@link stop} is called, nothing more is called back.
   *
   * @param onDone - called when the system has taken the last byte.
   */
  send(sink: Sink, onDone: () => void, onError: (error: UploadError) => void): void {
    if (this.body.bytes) this.#write(sink, this.body.bytes, true, onDone);
    else this.#writeStream(sink).then(onDone, onError);
  }

  /** Reads and sends no more. */
  stop(): void {
    this.#isStopped = true;
    this.#source?.destroy();
  }

  #write(sink: Sink, bytes: Buffer, isLast: boolean, onDone: () => void): void {
    const piece = bytes.length > PIECE_BYTES ? bytes.subarray(0, PIECE_BYTES) : bytes;
    const isWhole = piece.length === bytes.length;
    this.waitsFor = "system";
    sink.write(piece, (error) => {
      // The request reports why its connection broke.
      if (error) return;
      this.waitsFor = "nothing";
      this.sentBytes += piece.length;
      this.onTaken();
      if (this.#isStopped) return;
      if (isWhole) onDone();
      else this.#write(sink, bytes.subarray(piece.length), isLast, onDone);
    });
    if (isLast && isWhole) sink.end();
  }

  async #writeStream(sink: Sink): Promise<void> {
    const { length } = this.body;
    let readBytes = 0;
    try {
      this.waitsFor = "body";
      for await (const chunk of await this.#open()) {
        const bytes = bytesOf(chunk);
        if (!bytes) throw new TypeError(`its stream brings ${typeof chunk}, not bytes`);
        readBytes += bytes.length;
        if (length !== undefined && readBytes > length) throw new RangeError(`it is longer than ${length} bytes`);
        await new Promise<void>((resolve) => this.#write(sink, bytes, false, resolve));
        this.waitsFor = "body";
      }
      if (length !== undefined && readBytes < length) {
        throw new RangeError(`it ended after ${readBytes} of ${length} bytes`);
      }
    } catch (cause) {
      // A source that was destroyed by stop() ends with an error, too.
      if (this.#isStopped) return new Promise(() => {});
      throw new UploadError("ERR_UPLOAD_BODY", `the body cannot be read: ${messageOf(asError(cause))}`, { cause });
    }
    this.waitsFor = "nothing";
    sink.end();
  }

  async #open(): Promise<Readable> {
    const source = (await this.body.open?.()) as Readable;
    this.#source = source;
    // It may report another error after it was destroyed.
    source.on("error", () => {});
    if (this.#isStopped) source.destroy();
    return source;
  }
}
