import type { Arrival, Lane, Place } from "./lane.js";
import { Lease, type LeaseSettings, StoreError, type StoreHealth } from "./lease.js";
import type { Upload, Verdict } from "./policy.js";
import { type Decide, type Entry, type RoomSettings, WaitingRoom } from "./waiting-room.js";

/** Where the places are, and what happens while that store fails. */
export interface SharedRoomSettings extends RoomSettings, LeaseSettings {
  readonly onStoreError: "refuse" | "accept";
}

/** What is logged with the error of a store. */
export const STORE_FAILED = "concurrency: the store failed";

/** How often a process asks for the place that an upload waits for. No other process tells it that one is free. */
const ASK_AGAIN_MS = 100;

/**
 * Places that all processes with the same store share.
 *
 * Uploads wait in their own process. For each key it asks one question at a time, for whoever is first. So the order
 * within a process is kept, and a thousand waiting uploads ask the store as often as one.
 *
 * A place counts in this process as well: that saves questions whose answer is known, and it still holds while the store
 * fails and `onStoreError` is `"accept"`.
 */
export class SharedRoom extends WaitingRoom {
  readonly #questions = new Map<Lane, Question>();
  readonly #health: StoreHealth = { failedAt: Number.NEGATIVE_INFINITY };

  constructor(
    override readonly settings: SharedRoomSettings,
    decide: Decide,
  ) {
    super(settings, decide);
  }

  enter(key: string, upload: Upload): Verdict | Promise<Verdict> {
    const lane = this.laneOf(key);
    const arrival = this.arrive();
    return this.isFree(lane) ? this.#askFor(lane, upload, arrival) : this.#join(lane, upload, arrival);
  }

  protected onFree({ lane, lease }: Place): void {
    const askForNext = () => this.#questions.get(lane)?.ask();
    if (lease) void lease.release().then(askForNext);
    else askForNext();
  }

  protected onRowEmpty(lane: Lane): void {
    this.#questions.get(lane)?.stop();
    this.#questions.delete(lane);
  }

  #askFor(lane: Lane, upload: Upload, arrival: Arrival): Promise<Verdict> {
    const settle = (entry: Entry) => this.decide(entry, lane.key, upload);
    return this.#ask(lane, (answer) => {
      if (answer === undefined) return this.#join(lane, upload, arrival);
      if (answer instanceof Lease) return settle(this.take(lane, answer));
      upload.report(STORE_FAILED, answer.cause);
      return settle(this.settings.onStoreError === "accept" ? this.take(lane) : "store-failed");
    });
  }

  #join(lane: Lane, upload: Upload, arrival: Arrival): Verdict | Promise<Verdict> {
    const verdict = this.wait(lane, upload, arrival);
    if (lane.row.length > 0 && !this.#questions.has(lane)) {
      this.#questions.set(lane, new Question((question) => this.#askForFirst(lane, question)));
    }
    this.forgetUnused(lane);
    return verdict;
  }

  /** @returns whether somebody has got a place, so that another one may be free. */
  async #askForFirst(lane: Lane, question: Question): Promise<boolean> {
    if (lane.inUse >= this.settings.limit) return false;
    const hadFailed = question.hasFailed;
    // Once for each time without a store. Whoever waits goes on waiting: the store may come back in time.
    const fail = (error: unknown) => {
      question.hasFailed = true;
      if (!hadFailed) lane.row.first?.upload.report(STORE_FAILED, error);
      return false;
    };
    return this.#ask(lane, (answer) => {
      if (answer instanceof StoreError) {
        if (this.settings.onStoreError === "accept") this.#serveWithoutStore(lane);
        return fail(answer.cause);
      }
      question.hasFailed = false;
      if (answer === undefined) return false;
      if (lane.row.length > 0) this.serveFirst(lane, answer);
      // All have left meanwhile.
      else void answer.release();
      return true;
    }).catch(fail);
  }

  /** Asks the store for a place, and calls `use` with the answer while a place is counted. */
  async #ask<T>(lane: Lane, use: (answer: Lease | StoreError | undefined) => T | Promise<T>): Promise<T> {
    lane.inUse++;
    try {
      const answer = await this.#lease(lane);
      // Without `await`: `use` may return the promise of somebody who waits.
      return use(answer);
    } finally {
      lane.inUse--;
      this.forgetUnused(lane);
    }
  }

  async #lease(lane: Lane): Promise<Lease | StoreError | undefined> {
    const lease = new Lease(this.settings, this.#nameIn(lane), this.#health);
    try {
      return (await lease.take()) ? lease : undefined;
    } catch (error) {
      if (error instanceof StoreError) return error;
      throw error;
    }
  }

  // The name of the policy keeps its places apart from those of others in the same store.
  #nameIn({ key }: Lane): string {
    const { name } = this.settings;
    return key === "" ? name : `${name}:${key}`;
  }

  // Called while the place that the store was asked for is counted: it is free.
  #serveWithoutStore(lane: Lane): void {
    while (lane.row.length > 0 && lane.inUse <= this.settings.limit) this.serveFirst(lane);
  }
}

/** Asks again and again for one lane, as long as somebody waits there; one question at a time. */
class Question {
  /** Whether the store failed when it was asked last. */
  hasFailed = false;
  #timer: NodeJS.Timeout | undefined;
  #isAsking = false;
  #isStopped = false;

  /** @param put - asks; returns whether to ask again at once. Must not reject. */
  constructor(readonly put: (question: Question) => Promise<boolean>) {
    this.#askLater();
  }

  /** Asks now, unless an answer is awaited. */
  ask(): void {
    if (this.#isAsking || this.#isStopped) return;
    clearTimeout(this.#timer);
    this.#isAsking = true;
    void this.put(this).then((isServed) => {
      this.#isAsking = false;
      if (isServed) this.ask();
      else if (!this.#isStopped) this.#askLater();
    });
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #askLater(): void {
    this.#timer = setTimeout(() => this.ask(), ASK_AGAIN_MS);
  }
}
