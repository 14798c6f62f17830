import type { Server as HttpServer, IncomingMessage, ServerResponse } from "node:http";
import type { Http2SecureServer, Http2Server } from "node:http2";
import type { Server as HttpsServer } from "node:https";
import { connectionOf } from "../handshake/connection.js";
import { currentHandshake, type ServerContext } from "../handshake/handshake.js";
import { type HttpRequest, http2Stream } from "../http/message.js";
import { lowerAscii } from "../http/token.js";
import { type Logger, type PreparedLogger, safeLogger } from "../observe/logger.js";
import { LingeringSockets } from "../response/linger.js";
import { ExpectationError, optionError } from "../support/errors.js";
import {
  optionalBoolean,
  optionalCount,
  optionalFunction,
  optionalOneOf,
  requireKnownKeys,
} from "../support/options.js";
import { isExpress, keepShape } from "./express-shape.js";
import { admit, type Dispatch, isAdmitted, markAdmitted, refuseForError } from "./gate.js";

/** A server that can be attached. */
export type AttachableServer = HttpServer | HttpsServer | Http2Server | Http2SecureServer;

/** Options of {@link attach}; all are optional. */
export interface AttachOptions {
  /** A guard that judges every request before the application sees it; its policies get Node's own request. */
  guard?: (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;
  /** Where the server's own refusals are logged. Default: one line of JSON each, on standard error. */
  logger?: Logger;
  /** What becomes of expectations that no name covers. Default `"refuse"`: with 417. */
  unknownExpectations?: "refuse" | "ignore";
  /** Names of the expectations that guards deal with. Default: none. */
  extensions?: readonly string[];
  /** How long a refused connection is kept to drain, in milliseconds. Default 5,000. */
  lingerMs?: number;
  /** How much of a refused body is drained, in bytes. Default 64 MiB. */
  lingerBytes?: number;
  /** How many refused connections are drained at the same time; the oldest goes first. Default 1,000. */
  maxLingering?: number;
  /** After a 100, how long no byte of content may come while the application asks for some, in milliseconds. Default 60,000. */
  bodyTimeoutMs?: number;
  /** Sets listeners of `checkContinue` and `checkExpectation` that are there already aside, until {@link detach}. */
  replaceListeners?: boolean;
}

const OPTION_KEYS = [
  "guard",
  "logger",
  "unknownExpectations",
  "extensions",
  "lingerMs",
  "lingerBytes",
  "maxLingering",
  "bodyTimeoutMs",
  "replaceListeners",
] as const satisfies readonly (keyof AttachOptions)[];

const EVENTS = ["checkContinue", "checkExpectation"] as const;

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
 * Attaching a server that is attached already changes nothing, but it takes over from a guard that attached it.
 *
 * @returns the same server.
 * @throws {ExpectationError} `ERR_EXPECT_LISTENERS` when somebody else answers `checkContinue` or `checkExpectation`
 *   there; `ERR_EXPECT_OPTION` for a wrong option, and for a guard that would not run, on a server that is attached.
 * @example attach(app.listen(3000));
 */
export function attach<S extends AttachableServer>(server: S, options: AttachOptions = {}): S {
  requireServer(server, "attach");
  requireKnownKeys("attach", options, OPTION_KEYS);
  const { guard } = options;
  optionalFunction("attach({ guard })", guard);
  const replaceListeners = optionalBoolean("attach({ replaceListeners })", options.replaceListeners, false);
  const names = extensionNames(options.extensions);
  const logger = safeLogger(options.logger, "attach({ logger })");
  const context = createContext(logger, options, names);
  const carrier = server as Carrier;
  const present = carrier[ATTACHMENT];
  if (present && !present.isByGuard) {
    requireSameGuard(present, guard);
    return server;
  }
  // A guard that met a request first knows nothing of these options.
  present?.undo();
  const setAside = freeEvents(server, replaceListeners);
  carrier[ATTACHMENT] = { guard, isByGuard: false, undo: takeOver(server, context, guard, setAside) };
  return server;
}

/**
 * Undoes {@link attach}: puts the server's own way of emitting back, and the listeners that were set aside.
 *
 * Under a wrapper that somebody put on the server later, what is left passes everything through. Requests that are
 * under way end as they began.
 *
 * @returns the same server.
 */
export function detach<S extends AttachableServer>(server: S): S {
  requireServer(server, "detach");
  const carrier = server as Carrier;
  carrier[ATTACHMENT]?.undo();
  carrier[ATTACHMENT] = null;
  return server;
}

/** Whether a server is attached, or was detached on purpose: in both cases a guard leaves it as it is. */
export function isSettled(server: AttachableServer): boolean {
  return (server as Carrier)[ATTACHMENT] !== undefined;
}

/**
 * What applies to a request whose server is not attached: the defaults, and nobody who refuses before the guards do.
 */
export function createDetachedContext(logger: PreparedLogger): ServerContext {
  return { ...createContext(logger, {}, new Set()), refusesUnknownAtOnce: false };
}

/** Attaches on behalf of a guard: what is unknown is left to the guards, since their names are not known here. */
export function attachForGuard(server: AttachableServer, context: ServerContext): void {
  const setAside = freeEvents(server, false);
  const undo = takeOver(server, context, undefined, setAside);
  (server as Carrier)[ATTACHMENT] = { guard: undefined, isByGuard: true, undo };
}

/** The server that a request came in on; `undefined` where there is none (injected requests). */
export function serverOf(req: HttpRequest): AttachableServer | undefined {
  const stream = http2Stream(req);
  // Node sets `server` on each socket and HTTP/2 session; an application object that is a mere function knows no server.
  const holder = stream ? stream.session : req.socket;
  const server = (holder as { server?: AttachableServer } | undefined)?.server;
  return typeof server?.emit === "function" ? server : undefined;
}

function createContext(logger: PreparedLogger, options: AttachOptions, names: ReadonlySet<string>): ServerContext {
  const unknown = optionalOneOf(
    "attach({ unknownExpectations })",
    options.unknownExpectations,
    ["refuse", "ignore"],
    "refuse",
  );
  return {
    logger,
    names,
    ignoresUnknown: unknown === "ignore",
    refusesUnknownAtOnce: unknown === "refuse",
    bodyTimeoutMs: optionalCount("attach({ bodyTimeoutMs })", options.bodyTimeoutMs, 60_000),
    lingering: new LingeringSockets({
      lingerMs: optionalCount("attach({ lingerMs })", options.lingerMs, 5_000),
      lingerBytes: optionalCount("attach({ lingerBytes })", options.lingerBytes, 64 * 2 ** 20, Number.MAX_SAFE_INTEGER),
      maxLingering: optionalCount("attach({ maxLingering })", options.maxLingering, 1_000),
    }),
  };
}

function extensionNames(names: unknown): ReadonlySet<string> {
  if (names === undefined) return new Set();
  if (Array.isArray(names) && Array.from(names).every(isExtensionName)) {
    return new Set(names.map(lowerAscii));
  }
  throw optionError("attach({ extensions })", names, 'a list of names, such as ["size-class"]');
}

// A member that follows no grammar keeps its text as its name, and must not be covered by one of these.
function isExtensionName(name: unknown): boolean {
  return typeof name === "string" && /^[!#$%&'*+.^_`|~\w-]+$/.test(name) && lowerAscii(name) !== "100-continue";
}

// An upload must not get past a guard that its author takes for mounted.
function requireSameGuard(present: Attachment, guard: AttachOptions["guard"]): void {
  if (guard === undefined || guard === present.guard) return;
  throw new ExpectationError(
    "ERR_EXPECT_OPTION",
    "attach({ guard }): received a guard that would never run, since the server is attached already; expected it in the first call of attach(server), or detach(server) before this one",
  );
}

function requireServer(server: unknown, factory: "attach" | "detach"): void {
  // Applications of Express and Connect are functions with the methods of an emitter; a net.Server has no setTimeout().
  const { on, emit, setTimeout } = (server ?? {}) as Partial<AttachableServer>;
  if (typeof server === "object" && [on, emit, setTimeout].every((method) => typeof method === "function")) return;
  const hint = typeof server === "function" ? "; an Express application is none: pass what app.listen() returns" : "";
  throw optionError(`${factory}(server)`, server, `a server of node:http, node:https or node:http2${hint}`);
}

// Two that answer `checkContinue` would run the application twice.
function freeEvents(server: AttachableServer, replaceListeners: boolean): (() => void) | undefined {
  const taken = EVENTS.filter((event) => server.listenerCount(event) > 0);
  if (taken.length === 0) return undefined;
  if (!replaceListeners) {
    throw new ExpectationError(
      "ERR_EXPECT_LISTENERS",
      `attach(server): somebody else listens for ${taken.join(" and ")} on this server, and both would run the application; remove that listener, or pass { replaceListeners: true } to set it aside`,
    );
  }
  const setAside = taken.flatMap((event) =>
    (server.listeners(event) as ((...args: unknown[]) => void)[]).map((listener) => ({ event, listener })),
  );
  for (const { event, listener } of setAside) server.removeListener(event, listener);
  return () => {
    for (const { event, listener } of setAside) server.on(event, listener);
  };
}

type Emit = (event: string | symbol, ...args: unknown[]) => boolean;

// The gate is a wrapper around `emit` of this one server. Everything that Node parses comes through there, whichever of
// the three events it picks, and before any listener: a listener would come too late to hold or drop a request, and
// putting the application's listeners behind one of ours would miss those that are added later. The `emit` beneath is
// looked up at each call, so that whoever patches the prototype (OpenTelemetry) or the server, before or after, stays
// in the chain; `checkContinue` and `checkExpectation` go round once more from the top as `request`, which is what such
// wrappers look for.
function takeOver(
  server: AttachableServer,
  context: ServerContext,
  guard: AttachOptions["guard"],
  putBack: (() => void) | undefined,
): () => void {
  const ownEmit = Object.getOwnPropertyDescriptor(server, "emit");
  const beneath = (): Emit => ownEmit?.value ?? Object.getPrototypeOf(server).emit;
  let isActive = true;

  const dispatchTo = (emitRequest: Dispatch): Dispatch => {
    const enter: Dispatch = (req, res) => {
      const handshake = currentHandshake(req);
      if (handshake && !handshake.stream && server.listeners("request").some(isExpress)) keepShape(req, res);
      emitRequest(req, res);
    };
    return guard === undefined ? enter : guarded(guard, context, enter);
  };
  const goOn = dispatchTo((req, res) => void Reflect.apply(beneath(), server, ["request", req, res]));
  const goRound = dispatchTo((req, res) => void server.emit("request", markAdmitted(req), res));

  const enterByExpectation = (req: IncomingMessage, res: ServerResponse) => {
    if (admit(req, res, context, goRound)) goRound(req, res);
  };

  const emit: Emit = function (this: AttachableServer, event, first, second) {
    if (isActive) {
      switch (event) {
        case "request": {
          const req = first as IncomingMessage;
          if (isAdmitted(req)) break;
          if (!admit(req, second as ServerResponse, context, goOn)) return true;
          if (guard === undefined) break;
          goOn(req, second as ServerResponse);
          return true;
        }
        case "checkContinue":
        case "checkExpectation":
          enterByExpectation(first as IncomingMessage, second as ServerResponse);
          return true;
        case "upgrade":
        case "connect":
          if (isHttp1Socket(second) && isOccupied(second)) {
            second.destroy();
            return true;
          }
          break;
        case "clientError":
          if (isHttp1Socket(second) && isAnsweredAnyway(second, first)) return true;
          break;
      }
    }
    // biome-ignore lint/complexity/noArguments: passes on as many as came, without an array on the way of each request
    return Reflect.apply(beneath(), this, arguments);
  };

  for (const event of EVENTS) server.on(event, enterByExpectation);
  server.emit = emit as typeof server.emit;
  return () => {
    isActive = false;
    for (const event of EVENTS) server.removeListener(event, enterByExpectation);
    putBack?.();
    if (server.emit !== (emit as typeof server.emit)) return;
    if (ownEmit) Object.defineProperty(server, "emit", ownEmit);
    else Reflect.deleteProperty(server, "emit");
  };
}

// There is no framework around it that would take its error. One of the application behind it is the application's.
function guarded(guard: NonNullable<AttachOptions["guard"]>, context: ServerContext, enter: Dispatch): Dispatch {
  return (req, res) => {
    let isEntered = false;
    try {
      guard(req, res, (error) => {
        isEntered = true;
        if (error == null) enter(req, res);
        else refuseForError(req, res, context, error);
      });
    } catch (error) {
      if (isEntered) throw error;
      refuseForError(req, res, context, error);
    }
  };
}

type Http1Socket = IncomingMessage["socket"];

function isHttp1Socket(value: unknown): value is Http1Socket {
  return typeof (value as Http1Socket | undefined)?.destroySoon === "function";
}

// Behind a final status that ends the connection, a second one would corrupt it. Garbage behind a request that came
// whole is no reason to take that request's answer away: the connection ends after it.
function isAnsweredAnyway(socket: Http1Socket, error: unknown): boolean {
  const connection = connectionOf(socket);
  if (connection === undefined) return false;
  if (connection.lastResponse) {
    // A client that leaves while the application still answers is nothing to wait for.
    if (!connection.lastResponse.writableEnded) socket.destroy();
    return true;
  }
  const { busyWith } = connection;
  const code = String((error as { code?: unknown } | undefined)?.code);
  const isGarbage = code.startsWith("HPE_") && code !== "HPE_INVALID_EOF_STATE";
  if (!isGarbage || !busyWith?.hasArrived || busyWith.res.headersSent || socket.readableEnded) return false;
  if (!busyWith.isLastOfConnection) socket.once("end", socket.destroy);
  busyWith.isLastOfConnection = true;
  return true;
}

function isOccupied(socket: Http1Socket): boolean {
  const connection = connectionOf(socket);
  return connection !== undefined && (connection.lastResponse !== undefined || connection.busyWith !== undefined);
}
