import { type Channel, channel } from "node:diagnostics_channel";

/** The places of one `concurrency` policy in this process, of all its keys together. */
export interface Places {
  /** The option `name` of the policy. */
  readonly name: string;
  /** The most places of one key. */
  readonly limit: number;
  /** Places that are taken. */
  readonly inUse: number;
  /** Uploads that wait for a place. */
  readonly waiting: number;
}

/**
 * What has happened:
 *
 * - `taken`: an upload has got a place.
 * - `freed`: a place is free again.
 * - `waiting`: an upload has begun to wait.
 * - `left`: an upload that waited has ended: its client left, or its time was up.
 * - `late`: an upload has waited for `maxWaitMs`, and is refused.
 * - `evicted`: an upload that waited is refused, because a key with fewer uploads needed its place in the row.
 * - `full`: an upload is refused at once.
 * - `lost`: an accepted upload has lost its place in the semaphore, and is cut off.
 */
export type PlaceChange = "taken" | "freed" | "waiting" | "left" | "late" | "evicted" | "full" | "lost";

/** Published on the channel `express-expectations:place`. */
export interface PlaceMessage {
  readonly change: PlaceChange;
  /** How long the upload has waited, in milliseconds; 0 if it did not wait. */
  readonly waitedMs: number;
  /** Always up to date: each message of a policy has the same object. */
  readonly places: Places;
}

/** Publishes one {@link PlaceMessage} for each change. */
export const placeChannel: Channel = channel("express-expectations:place");

interface Teller {
  tell: ((change: PlaceChange, waitedMs: number, places: Places) => void) | undefined;
}

const TELLER = Symbol.for("express-expectations:place-teller:1");

/**
 * Returns who is told about places in this process. Policies call `tell`; a guard sets it.
 *
 * Policies cannot publish by themselves: `publish` is in a room that they do not import from, and Node's own
 * `channel.publish()` would end the process if a subscriber threw. The object is stored on the channel. Node has one
 * channel for each name, so the ESM and the CommonJS copy of this package share it.
 */
export function placeTeller(): Teller {
  const holder = placeChannel as Channel & { [TELLER]?: Teller };
  holder[TELLER] ??= { tell: undefined };
  return holder[TELLER];
}
