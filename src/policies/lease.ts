import { randomUUID } from "node:crypto";
import { answerError, asError } from "../support/errors.js";
import type { Semaphore, SemaphoreFactory, SemaphoreOptions } from "./semaphore.js";
import { withTimeout } from "./with-timeout.js";

/** How places in a semaphore are taken and renewed. */
export interface LeaseSettings {
  readonly semaphore: SemaphoreFactory;
  readonly limit: number;
  /** How long the store keeps a place that is not renewed, in milliseconds. */
  readonly leaseMs: number;
  /** How long the store may take for an answer, in milliseconds. */
  readonly storeTimeoutMs: number;
}

/** What is known about a store in this process. All leases of one policy share it. */
export interface StoreHealth {
  /** When the store last failed, by `performance.now()`; negative infinity if it never has. */
  failedAt: number;
}

/**
 * Why a place is lost: the store has freed it, or could not be asked for as long as it keeps one. A store that has failed
 * since the last renewal, and then has no such place, counts as the second: it may have forgotten all places.
 */
export type LeaseEnd = "lost" | "store-failed";

/** Is told what becomes of a place. */
export interface LeaseHolder {
  onEnd(end: LeaseEnd): void;
  /** The store failed, for the first time since it last answered. The place is not lost yet. */
  onFault(error: Error): void;
}

/** The store failed, which decides nothing about the place. */
export class StoreError extends Error {}

/** A place is renewed so often while it is kept that two renewals may fail. */
const RENEWALS = 3;

/**
 * One place in a semaphore that several processes share. The store frees it by itself if this process ends.
 *
 * Times are monotonic: the lease counts from the moment when the store was asked, so that this process gives the place
 * up before the store does.
 */
export class Lease {
  readonly #identifier = randomUUID();
  readonly #semaphore: Semaphore;
  #heldSince = 0;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;
  #hasFailed = false;
  #end: LeaseEnd | undefined;
  #holder: LeaseHolder | undefined;

  /** @throws what the user's factory throws, and `ERR_EXPECT_POLICY` if it returns no semaphore. */
  constructor(
    readonly settings: LeaseSettings,
    readonly key: string,
    readonly health: StoreHealth,
  ) {
    this.#semaphore = this.#make();
  }

  /**
   * Takes the place. Returns whether there was one.
   *
   * @throws {StoreError} if the store fails or does not answer in time. What it still grants is given back.
   */
  async take(): Promise<boolean> {
    const askedAt = performance.now();
    let asked: Promise<boolean> | undefined;
    let isTaken: boolean;
    try {
      asked = Promise.resolve(this.#semaphore.tryAcquire());
      isTaken = await withTimeout(asked, this.settings.storeTimeoutMs);
    } catch (cause) {
      this.#isOver = true;
      this.health.failedAt = performance.now();
      void asked?.then((isTakenLate) => isTakenLate && this.#semaphore.release()).catch(() => {});
      throw new StoreError("the store failed", { cause });
    }
    if (isTaken === true) this.#renewLater(askedAt);
    else this.#stop();
    requireAnswer(isTaken);
    return isTaken;
  }

  /** Tells `holder` from now on, also what has happened already. */
  hold(holder: LeaseHolder): void {
    this.#holder = holder;
    if (this.#end) holder.onEnd(this.#end);
  }

  /** Frees the place. Settles when the store has answered, and never rejects. */
  async release(): Promise<void> {
    if (this.#isOver) return;
    this.#stop();
    try {
      await this.#semaphore.release();
    } catch (error) {
      // The store frees it by itself, later.
      this.#holder?.onFault(asError(error));
    }
  }

  #make(renews?: { acquiredExternally: true }): Semaphore {
    const { semaphore, limit, leaseMs } = this.settings;
    const options: SemaphoreOptions = {
      identifier: this.#identifier,
      lockTimeout: leaseMs,
      acquireAttemptsLimit: 1,
      refreshInterval: 0,
      onLockLost: () => this.#lose("lost"),
      ...renews,
    };
    return requireSemaphore(semaphore(this.key, limit, options));
  }

  #renewLater(heldSince: number): void {
    this.#heldSince = heldSince;
    this.#schedule(this.settings.leaseMs / RENEWALS);
  }

  #schedule(ms: number): void {
    if (!this.#isOver) this.#timer = setTimeout(() => void this.#renew(), ms).unref();
  }

  async #renew(): Promise<void> {
    const askedAt = performance.now();
    try {
      const leftMs = Math.max(1, this.#leftMs());
      const renewed = Promise.resolve(this.#make({ acquiredExternally: true }).tryAcquire());
      const isRenewed = await withTimeout(renewed, Math.min(leftMs, this.settings.storeTimeoutMs));
      requireAnswer(isRenewed);
      if (isRenewed) this.#renewLater(askedAt);
      else this.#lose(this.health.failedAt >= this.#heldSince ? "store-failed" : "lost");
      this.#hasFailed = false;
    } catch (error) {
      if (this.#isOver) return;
      if (!this.#hasFailed) this.#holder?.onFault(asError(error));
      this.#hasFailed = true;
      this.health.failedAt = performance.now();
      const leftMs = this.#leftMs();
      if (leftMs > 0) this.#schedule(Math.min(leftMs, this.settings.leaseMs / RENEWALS));
      else this.#lose("store-failed");
    }
  }

  #leftMs(): number {
    return this.#heldSince + this.settings.leaseMs - performance.now();
  }

  #lose(end: LeaseEnd): void {
    if (this.#isOver) return;
    this.#stop();
    this.#end = end;
    this.#holder?.onEnd(end);
  }

  #stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }
}

function requireSemaphore(made: unknown): Semaphore {
  const { tryAcquire, release } = (made ?? {}) as Partial<Semaphore>;
  if (typeof tryAcquire === "function" && typeof release === "function") return made as Semaphore;
  throw answerError("concurrency({ semaphore })", made, "an object with tryAcquire() and release()");
}

function requireAnswer(answer: unknown): asserts answer is boolean {
  if (typeof answer !== "boolean")
    throw answerError("concurrency({ semaphore }): tryAcquire()", answer, "true or false");
}
