import { optionError } from "../support/errors.js";
import { optionalBoolean, optionalCount, requireKnownKeys } from "../support/options.js";
import { attach, isAttached, isSettled, requireServer } from "./attach.js";
import { Departure } from "./departure.js";
import type { AttachableServer } from "./options.js";
import { openTraffic } from "./traffic.js";

/** Options of {@link drain}; all are optional. */
export interface DrainOptions {
  /**
   * How long the server goes on as before, in milliseconds, so that a load balancer sees {@link isDraining} in a health
   * check and sends nothing more. Default 0.
   */
  announceMs?: number;
  /** How long all of it may take, in milliseconds. Default 300,000. Then everything that is under way is ended. */
  timeoutMs?: number;
  /**
   * Whether the server listens while uploads are under way, so that new ones get a 503. Default true. With false it stops
   * listening at once, for a worker of `node:cluster` or PM2: new connections go to the other workers. Uploads on
   * connections that are there are accepted during `announceMs`.
   */
  keepListening?: boolean;
}

/** What {@link drain} has done. */
export interface DrainResult {
  /** Uploads that came too late, and got 503. */
  readonly refusedUploads: number;
  /** Connections that were ended because the time was over. 0: nothing was lost. */
  readonly cutConnections: number;
}

const OPTION_KEYS = ["announceMs", "timeoutMs", "keepListening"] as const satisfies readonly (keyof DrainOptions)[];

const drains = new WeakMap<AttachableServer, Promise<DrainResult>>();

/**
 * Closes a server without losing an upload, for a restart.
 *
 * New uploads are refused with 503, `Retry-After` and `Connection: close`. Those that came earlier are decided and finish,
 * and so do all other requests. Sessions of HTTP/2 get a GOAWAY. When no upload is under way, the server closes. A server
 * that nobody has attached is attached first. A second call returns the promise of the first.
 *
 * When the time is over, uploads that are under way get 503, and up to five seconds to take it. All other connections are
 * destroyed, WebSockets included.
 *
 * @returns a promise that is fulfilled when the server has closed.
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` if `server` is not a server or was detached, or for a wrong option;
 *   `ERR_EXPECT_LISTENERS` as `attach` does. The promise is rejected with it.
 * @example process.once("SIGTERM", () => drain(server, { announceMs: 5_000 }).then(() => process.exit()));
 * @see RFC 9110 §15.6.4 (503), RFC 9112 §9.6 (close), RFC 9113 §6.8 (GOAWAY)
 */
export async function drain(server: AttachableServer, options: DrainOptions = {}): Promise<DrainResult> {
  requireServer(server, "drain(server)");
  requireKnownKeys("drain", options, OPTION_KEYS);
  const { announceMs } = options;
  const settings = {
    announceMs: announceMs === 0 ? 0 : optionalCount("drain({ announceMs })", announceMs, 0),
    timeoutMs: optionalCount("drain({ timeoutMs })", options.timeoutMs, 300_000),
    keepListening: optionalBoolean("drain({ keepListening })", options.keepListening, true),
  };
  const present = drains.get(server);
  if (present !== undefined) return present;
  if (!isSettled(server)) attach(server);
  if (!isAttached(server))
    throw optionError("drain(server)", server, "a server that is attached; this one was detached");
  const departed = new Departure(server, openTraffic(server), settings).run();
  const drained = departed.then(({ refused, cut }) => {
    drains.delete(server);
    return { refusedUploads: refused, cutConnections: cut };
  });
  drains.set(server, drained);
  return drained;
}

/**
 * Returns whether {@link drain} was called for a server, for a health check: a load balancer should send nothing more.
 *
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` if `server` is not a server.
 * @example app.get("/health", (_req, res) => void res.sendStatus(isDraining(server) ? 503 : 200));
 */
export function isDraining(server: AttachableServer): boolean {
  requireServer(server, "isDraining(server)");
  return openTraffic(server).isLeaving;
}
