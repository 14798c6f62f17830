import type { ServerContext } from "../handshake/context.js";
import { type HttpRequest, http2Stream } from "../http/message.js";
import { acceptedBy } from "../node/server.js";
import { ExpectationError, optionError } from "../support/errors.js";
import { requireCalled } from "../support/factories.js";
import { optionalBoolean, optionalFunction, requireKnownKeys } from "../support/options.js";
import { createContext } from "./context.js";
import { takeOver } from "./emit.js";
import { freeEvents } from "./listeners.js";
import { ATTACH_OPTION_KEYS, type AttachableServer, type AttachOptions } from "./options.js";

interface Attachment {
  readonly guard: AttachOptions["guard"];
  /** Whether a guard attached the server, and nobody has called {@link attach}. */
  readonly isByGuard: boolean;
  readonly undo: () => void;
}

const ATTACHMENT = Symbol.for("express-expectations:attachment:1");

// `null` marks a server that was detached on purpose: a guard must not attach it again.
type Carrier = AttachableServer & { [ATTACHMENT]?: Attachment | null };

/**
 * Lets this package decide when a server's clients get their `100 Continue`, and puts its gate in front of the
 * application.
 *
 * A second call changes nothing, unless a guard had attached the server by itself: then this call takes over.
 *
 * @returns the same server.
 * @throws {ExpectationError} `ERR_EXPECT_LISTENERS` if the server already has a listener of `checkContinue` or
 *   `checkExpectation`. `ERR_EXPECT_OPTION` for a wrong option, and for a second guard on an attached server.
 * @example attach(app.listen(3000));
 */
export function attach<S extends AttachableServer>(server: S, options: AttachOptions = {}): S {
  requireServer(server, "attach(server)");
  requireKnownKeys("attach", options, ATTACH_OPTION_KEYS);
  const { guard } = options;
  requireCalled("attach({ guard })", guard);
  optionalFunction("attach({ guard })", guard);
  const replaceListeners = optionalBoolean("attach({ replaceListeners })", options.replaceListeners, false);
  const context = createContext(options);
  const carrier = server as Carrier;
  const present = carrier[ATTACHMENT];
  if (present && !present.isByGuard) {
    requireSameGuard(present, guard);
    return server;
  }
  // A guard that attached the server did so without these options.
  present?.undo();
  const setAside = freeEvents(server, replaceListeners);
  carrier[ATTACHMENT] = { guard, isByGuard: false, undo: takeOver(server, context, guard, setAside) };
  return server;
}

/**
 * Undoes {@link attach}: restores the server's own `emit` and the listeners that were set aside.
 *
 * If somebody has wrapped `emit` since, the gate stays beneath that wrapper and passes everything through. Requests
 * that are under way end as they began.
 *
 * @returns the same server.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` if `server` is not a server.
 */
export function detach<S extends AttachableServer>(server: S): S {
  requireServer(server, "detach(server)");
  const carrier = server as Carrier;
  carrier[ATTACHMENT]?.undo();
  carrier[ATTACHMENT] = null;
  return server;
}

/** Whether a server is attached, or was detached on purpose. In both cases a guard leaves it as it is. */
export function isSettled(server: AttachableServer): boolean {
  return (server as Carrier)[ATTACHMENT] !== undefined;
}

/** Whether a server is attached. */
export function isAttached(server: AttachableServer): boolean {
  return (server as Carrier)[ATTACHMENT] != null;
}

/** Attaches on behalf of a guard. Unknown expectations are left to the guards, whose names are not known here. */
export function attachForGuard(server: AttachableServer, context: ServerContext): void {
  const setAside = freeEvents(server, false);
  const undo = takeOver(server, context, undefined, setAside);
  (server as Carrier)[ATTACHMENT] = { guard: undefined, isByGuard: true, undo };
}

/** The server that a request came in on; `undefined` for injected requests. */
export function serverOf(req: HttpRequest): AttachableServer | undefined {
  const stream = http2Stream(req);
  const server = acceptedBy<AttachableServer>(stream ? stream.session : req.socket);
  return typeof server?.emit === "function" ? server : undefined;
}

// Otherwise uploads would pass a guard that its author believes to be mounted.
function requireSameGuard(present: Attachment, guard: AttachOptions["guard"]): void {
  if (guard === undefined || guard === present.guard) return;
  throw new ExpectationError(
    "ERR_EXPECT_OPTION",
    "attach({ guard }): received a guard that would never run, since the server is attached already; expected it in the first call of attach(server), or detach(server) before this one",
  );
}

/** @throws {ExpectationError} `ERR_EXPECT_OPTION` if `server` is not a server. */
export function requireServer(server: unknown, option: string): void {
  if (isServer(server)) return;
  throw optionError(option, server, `a server of node:http, node:https or node:http2${hintFor(server)}`);
}

// Applications of Express and Connect are functions with the methods of an emitter; a net.Server has no setTimeout().
function isServer(value: unknown): boolean {
  const { on, emit, setTimeout } = (value ?? {}) as Partial<AttachableServer>;
  return typeof value === "object" && [on, emit, setTimeout].every((method) => typeof method === "function");
}

function hintFor(value: unknown): string {
  const given = (value ?? {}) as Record<string, unknown>;
  // Fastify, Restify and Polka; hapi.
  const own = ["server", "listener"].find((name) => isServer(given[name]));
  if (own !== undefined) return `; its property ${own} is one`;
  if (typeof value === "function") return "; an Express application is none: pass what app.listen() returns";
  const runtime = runtimeOf(given);
  if (runtime === undefined) return "";
  return `; ${runtime}.serve() sends the 100 before any of your code runs: pass a server of node:http's createServer(), which ${runtime} has as well`;
}

// The servers of runtimes that are not Node's have no events.
function runtimeOf({ fetch, reload, shutdown, finished }: Record<string, unknown>): string | undefined {
  if (typeof fetch === "function" && typeof reload === "function") return "Bun";
  return typeof shutdown === "function" && finished !== undefined ? "Deno" : undefined;
}
