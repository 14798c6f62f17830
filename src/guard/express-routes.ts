import { METHODS } from "node:http";
import { ExpectationError, optionError } from "../support/errors.js";

/** A function that an application runs for a request. */
export type Handler = (...args: never[]) => unknown;

/** A path of a route or of `use()`. */
export type Path = string | RegExp;

/** What Express keeps for each `use()`, route and handler, in the order of the calls. */
export interface Layer {
  readonly handle: Handler;
  /** Router 2.3 returns what it has found. Earlier ones return `true` and set `path`, as they do for each request. */
  match(path: string): boolean | { readonly path: string };
  readonly path?: string;
  readonly route?: Route;
  /** Of a handler within a route; `undefined` for `all()`. */
  readonly method?: string;
  /** Since router 2.3: the path as it was registered. */
  readonly rawPath?: Path | readonly Path[];
  /** Express 4. */
  readonly regexp?: RegExp & { readonly fast_slash?: boolean };
  readonly keys?: readonly { readonly name: string | number }[];
  /** Express 5: whether the layer is mounted at "/". */
  readonly slash?: boolean;
}

/** A route of Express: its path, its methods and their handlers. */
export interface Route {
  readonly path: Path | readonly Path[];
  readonly methods: Readonly<Record<string, boolean>>;
  readonly stack: readonly Layer[];
}

/** A router of Express 4 or 5, or of the package `router`. */
export interface Router {
  readonly stack: readonly Layer[];
}

/** What an application of Express 4 or 5 has. */
interface Application {
  readonly router?: unknown;
  readonly _router?: Router;
  readonly mountpath?: Path | readonly Path[];
  readonly parent?: unknown;
}

/** Their content has no meaning (RFC 9110 §9.3), or Node never passes them to a route. */
const WITHOUT_CONTENT: ReadonlySet<string> = new Set(["get", "head", "delete", "options", "trace", "connect"]);

const ALL_METHODS = METHODS.map((method) => method.toLowerCase()).filter((method) => !WITHOUT_CONTENT.has(method));

const EMPTY: Router = { stack: [] };

/**
 * Returns the router of an application of Express 4 or 5, or a router itself.
 *
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for anything else.
 */
export function routerOf(app: unknown): Router {
  const router = isRouter(app) ? app : routerOfApplication(app);
  if (router) return router;
  throw optionError("unguarded(app)", app, `an application or a router of Express 4 or 5${hintFor(app)}`);
}

/** The router that a layer mounts, as such or within an application; `undefined` for every other layer. */
export function mountedRouter({ route, handle }: Layer): Router | undefined {
  if (route) return undefined;
  return isRouter(handle) ? handle : routerOfApplication(handle);
}

function routerOfApplication(app: unknown): Router | undefined {
  if (typeof app !== "function" || !("mountpath" in app)) return undefined;
  const application = app as Application;
  // Express 4, whose getter `router` throws, makes its router with the first route.
  if ("lazyrouter" in app) return application._router ?? EMPTY;
  return isRouter(application.router) ? application.router : undefined;
}

// A layer of Connect has no `match`, and an application of Connect has the methods of an emitter.
function isRouter(value: unknown): value is Router {
  const { stack, use, emit } = (value ?? {}) as { stack?: unknown; use?: unknown; emit?: unknown };
  if (!Array.isArray(stack) || typeof use !== "function" || emit !== undefined) return false;
  return stack.every(({ match }: Partial<Layer>) => typeof match === "function");
}

function hintFor(app: unknown): string {
  const { stack, listen, address } = (app ?? {}) as { stack?: unknown; listen?: unknown; address?: unknown };
  if (Array.isArray(stack)) return "; Connect has no routes that can be listed";
  const isServer = typeof listen === "function" && typeof address === "function";
  return isServer ? "; a server does not tell what runs behind it: pass the application" : "";
}

/** Whether a layer mounts an application by `app.use()`, which hides it behind a function of this name. */
export function isHiddenApp({ route, handle }: Layer): boolean {
  return !route && handle.name === "mounted_app";
}

/** Which of `apps` is mounted in `parent` by this layer. */
export function findHiddenApp(layer: Layer, parent: unknown, apps: readonly unknown[]): unknown {
  const candidates = apps.map((app) => app as Application).filter((app) => app.parent === parent);
  const paths = pathsOf(layer);
  const has = (isIts: (path: Path) => boolean) =>
    candidates.find(({ mountpath = [] }) => asPaths(mountpath).some(isIts));
  // Of several paths at once, Express 4 keeps one RegExp alone.
  return (
    has((path) => paths.includes(path)) ?? has((path) => typeof path === "string" && matchedPart(layer, path) === path)
  );
}

/** Whether an application is mounted in one of `apps`. */
export function isMountedIn(app: unknown, apps: readonly unknown[]): boolean {
  const { parent } = app as Application;
  return parent !== undefined && apps.includes(parent);
}

/** Whether a layer gets the requests of every path. */
export function isEverywhere({ slash, regexp }: Layer): boolean {
  return slash === true || regexp?.fast_slash === true;
}

/** Returns the part of a path that belongs to a layer; `undefined` if the layer does not get requests of this path. */
export function matchedPart(layer: Layer, path: string): string | undefined {
  let match: ReturnType<Layer["match"]>;
  try {
    match = layer.match(path);
  } catch {
    // A parameter that cannot be decoded.
    return undefined;
  }
  if (!match) return undefined;
  const part = (typeof match === "object" ? match.path : layer.path) ?? "";
  // Express skips what is mounted by a RegExp that ends within a segment.
  const isWhole = layer.route !== undefined || /^(?:\/|$)/.test(path.slice(part.length));
  return isWhole ? part : undefined;
}

/**
 * The paths at which a layer is mounted, "" for "/".
 *
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` if the layer does not tell.
 */
export function pathsOf(layer: Layer): readonly Path[] {
  const { rawPath, regexp, keys = [] } = layer;
  if (rawPath !== undefined) return asPaths(rawPath);
  if (isEverywhere(layer)) return [""];
  if (regexp) return [plainPath(regexp, keys) ?? regexp];
  throw new ExpectationError(
    "ERR_EXPECT_OPTION",
    "unguarded(app): this version of the package router does not tell at which path a router is mounted; expected router 2.3 or later: npm update router",
  );
}

function asPaths(path: Path | readonly Path[]): readonly Path[] {
  return ([path].flat() as Path[]).map((each) => (each === "/" ? "" : each));
}

// Express 4 keeps "/users/:id" as /^\/users(?:\/([^/]+?))\/?(?=\/|$)/i and the names of its parameters alone.
function plainPath({ source }: RegExp, keys: NonNullable<Layer["keys"]>): string | undefined {
  let count = 0;
  const named = source.replaceAll("(?:\\/([^/]+?))", () => `\\/:${keys[count++]?.name}`);
  const [, text] = /^\^((?:\\[/.-]|[\w~%:-])+)\\\/\?\(\?=\\\/\|\$\)$/.exec(named) ?? [];
  return text?.replaceAll("\\", "");
}

/** The methods of a route that take content, in lower case; `"_all"` for `route.all()`. */
export function contentMethodsOf({ methods }: Route): readonly string[] {
  return Object.keys(methods).filter((method) => !WITHOUT_CONTENT.has(method));
}

/** How methods are written in a list: `"*"` for `all()`. */
export function methodNames(methods: readonly string[], route: Route): readonly string[] {
  // `app.all()` names every method of Node, `route.all()` none.
  if (methods.length > 0 && ALL_METHODS.every((method) => route.methods[method])) return ["*"];
  return methods.map((method) => (method === "_all" ? "*" : method.toUpperCase()));
}

/** The handlers of a route that get requests of a method. */
export function handlersOf({ stack }: Route, method: string): readonly Handler[] {
  return stack.filter((layer) => layer.method === undefined || layer.method === method).map(({ handle }) => handle);
}
