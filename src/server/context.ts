import type { ServerContext } from "../handshake/context.js";
import { isToken, lowerAscii } from "../http/token.js";
import { type PreparedLogger, safeLogger } from "../observe/logger.js";
import { LingeringSockets } from "../response/linger.js";
import { StalledSessions } from "../response/stalled-sessions.js";
import { LingeringStreams } from "../response/stream-linger.js";
import { optionError } from "../support/errors.js";
import { optionalCount, optionalOneOf } from "../support/options.js";
import type { AttachOptions } from "./options.js";

/** Makes the context of an attached server from the options of `attach`. */
export function createContext(options: AttachOptions): ServerContext {
  const names = extensionNames(options.extensions);
  return contextOf(safeLogger(options.logger, "attach({ logger })"), options, names);
}

/** The context of requests whose server is not attached: the defaults, and only guards refuse. */
export function createDetachedContext(logger: PreparedLogger): ServerContext {
  return { ...contextOf(logger, {}, new Set()), refusesUnknownAtOnce: false };
}

function contextOf(logger: PreparedLogger, options: AttachOptions, names: ReadonlySet<string>): ServerContext {
  const unknown = optionalOneOf(
    "attach({ unknownExpectations })",
    options.unknownExpectations,
    ["refuse", "ignore"],
    "refuse",
  );
  const bodyTimeoutMs = optionalCount("attach({ bodyTimeoutMs })", options.bodyTimeoutMs, 60_000);
  return {
    logger,
    names,
    ignoresUnknown: unknown === "ignore",
    refusesUnknownAtOnce: unknown === "refuse",
    bodyTimeoutMs,
    bodyRate: {
      bytesPerSecond: optionalCount(
        "attach({ minBytesPerSecond })",
        options.minBytesPerSecond,
        500,
        Number.MAX_SAFE_INTEGER,
      ),
      graceMs: optionalCount("attach({ rateGraceMs })", options.rateGraceMs, 20_000),
    },
    lingering: lingeringOf(options, bodyTimeoutMs),
  };
}

function lingeringOf(options: AttachOptions, bodyTimeoutMs: number): ServerContext["lingering"] {
  const maxLingering = optionalCount("attach({ maxLingering })", options.maxLingering, 1_000);
  const streams = new LingeringStreams(maxLingering);
  const sessions = new StalledSessions(bodyTimeoutMs);
  const sockets = new LingeringSockets({
    lingerMs: optionalCount("attach({ lingerMs })", options.lingerMs, 5_000),
    lingerBytes: optionalCount("attach({ lingerBytes })", options.lingerBytes, 64 * 2 ** 20, Number.MAX_SAFE_INTEGER),
    maxLingering,
  });
  return {
    expect: (socket, patienceMs) => sockets.expect(socket, patienceMs),
    add: (socket, contentLeft) => sockets.add(socket, contentLeft),
    addStream: (stream, close) => streams.add(stream, close),
    watchSession: (session) => sessions.watch(session),
  };
}

function extensionNames(names: unknown): ReadonlySet<string> {
  if (names === undefined) return new Set();
  if (Array.isArray(names) && Array.from(names).every(isExtensionName)) {
    return new Set(names.map(lowerAscii));
  }
  throw optionError("attach({ extensions })", names, 'a list of names, such as ["size-class"]');
}

// A malformed member has its whole text as its name, and no extension may cover it.
function isExtensionName(name: unknown): boolean {
  return typeof name === "string" && isToken(name) && lowerAscii(name) !== "100-continue";
}
