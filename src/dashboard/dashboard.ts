import type { ServerResponse } from "node:http";
import type { HttpRequest, HttpResponse } from "../http/message.js";
import { type Logger, type PreparedLogger, safeLogger } from "../observe/logger.js";
import { optionalCount, requireKnownKeys } from "../support/options.js";
import { type PlaceMessage, placeChannel } from "../support/places.js";
import { type DecisionSource, requireSource } from "./decision-source.js";
import { EventStreams, type Shown } from "./event-streams.js";
import { DECISION_CHANNELS, takePart } from "./exchange.js";
import { Present } from "./present.js";
import { RecentDecisions } from "./recent-decisions.js";
import { pathOf, sendPage, sendSummary } from "./responses.js";

export type { DecisionSource } from "./decision-source.js";
export { fromRedis, type RedisPublisher, type RedisSourceOptions, type RedisSubscriber } from "./from-redis.js";
export {
  type DecisionRelay,
  fromWorkers,
  type PrimaryCluster,
  type PrimaryWorker,
  relayDecisions,
  type WorkerListener,
  type WorkerProcess,
} from "./from-workers.js";
export { type ShareOptions, shareDecisions } from "./share-decisions.js";

/** Options of {@link dashboard}. */
export interface DashboardOptions {
  /** How far back the page looks, in milliseconds. Default 3,600,000: one hour. */
  sinceMs?: number;
  /** How many decisions to keep, acceptances included. Each takes about 1 KiB at most. Default 10,000. */
  maxRecords?: number;
  /**
   * Shows the decisions of other processes as well, and lets their pages show those of this one. Default: this process
   * alone. See {@link fromWorkers} and {@link fromRedis}.
   */
  from?: DecisionSource;
  /** Receives the dashboard's own errors, at level `error`. Default: one line of JSON each, on standard error. */
  logger?: Logger;
}

/** The middleware that {@link dashboard} returns. It serves `GET` and `HEAD` below the path it is mounted at. */
export interface Dashboard {
  (req: HttpRequest, res: HttpResponse, next: (error?: unknown) => void): void;
  /**
   * Stops recording decisions, ends the streams of open pages, and passes all requests on.
   *
   * Call it before `server.close()`, which otherwise waits for these streams.
   */
  close(): void;
}

const OPTION_KEYS = ["sinceMs", "maxRecords", "from", "logger"] as const satisfies readonly (keyof DashboardOptions)[];

const HOUR_MS = 3_600_000;

/**
 * Creates a middleware that serves a live page about the uploads that this process refuses, and about those that wait.
 *
 * The mount path serves the page. Below it, `summary.json` serves the numbers, and `events` streams them, at most once
 * per second and to at most 50 readers. Other readers get 503. All other requests are passed on. All of them share
 * numbers that are summed up at most once per second.
 *
 * The page shows clients' addresses and user agents, and has no login: mount it behind your own authentication. It
 * covers the decisions of this process since the call of this function, and no further back than `sinceMs`. With `from`
 * it covers those of other processes, too; places and disk space remain those of this one. Open pages delay
 * `server.close()`: call `close()` first.
 *
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for an unknown key or a wrong value.
 * @example app.use("/uploads", requireOperator, dashboard());
 */
export function dashboard(options: DashboardOptions = {}): Dashboard {
  requireKnownKeys("dashboard", options, OPTION_KEYS);
  const sinceMs = optionalCount("sinceMs", options.sinceMs, HOUR_MS);
  const maxRecords = optionalCount("maxRecords", options.maxRecords, 10_000, 1_000_000);
  const { from } = options;
  if (from !== undefined) requireSource("dashboard({ from })", from);
  const logger = safeLogger(options.logger);
  const recent = new RecentDecisions(maxRecords, sinceMs);
  const present = new Present();
  const shown = () => shownOf(recent, present);
  const streams = new EventStreams(shown, logger);
  const safely = guarded(logger);
  const remember = safely((message: { record: Record<string, unknown> }) => recent.add(message.record));
  const note = safely((message: PlaceMessage) => present.add(message));
  for (const channel of DECISION_CHANNELS) channel.subscribe(remember);
  placeChannel.subscribe(note);
  const leave = from && takePart(from, logger, (record) => recent.add(record));
  const pages = new Map<string, (req: HttpRequest, res: ServerResponse) => void>([
    ["/", (req, res) => sendPage(req, res, () => shown().summary)],
    ["/summary.json", (_req, res) => sendSummary(res, shown().summary)],
    ["/events", (req, res) => streams.open(req, res)],
  ]);
  let isClosed = false;

  function showDecisions(req: HttpRequest, res: HttpResponse, next: (error?: unknown) => void): void {
    const show = isClosed || (req.method !== "GET" && req.method !== "HEAD") ? undefined : pages.get(pathOf(req.url));
    if (show) show(req, res as ServerResponse);
    else next();
  }

  function close(): void {
    isClosed = true;
    for (const channel of DECISION_CHANNELS) channel.unsubscribe(remember);
    placeChannel.unsubscribe(note);
    leave?.();
    streams.close();
    recent.clear();
    present.clear();
  }

  return Object.assign(showDecisions, { close });
}

function shownOf(recent: RecentDecisions, present: Present): Shown {
  const { summary, version } = recent.summed();
  const now = present.now();
  if (!now) return { summary, version: String(version) };
  return { summary: { ...summary, now }, version: `${version} ${JSON.stringify(now)}` };
}

// Listeners run synchronously within the observed request, so they must not throw.
function guarded(logger: PreparedLogger): <M>(read: (message: M) => void) => (message: unknown) => void {
  let hasFailed = false;
  return (read) =>
    function readSafely(message) {
      try {
        read(message as Parameters<typeof read>[0]);
      } catch (err) {
        if (!hasFailed) logger.error({ err }, "the dashboard could not read a message; this is said once");
        hasFailed = true;
      }
    };
}
