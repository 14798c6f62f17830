import { type PlaceChange, type PlaceMessage, type Places, placeChannel, placeTeller } from "../support/places.js";
import { publish } from "./diagnostics.js";

/** Has changes of places published from now on. Safe to call again. */
export function publishPlaces(): void {
  placeTeller().tell ??= publishChange;
}

function publishChange(change: PlaceChange, waitedMs: number, places: Places): void {
  if (placeChannel.hasSubscribers) publish(placeChannel, { change, waitedMs, places } satisfies PlaceMessage);
}
