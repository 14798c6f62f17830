import { Row } from "../support/row.js";
import type { Lane, Place } from "./lane.js";
import type { Upload, Verdict } from "./policy.js";
import { WaitingRoom } from "./waiting-room.js";

/** Places that count in this process alone. A place that becomes free goes to the next upload at once. */
export class LocalRoom extends WaitingRoom {
  // Lanes in which somebody waits although their own places are not all taken: those of all lanes together are. They
  // take turns, so that a key with a long row does not keep the others waiting.
  readonly #turns = new Row<Lane>();
  readonly #inTurns = new Set<Lane>();

  enter(key: string, upload: Upload): Verdict | Promise<Verdict> {
    const lane = this.laneOf(key);
    if (this.isFree(lane)) return this.decide(this.take(lane), key, upload);
    const verdict = this.wait(lane, upload, this.arrive());
    this.#takeTurns(lane);
    this.forgetUnused(lane);
    return verdict;
  }

  protected onFree({ lane }: Place): void {
    this.#takeTurns(lane);
    while (this.places.inUse < this.settings.total) {
      const next = this.#turns.shift();
      if (!next) return;
      this.#inTurns.delete(next);
      this.serveFirst(next);
      this.#takeTurns(next);
    }
  }

  protected onRowEmpty(lane: Lane): void {
    if (this.#inTurns.delete(lane)) this.#turns.remove(lane);
  }

  #takeTurns(lane: Lane): void {
    if (lane.row.length === 0 || lane.inUse >= this.settings.limit || this.#inTurns.has(lane)) return;
    this.#inTurns.add(lane);
    this.#turns.push(lane);
  }
}
