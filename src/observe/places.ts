import { type PlaceMessage, placeChannel, placeTeller } from "../support/places.js";
import { publish } from "./diagnostics.js";

/** Has changes of places published from now on. Safe to call again. */
export function publishPlaces(): void {
  placeTeller().tell ??= publishChange;
}

function publishChange(message: PlaceMessage): void {
  if (placeChannel.hasSubscribers) publish(placeChannel, message);
}
