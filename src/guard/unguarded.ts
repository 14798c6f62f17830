import { ExpectationError, optionError } from "../support/errors.js";
import { requireCalled } from "../support/factories.js";
import {
  contentMethodsOf,
  findHiddenApp,
  handlersOf,
  isEverywhere,
  isHiddenApp,
  isMountedIn,
  type Layer,
  matchedPart,
  methodNames,
  mountedRouter,
  type Path,
  pathsOf,
  type Route,
  type Router,
  routerOf,
} from "./express-routes.js";
import { isGuard } from "./guard-settings.js";
import { type Sample, samplesOf } from "./path-samples.js";

/** A route that takes content and has no guard in front. */
export interface UnguardedRoute {
  /** In upper case; `"*"` for `app.all()`. */
  readonly method: string;
  /** The path as it was registered, behind those of the routers around it. A RegExp as its text. */
  readonly path: string;
}

/** Whether every request of a method to a path has passed a guard. `sample` is relative to the router. */
type Cover = (sample: Sample, method: string) => boolean;

/**
 * Lists the routes of an Express application that take content and have no guard in front: for a test in your own suite.
 *
 * Reads the application and runs nothing of it. Handlers that are mounted with `use()` are not routes, and are not
 * listed. A guard counts if it is part of the route, or comes before it with `use()` or `all()` for a path that covers
 * the route's. A route that a guard may or may not cover is listed: of a RegExp, the path is not known.
 *
 * @param app - an application or a router of Express 4 or 5. If applications are mounted in it, a list with all of them.
 * @param guards - what counts as a guard. Default: everything that `expectations` has returned, except with
 *   `applyTo: "expectations"`.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` if the application cannot be read, or is mounted and not in the list.
 * @example expect(unguarded(app)).toEqual([]);
 */
export function unguarded(app: object | readonly object[], guards?: object | readonly object[]): UnguardedRoute[] {
  const apps = [app].flat() as readonly object[];
  if (apps.length === 0) throw optionError("unguarded(app)", app, "an application or a router of Express 4 or 5");
  const survey = new Survey(apps, readGuards(guards));
  for (const each of apps) {
    const router = routerOf(each);
    if (!isMountedIn(each, apps)) survey.visit(router, each, "", () => false);
  }
  return survey.found;
}

function readGuards(guards: unknown): (handler: object) => boolean {
  if (guards === undefined) return isGuard;
  const list: unknown[] = [guards].flat();
  for (const guard of list) {
    requireCalled("unguarded(app, guards)", guard);
    if (typeof guard !== "function") throw optionError("unguarded(app, guards)", guard, "guards, in a list or alone");
  }
  if (list.length === 0) throw optionError("unguarded(app, guards)", guards, "one guard or more");
  return (handler) => list.includes(handler);
}

class Survey {
  readonly found: UnguardedRoute[] = [];
  /** Routers that are being read. One that is mounted in itself has been listed already. */
  readonly #open = new Set<Router>();

  constructor(
    readonly apps: readonly object[],
    readonly isGuard: (handler: object) => boolean,
  ) {}

  /**
   * Reads a router.
   *
   * @param owner - the application of the router, or the router itself.
   * @param outer - what the guards around this router cover.
   * @returns what the guards in this router cover, for requests that none of its routes has answered.
   */
  visit(router: Router, owner: unknown, prefix: string, outer: Cover): Cover {
    const passed: Cover[] = [];
    const inner: Cover = (sample, method) => passed.some((cover) => cover(sample, method));
    if (this.#open.has(router)) return inner;
    this.#open.add(router);
    const cover: Cover = (sample, method) => inner(sample, method) || outer(sample, method);
    for (const layer of router.stack) {
      const mounted = this.#mounted(layer, owner);
      if (layer.route) {
        this.#list(layer.route, prefix, cover);
        passed.push(this.#coverOfRoute(layer, layer.route));
      } else if (mounted) {
        for (const path of pathsOf(layer)) {
          const within = this.visit(mounted.router, mounted.owner, prefix + textOf(path), beneath(path, cover));
          passed.push((sample, method) => covers(layer, sample) && within(remainder(layer, sample), method));
        }
      } else if (this.isGuard(layer.handle)) {
        passed.push((sample) => covers(layer, sample));
      }
    }
    this.#open.delete(router);
    return inner;
  }

  #mounted(layer: Layer, owner: unknown): { router: Router; owner: unknown } | undefined {
    const router = mountedRouter(layer);
    if (router) return { router, owner: layer.handle };
    if (!isHiddenApp(layer)) return undefined;
    const app = findHiddenApp(layer, owner, this.apps);
    if (app !== undefined) return { router: routerOf(app), owner: app };
    const path = pathsOf(layer).map(textOf).join(", ") || "/";
    throw new ExpectationError(
      "ERR_EXPECT_OPTION",
      `unguarded(app): an application is mounted at ${JSON.stringify(path)}, and Express does not tell which; expected a list with all of them: unguarded([app, mounted])`,
    );
  }

  #list(route: Route, prefix: string, cover: Cover): void {
    for (const path of [route.path].flat() as Path[]) {
      const samples = samplesOf(path);
      const methods = contentMethodsOf(route).filter(
        (method) => !this.#hasGuard(route, method) && !samples.every((sample) => cover(sample, method)),
      );
      for (const method of methodNames(methods, route)) this.#add(method, prefix + textOf(path));
    }
  }

  #hasGuard(route: Route, method: string): boolean {
    const handlers = handlersOf(route, method);
    return handlers.slice(0, -1).some(this.isGuard) || handlers.every(this.isGuard);
  }

  #add(method: string, path: string): void {
    const isKnown = this.found.some((route) => route.method === method && route.path === path);
    if (!isKnown) this.found.push({ method, path });
  }

  // A guard in `app.all("/files/*path", guard)` covers the routes behind it.
  #coverOfRoute(layer: Layer, route: Route): Cover {
    return (sample, method) => covers(layer, sample) && handlersOf(route, method).some(this.isGuard);
  }
}

function covers(layer: Layer, { text, isWhole }: Sample): boolean {
  if (isEverywhere(layer)) return true;
  // A route gets whole paths alone.
  if (!isWhole && layer.route) return false;
  return matchedPart(layer, text) !== undefined;
}

function remainder(layer: Layer, { text, isWhole }: Sample): Sample {
  const matched = isEverywhere(layer) ? "" : (matchedPart(layer, text) ?? "");
  return { text: text.slice(matched.length) || (isWhole ? "/" : ""), isWhole };
}

// What is mounted in a place that is not known whole is in an unknown place beneath it.
function beneath(path: Path, cover: Cover): Cover {
  const mounts = samplesOf(path);
  return ({ text, isWhole }, method) =>
    mounts.every((mount) =>
      cover(mount.isWhole ? { text: mount.text + text, isWhole } : { text: mount.text, isWhole: false }, method),
    );
}

function textOf(path: Path): string {
  return typeof path === "string" ? path : String(path);
}
