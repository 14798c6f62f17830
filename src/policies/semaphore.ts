/** The fourth argument of `Semaphore` of `redis-semaphore`. Pass it on as it is; more may be added. */
export interface SemaphoreOptions {
  /** Names the place. Each upload has another one. */
  readonly identifier: string;
  /** After so many milliseconds the store frees the place, unless it was renewed. */
  readonly lockTimeout: number;
  /** The store is asked once. Waiting is done by `concurrency`. */
  readonly acquireAttemptsLimit: 1;
  /** `concurrency` renews the place by itself (docs/facts.md, "redis-semaphore"). */
  readonly refreshInterval: 0;
  /** Present to renew: `tryAcquire` then says whether the place of `identifier` still exists, and extends its time. */
  readonly acquiredExternally?: true;
  /** For semaphores that find out by themselves that a place is lost. */
  readonly onLockLost: () => void;
}

/** One place in a semaphore that several processes share; `Semaphore` of `redis-semaphore` 5. */
export interface Semaphore {
  /** Takes the place or, with `acquiredExternally`, renews it. `false` if there is none. Rejects if the store fails. */
  tryAcquire(): Promise<boolean>;
  /** Frees the place. */
  release(): Promise<unknown>;
}

/**
 * Makes the semaphore for one place. Called for each upload, and for each renewal of its place.
 *
 * `key` is the option `name` of the policy or, if it has the option `key`, `name:key`.
 */
export type SemaphoreFactory = (key: string, limit: number, options: SemaphoreOptions) => Semaphore;
