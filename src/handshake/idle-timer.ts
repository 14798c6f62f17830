/**
 * Fires when no byte comes for `timeoutMs` although somebody asks for some.
 *
 * Time counts only while somebody asks: an application that reads slowly is not an idle client. One timer for each
 * upload, which does not keep the process alive.
 */
export class IdleTimer {
  #timer: NodeJS.Timeout | undefined;
  #isAsking = false;

  /** @param timeoutMs - milliseconds without a byte. */
  constructor(
    readonly timeoutMs: number,
    readonly onIdle: () => void,
  ) {}

  /** Somebody asks for bytes. */
  ask(): void {
    this.#isAsking = true;
    if (this.#timer) this.#timer.refresh();
    else this.#timer = setTimeout(() => this.#fire(), this.timeoutMs).unref();
  }

  /** Bytes have come. */
  hear(): void {
    this.#isAsking = false;
  }

  /** Nothing is waited for any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isAsking = false;
  }

  #fire(): void {
    if (this.#isAsking) this.onIdle();
  }
}
