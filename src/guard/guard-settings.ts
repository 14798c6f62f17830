import type { GuardSettings } from "./options.js";

const SETTINGS = Symbol.for("express-expectations:guard:1");

/** Puts the settings of a guard onto it, for {@link settingsOf}. */
export function withSettings<G extends object>(guard: G, settings: GuardSettings): G {
  return Object.defineProperty(guard, SETTINGS, { value: settings });
}

/** Returns the settings of a guard, of this copy of the package or the other one; `undefined` for anything else. */
export function settingsOf(guard: unknown): GuardSettings | undefined {
  return typeof guard === "function" ? (guard as { [SETTINGS]?: GuardSettings })[SETTINGS] : undefined;
}
