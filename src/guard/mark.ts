const GUARD = Symbol.for("express-expectations:guard:1");

/** Marks a function as a guard, so that {@link isGuard} recognises it in a list of handlers. */
export function markGuard<F extends object>(guard: F): F {
  Object.defineProperty(guard, GUARD, { value: true });
  return guard;
}

/** Whether a function is a guard. Guards of both copies of this package are. */
export function isGuard(handler: object): boolean {
  return GUARD in handler;
}
