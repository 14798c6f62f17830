import { type Linked, Row } from "../support/row.js";
import type { Lease } from "./lease.js";
import type { Upload, Verdict } from "./policy.js";
import { type AbortListener, whenAborted } from "./when-aborted.js";

/** The uploads of one key: those that have a place, and those that wait for one. */
export class Lane implements Linked<Lane> {
  before: Lane | undefined;
  behind: Lane | undefined;
  /** The uploads that wait, the first one first. */
  readonly row: Row<Waiter> = new Row();
  /** Places that are taken, and those for which a semaphore is being asked. */
  inUse = 0;

  constructor(readonly key: string) {}
}

/** A place that an upload has. */
export interface Place {
  readonly lane: Lane;
  /** When it was taken, by `performance.now()`. */
  readonly takenAt: number;
  /** The place in the semaphore; `undefined` if the place counts in this process alone. */
  readonly lease: Lease | undefined;
}

/** When an upload has come. */
export interface Arrival {
  /** By `performance.now()`. */
  readonly at: number;
  /** How many uploads had come before it. */
  readonly number: number;
}

/** Why an upload that waited has got no place. */
export type WaitEnd = "late" | "evicted" | "left";

/** Is told when a waiting upload has to leave its row. */
interface WaiterOwner {
  /** @returns the verdict of the upload. */
  dismiss(waiter: Waiter, end: WaitEnd): Verdict;
}

/**
 * An upload that waits for a place. Ends once; whatever would end it later does nothing.
 *
 * It is its own listener, and its timer gets it as an argument: closures would make a waiting upload larger.
 */
export class Waiter implements Linked<Waiter>, AbortListener {
  before: Waiter | undefined;
  behind: Waiter | undefined;
  readonly #timer: NodeJS.Timeout;
  #isOver = false;

  /**
   * @param maxWaitMs - how long it may wait since its arrival.
   * @param settle - takes the verdict.
   */
  constructor(
    readonly owner: WaiterOwner,
    readonly lane: Lane,
    readonly upload: Upload,
    readonly arrival: Arrival,
    maxWaitMs: number,
    readonly settle: (verdict: Verdict) => void,
  ) {
    this.#timer = setTimeout(dismissLate, Math.max(0, arrival.at + maxWaitMs - performance.now()), this);
  }

  /** Begins to listen, in its row. */
  listen(): void {
    whenAborted(this.upload, this);
  }

  /** How long it has waited, in milliseconds. */
  get waitedMs(): number {
    return performance.now() - this.arrival.at;
  }

  /** The upload's signal has aborted: the client left, or the time of all policies together is up. */
  handleEvent(): Verdict | undefined {
    return this.#isOver ? undefined : this.owner.dismiss(this, "left");
  }

  /** Ends the wait. The caller has taken it out of its row. */
  end(verdict: Verdict): Verdict {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.settle(verdict);
    return verdict;
  }
}

function dismissLate(waiter: Waiter): void {
  waiter.owner.dismiss(waiter, "late");
}
