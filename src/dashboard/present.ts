import { Durations } from "../report/durations.js";
import type { PlaceRow, SpaceRow, Summary } from "../report/summary.js";
import type { PlaceMessage, Places } from "../support/places.js";
import { spaces } from "../support/spaces.js";

const MAX_POLICIES = 100;

/** What is in progress in this process: places that are taken, uploads that wait, space that is free. */
export class Present {
  readonly #rooms = new Map<string, Room>();

  /** Forgets everything. */
  clear(): void {
    this.#rooms.clear();
  }

  /** Returns what is in progress; `undefined` if no policy has anything to tell. Has file systems asked for next time. */
  now(): Summary["now"] {
    const watched = [...spaces().values()];
    for (const space of watched) void space.update();
    if (this.#rooms.size === 0 && watched.length === 0) return undefined;
    return {
      places: [...this.#rooms.values()].map((room) => room.row()),
      spaces: watched.map(({ path, free, expected }): SpaceRow => {
        return { path, ...(free !== undefined && { freeBytes: free }), expectedBytes: expected };
      }),
    };
  }

  /** Takes note of a message of the channel for places. */
  add({ change, waitedMs, places }: PlaceMessage): void {
    let room = this.#rooms.get(places.name);
    if (!room) {
      if (this.#rooms.size >= MAX_POLICIES) return;
      room = new Room(places.name);
      this.#rooms.set(places.name, room);
    }
    room.note(places);
    if (change === "taken" && waitedMs > 0) room.waited.add(waitedMs);
    else if (change === "full" || change === "late" || change === "evicted" || change === "lost") room.counts[change]++;
  }
}

/** The policies of one name. */
class Room {
  readonly waited = new Durations();
  readonly counts = { full: 0, late: 0, evicted: 0, lost: 0 };
  readonly #busy = new Set<Places>();
  #limit = 0;

  constructor(readonly policy: string) {}

  note(places: Places): void {
    this.#limit = places.limit;
    // A policy that nobody uses any more must not stay in memory.
    if (places.inUse > 0 || places.waiting > 0) this.#busy.add(places);
    else this.#busy.delete(places);
  }

  row(): PlaceRow {
    const busy = [...this.#busy];
    const waitedMs = this.waited.summary();
    return {
      policy: this.policy,
      limit: this.#limit,
      inUse: busy.reduce((sum, { inUse }) => sum + inUse, 0),
      waiting: busy.reduce((sum, { waiting }) => sum + waiting, 0),
      ...(waitedMs && { waitedMs }),
      ...this.counts,
    };
  }
}
