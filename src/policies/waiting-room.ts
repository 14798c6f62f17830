import { type PlaceChange, type Places, placeTeller } from "../support/places.js";
import { type Arrival, Lane, type Place, type WaitEnd, Waiter } from "./lane.js";
import { LaneLengths } from "./lane-lengths.js";
import type { Lease } from "./lease.js";
import { Pace } from "./pace.js";
import type { Upload, Verdict } from "./policy.js";

/** How many uploads have places, and how many wait. */
export interface RoomSettings {
  readonly name: string;
  /** The most places of one key. */
  readonly limit: number;
  /** The most places of all keys together. */
  readonly total: number;
  /** The most uploads that wait, of all keys together; 0 if nobody waits. */
  readonly maxWaiting: number;
  readonly maxWaitMs: number;
}

/** What an upload gets: a place, or the reason why it has none. */
export type Entry = Place | WaitEnd | "full" | "store-failed";

/** Turns what an upload has got into its verdict. Must not throw. */
export type Decide = (entry: Entry, key: string, upload: Upload) => Verdict;

/**
 * The uploads of one `concurrency` policy: those that have a place, and those that wait for one.
 *
 * Within a key, places go to whoever came first. When the room is full, an upload of a key with fewer waiting uploads
 * takes the place of the last one of the key with most. To join, to leave and to find the next one takes constant time.
 */
export abstract class WaitingRoom {
  readonly places: { -readonly [K in keyof Places]: Places[K] };
  readonly #lanes = new Map<string, Lane>();
  readonly #lengths = new LaneLengths();
  readonly #pace = new Pace();
  readonly #teller = placeTeller();
  #arrivals = 0;

  constructor(
    readonly settings: RoomSettings,
    readonly decide: Decide,
  ) {
    const { name, limit } = settings;
    this.places = { name, limit, inUse: 0, waiting: 0 };
  }

  /** Gives an upload a place of a key, or has it wait for one. */
  abstract enter(key: string, upload: Upload): Verdict | Promise<Verdict>;

  /** An upload has left its place, which is not counted any more. */
  protected abstract onFree(place: Place): void;

  /** Nobody waits in a lane any more. */
  protected abstract onRowEmpty(lane: Lane): void;

  /** Whether an upload of a key would get a place now, or might wait for one. */
  hasSpace(key: string): boolean {
    const lane = this.#lanes.get(key);
    return this.isFree(lane) || this.#mayWait(lane);
  }

  /** The upload that had a place has ended. */
  leave(place: Place): void {
    const { lane } = place;
    lane.inUse--;
    this.places.inUse--;
    this.#pace.observe(performance.now() - place.takenAt);
    this.tell("freed");
    this.onFree(place);
    this.forgetUnused(lane);
  }

  /** Takes a waiting upload out of its row, without a place. */
  dismiss(waiter: Waiter, end: WaitEnd): Verdict {
    this.#remove(waiter);
    this.tell(end, waiter.waitedMs);
    const verdict = this.#end(waiter, end);
    this.forgetUnused(waiter.lane);
    return verdict;
  }

  /** Estimates after how many seconds an upload of a key will find a place; `undefined` if there is nothing to go by. */
  secondsUntilFree(key: string): number | undefined {
    const { limit, total } = this.settings;
    const ahead = this.#lanes.get(key)?.row.length ?? 0;
    const ofKey = this.#pace.secondsUntilFree(ahead, limit);
    if (ofKey === undefined || total === Number.POSITIVE_INFINITY) return ofKey;
    return Math.max(ofKey, this.#pace.secondsUntilFree(this.places.waiting, total) ?? 0);
  }

  tell(change: PlaceChange, waitedMs = 0): void {
    this.#teller.tell?.(change, waitedMs, this.places);
  }

  /** Whether a place of a lane is free, and nobody waits for it. */
  protected isFree(lane: Lane | undefined): boolean {
    const { limit, total } = this.settings;
    return (lane === undefined || (lane.inUse < limit && lane.row.length === 0)) && this.places.inUse < total;
  }

  protected laneOf(key: string): Lane {
    const present = this.#lanes.get(key);
    if (present) return present;
    const made = new Lane(key);
    this.#lanes.set(key, made);
    return made;
  }

  protected forgetUnused(lane: Lane): void {
    const isUnused = lane.inUse === 0 && lane.row.length === 0;
    // A lane that was forgotten before may have a successor.
    if (isUnused && this.#lanes.get(lane.key) === lane) this.#lanes.delete(lane.key);
  }

  protected take(lane: Lane, lease?: Lease, waitedMs = 0): Place {
    lane.inUse++;
    this.places.inUse++;
    this.tell("taken", waitedMs);
    return { lane, takenAt: performance.now(), lease };
  }

  /** Gives a place to the upload that has waited longest in a lane. There must be one. */
  protected serveFirst(lane: Lane, lease?: Lease): void {
    const first = lane.row.first as Waiter;
    this.#remove(first);
    this.#end(first, this.take(lane, lease, first.waitedMs));
  }

  /** An upload has come. */
  protected arrive(): Arrival {
    return { at: performance.now(), number: this.#arrivals++ };
  }

  /** Has an upload wait, if there is space in the room. */
  protected wait(lane: Lane, upload: Upload, arrival: Arrival): Promise<Verdict> | Verdict {
    if (!this.#mayWait(lane)) {
      this.tell("full");
      return this.decide("full", lane.key, upload);
    }
    const { places, settings } = this;
    if (places.waiting >= settings.maxWaiting) this.#evict();
    return new Promise((resolve) => {
      const { length } = lane.row;
      const waiter = new Waiter(this, lane, upload, arrival, settings.maxWaitMs, resolve);
      lane.row.insert(waiter, firstAfter(arrival, lane));
      this.#lengths.update(lane, length);
      places.waiting++;
      this.tell("waiting");
      waiter.listen();
    });
  }

  // When the room is full, a lane may take the place of a longer one, if both are not the same length behind that.
  #mayWait(lane: Lane | undefined): boolean {
    const { maxWaiting } = this.settings;
    if (this.places.waiting < maxWaiting) return true;
    const longest = this.#lengths.longest?.row.length ?? 0;
    return longest > (lane?.row.length ?? 0) + 1;
  }

  #end(waiter: Waiter, entry: Entry): Verdict {
    const { lane, upload } = waiter;
    return waiter.end(this.decide(entry, lane.key, upload));
  }

  #evict(): void {
    this.dismiss(this.#lengths.longest?.row.last as Waiter, "evicted");
  }

  #remove(waiter: Waiter): void {
    const { lane } = waiter;
    const { length } = lane.row;
    lane.row.remove(waiter);
    this.#lengths.update(lane, length);
    this.places.waiting--;
    if (lane.row.length === 0) this.onRowEmpty(lane);
  }
}

// Only an upload that has asked a store before it waits may have come earlier than others in the row. It found nobody
// there, so that few stand in front of it: those who asked at the same time.
function firstAfter({ number }: Arrival, { row }: Lane): Waiter | undefined {
  if (row.last === undefined || row.last.arrival.number < number) return undefined;
  let other = row.first;
  while (other && other.arrival.number < number) other = other.behind;
  return other;
}
