import type { WireEvent } from "../exchange-result.js";

/** Spread over the members of a union, so that each keeps its own fields. */
type WithoutTime<E> = E extends WireEvent ? Omit<E, "atMs"> : never;

/** A journal of one exchange, with waits that end. */
export class Journal {
  readonly events: WireEvent[] = [];
  readonly #startedAt = performance.now();
  readonly #waiters = new Set<() => void>();

  /** Nothing more will come. */
  get isOver(): boolean {
    return this.events.some(({ kind }) => kind === "end" || kind === "reset" || kind === "malformed");
  }

  has(isIt: (event: WireEvent) => boolean): boolean {
    return this.events.some(isIt);
  }

  add(event: WithoutTime<WireEvent>): void {
    const atMs = Math.round((performance.now() - this.#startedAt) * 10) / 10;
    this.events.push({ ...event, atMs } as WireEvent);
    for (const waiter of this.#waiters) waiter();
  }

  /** Whether `isTrue` came to hold within `ms`; false as soon as nothing more will come. */
  async until(isTrue: () => boolean, ms: number): Promise<boolean> {
    if (!isTrue() && !this.isOver) {
      await new Promise<void>((resolve) => {
        const check = () => {
          if (isTrue() || this.isOver) done();
        };
        const done = () => {
          clearTimeout(timer);
          this.#waiters.delete(check);
          resolve();
        };
        const timer = globalThis.setTimeout(done, ms);
        this.#waiters.add(check);
      });
    }
    return isTrue();
  }

  /** Waits like {@link until}, and notes down what came of it where nothing did. */
  async waitFor(what: string, isTrue: () => boolean, ms: number): Promise<boolean> {
    if (await this.until(isTrue, ms)) return true;
    if (!this.isOver) this.add({ kind: "quiet", ms, waitedFor: what });
    return false;
  }
}
