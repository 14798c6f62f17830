/** Reads bytes by number from chunks of any size. */
export class ByteSource {
  readonly #chunks: AsyncIterator<Buffer>;
  /** Bytes that were read and not taken. */
  #held: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Takes what comes next, as it comes; `undefined` at the end. */
  async next(): Promise<Buffer | undefined> {
    const held = this.#held;
    this.#held = Buffer.alloc(0);
    if (held.length > 0) return held;
    const { done, value } = await this.#chunks.next();
    return done ? undefined : value;
  }

  /** Takes a number of bytes; fewer at the end. */
  async take(length: number): Promise<Buffer> {
    const bytes = await this.peek(length);
    this.#held = this.#held.subarray(bytes.length);
    return bytes;
  }

  /** Returns the next bytes and leaves them; fewer at the end. */
  async peek(length: number): Promise<Buffer> {
    while (this.#held.length < length) {
      const { done, value } = await this.#chunks.next();
      if (done) break;
      this.#held = Buffer.concat([this.#held, value]);
    }
    return this.#held.subarray(0, length);
  }

  /** Gives bytes back that were taken last. */
  giveBack(bytes: Buffer): void {
    this.#held = Buffer.concat([bytes, this.#held]);
  }

  /** Ends the reading. It does not wait for a read that is in progress. */
  close(): void {
    this.#chunks.return?.().catch(() => {});
  }
}
