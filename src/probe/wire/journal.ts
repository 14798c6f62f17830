import { performance } from "node:perf_hooks";
import { afterRealMs } from "../../support/real-timer.js";
import type { WireEvent } from "../exchange-result.js";

// A distributive conditional type: each member of the union keeps its own fields.
type WithoutTime<E> = E extends WireEvent ? Omit<E, "atMs"> : never;

/** Records the events of one exchange, and waits for them. */
export class Journal {
  readonly events: WireEvent[] = [];
  readonly #startedAt = performance.now();
  readonly #waiters = new Set<() => void>();

  /** Whether no more events can come. */
  get isOver(): boolean {
    return this.events.some(({ kind }) => kind === "end" || kind === "reset" || kind === "malformed");
  }

  /** Returns whether there is such an event. */
  has(isIt: (event: WireEvent) => boolean): boolean {
    return this.events.some(isIt);
  }

  /** Adds an event that happens now. */
  add(event: WithoutTime<WireEvent>): void {
    const atMs = Math.round((performance.now() - this.#startedAt) * 10) / 10;
    this.events.push({ ...event, atMs } as WireEvent);
    for (const waiter of this.#waiters) waiter();
  }

  /** Waits until `isTrue` returns true, at most `ms`. Returns early if no more events can come. */
  async until(isTrue: () => boolean, ms: number): Promise<boolean> {
    if (!isTrue() && !this.isOver) {
      await new Promise<void>((resolve) => {
        const check = () => {
          if (isTrue() || this.isOver) done();
        };
        const done = () => {
          cancel();
          this.#waiters.delete(check);
          resolve();
        };
        const cancel = afterRealMs(ms, done);
        this.#waiters.add(check);
      });
    }
    return isTrue();
  }

  /** Waits like {@link until}, and adds a `quiet` event if nothing came. */
  async waitFor(what: string, isTrue: () => boolean, ms: number): Promise<boolean> {
    if (await this.until(isTrue, ms)) return true;
    if (!this.isOver) this.add({ kind: "quiet", ms, waitedFor: what });
    return false;
  }
}
