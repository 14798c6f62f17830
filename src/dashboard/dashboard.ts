import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { HttpRequest, HttpResponse } from "../http/message.js";
import { acceptChannel, errorChannel, refuseChannel } from "../observe/diagnostics.js";
import { type Logger, type PreparedLogger, safeLogger } from "../observe/logger.js";
import { Aggregate } from "../report/aggregate.js";
import { type Decision, decisionFrom, FIELDS } from "../report/decision.js";
import { contentSecurityPolicy, renderPage } from "../report/page/page.js";
import type { Summary } from "../report/summary.js";
import { copied } from "../report/text-copy.js";
import { optionalCount, requireKnownKeys } from "../support/options.js";

/** Options of {@link dashboard}. */
export interface DashboardOptions {
  /** How far back it looks, in milliseconds. Default 3,600,000: one hour. */
  sinceMs?: number;
  /** How many decisions it keeps: the latest, acceptances included; hardly more than 1 KiB each. Default 10,000. */
  maxRecords?: number;
  /** Hears of the dashboard's own faults, at `error`. Default: one line of JSON each, on standard error. */
  logger?: Logger;
}

/** What {@link dashboard} returns: a middleware that answers `GET` and `HEAD` beneath the path it is mounted at. */
export interface Dashboard {
  (req: HttpRequest, res: HttpResponse, next: (error?: unknown) => void): void;
  /**
   * Stops listening to decisions, ends every open page's stream and passes all requests on. A server that is to close
   * waits for these streams otherwise.
   */
  close(): void;
}

const OPTION_KEYS = ["sinceMs", "maxRecords", "logger"] as const satisfies readonly (keyof DashboardOptions)[];

const HOUR_MS = 3_600_000;
const CHANNELS = [acceptChannel, refuseChannel, errorChannel];
const MOST_STREAMS = 50;
const JSON_TYPE = "application/json; charset=utf-8";
const TEXT_TYPE = "text/plain; charset=utf-8";

/**
 * Makes a page that shows, live, whom this process refuses and why.
 *
 * Answers `GET` of its mount with the page, `summary.json` beneath it with the numbers, and `events` with a stream of
 * them: at most one a second, to at most 50 readers (503 beyond). All else is passed on.
 *
 * It shows clients' addresses and user agents, and asks nobody who they are: mount it behind your own authentication.
 * It knows what happened in this process since it was made, and no further back than its options say. Open pages hold
 * up `server.close()`: call `close()` first.
 *
 * @throws {ExpectationError} `ERR_EXPECT_OPTION` for an unknown key or a wrong value.
 * @example app.use("/uploads", requireOperator, dashboard());
 */
export function dashboard(options: DashboardOptions = {}): Dashboard {
  requireKnownKeys("dashboard", options, OPTION_KEYS);
  const sinceMs = optionalCount("sinceMs", options.sinceMs, HOUR_MS);
  const maxRecords = optionalCount("maxRecords", options.maxRecords, 10_000, 1_000_000);
  const logger = safeLogger(options.logger);
  const recent = new RecentDecisions(maxRecords, sinceMs);
  const streams = new Streams(recent, logger);
  const watch = watcher(recent, logger);
  for (const channel of CHANNELS) channel.subscribe(watch);
  const pages = new Map<string, (req: HttpRequest, res: ServerResponse) => void>([
    ["/", (req, res) => showPage(req, res, recent)],
    ["/summary.json", (_req, res) => answer(res, 200, JSON_TYPE, JSON.stringify(recent.summary()))],
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
    for (const channel of CHANNELS) channel.unsubscribe(watch);
    streams.close();
    recent.clear();
  }

  return Object.assign(showDecisions, { close });
}

/** What subscribes to the channels. It runs in the middle of a request: whatever goes wrong in here stays in here. */
function watcher(recent: RecentDecisions, logger: PreparedLogger): (message: unknown) => void {
  let hasFailed = false;
  return function rememberDecision(message) {
    try {
      const record = (message as { record: Record<string, unknown> }).record;
      recent.add(record);
    } catch (err) {
      if (!hasFailed) logger.error({ err }, "the dashboard could not read a decision; this is said once");
      hasFailed = true;
    }
  };
}

/** The latest decisions, oldest first, in a ring that never grows beyond its size. */
class RecentDecisions {
  readonly #ring: Timed[] = [];
  #oldest = 0;
  #count = 0;
  #summed: { readonly version: number; readonly summary: Summary } | undefined;
  /** Differs whenever the decisions do. */
  version = 0;

  constructor(
    readonly most: number,
    readonly sinceMs: number,
  ) {}

  add(record: Readonly<Record<string, unknown>>): void {
    const decision = decisionFrom(FIELDS.map((field) => short(record[field])));
    if (!decision) return;
    this.#ring[(this.#oldest + this.#count) % this.most] = { ...decision, time: Date.now() };
    if (this.#count < this.most) this.#count++;
    else this.#oldest = (this.#oldest + 1) % this.most;
    this.version++;
  }

  /** Lets go of what is too old. */
  expire(): void {
    const since = Date.now() - this.sinceMs;
    while (this.#count > 0 && (this.#ring[this.#oldest] as Timed).time < since) {
      this.#oldest = (this.#oldest + 1) % this.most;
      this.#count--;
      this.version++;
    }
  }

  /** Sums up what is kept: some milliseconds of work, unless nothing has changed since the last time. */
  summary(): Summary {
    this.expire();
    if (this.#summed?.version === this.version) return this.#summed.summary;
    const aggregate = new Aggregate();
    for (let i = 0; i < this.#count; i++) aggregate.add(this.#ring[(this.#oldest + i) % this.most] as Timed);
    const summary = aggregate.summary();
    this.#summed = { version: this.version, summary };
    return summary;
  }

  clear(): void {
    this.#ring.length = 0;
    this.#oldest = 0;
    this.#count = 0;
    this.#summed = undefined;
  }
}

type Timed = Decision & { readonly time: number };

const LONGEST_VALUE = 256;

// A copy: a part of a long text keeps the whole of it in memory.
function short(value: unknown): unknown {
  return typeof value === "string" ? copied(value.slice(0, LONGEST_VALUE)) : value;
}

const TICK_MS = 1_000;
const HEARTBEAT_TICKS = 15;
/** Summing up may take a twentieth of the time: where it takes longer than a tick allows, events come less often. */
const LEAST_PAUSE = 20;

/** The readers of the events. There is a timer as long as there are readers. */
class Streams {
  readonly #open = new Set<Stream>();
  #timer: NodeJS.Timeout | undefined;
  #ticks = 0;
  #told = -1;
  #notBefore = 0;

  constructor(
    readonly recent: RecentDecisions,
    readonly logger: Logger,
  ) {}

  open(req: HttpRequest, res: ServerResponse): void {
    if (this.#open.size >= MOST_STREAMS) {
      res.setHeader("Retry-After", "10");
      answer(res, 503, TEXT_TYPE, `${MOST_STREAMS} readers are connected already\n`);
      return;
    }
    // no-transform: a compressing middleware would hold events back; so would nginx without the other.
    const fields = { "Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no" };
    writeHead(res, 200, "text/event-stream; charset=utf-8", fields);
    if (req.method === "HEAD") {
      res.end();
      return;
    }
    const stream: Stream = { res, isBlocked: false, missedHeartbeat: false };
    res.once("close", () => this.#remove(stream));
    // A reader that leaves in the middle of a write is no fault.
    res.on("error", () => {});
    res.on("drain", () => {
      stream.isBlocked = false;
      stream.missedHeartbeat = false;
    });
    const summary = this.recent.summary();
    if (this.#open.size === 0) this.#told = this.recent.version;
    this.#open.add(stream);
    send(stream, eventOf(summary));
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
  }

  close(): void {
    for (const { res } of this.#open) res.end();
  }

  #remove(stream: Stream): void {
    this.#open.delete(stream);
    if (this.#open.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    try {
      this.#tell();
    } catch (err) {
      this.logger.error({ err }, "the dashboard could not sum its decisions up");
    }
    if (++this.#ticks % HEARTBEAT_TICKS === 0) for (const stream of this.#open) beat(stream);
  }

  #tell(): void {
    this.recent.expire();
    const begunAt = performance.now();
    if (this.recent.version === this.#told || begunAt < this.#notBefore) return;
    this.#told = this.recent.version;
    const event = eventOf(this.recent.summary());
    this.#notBefore = begunAt + LEAST_PAUSE * (performance.now() - begunAt);
    for (const stream of this.#open) send(stream, event);
  }
}

interface Stream {
  readonly res: ServerResponse;
  isBlocked: boolean;
  missedHeartbeat: boolean;
}

function eventOf(summary: Summary): string {
  return `data: ${JSON.stringify(summary)}\n\n`;
}

// What a slow reader misses is not kept for it: the next summary tells all.
function send(stream: Stream, text: string): void {
  if (!stream.isBlocked) stream.isBlocked = !stream.res.write(text);
}

/** Keeps proxies from closing a quiet stream; cuts off a reader that has taken nothing since the last time. */
function beat(stream: Stream): void {
  if (stream.missedHeartbeat) {
    stream.res.destroy();
    return;
  }
  stream.missedHeartbeat = stream.isBlocked;
  send(stream, ":\n\n");
}

function showPage(req: HttpRequest, res: ServerResponse, recent: RecentDecisions): void {
  const address = (req as { originalUrl?: string }).originalUrl ?? req.url ?? "/";
  const path = pathOf(address);
  if (!path.endsWith("/")) {
    // Relative, so that it holds behind a proxy that serves this under another path; "./" makes no host of "//host".
    const location = `./${path.slice(path.lastIndexOf("/") + 1)}/${address.slice(path.length)}`;
    res.setHeader("Location", location);
    answer(res, 302, TEXT_TYPE, "");
    return;
  }
  // Instead of one that a middleware such as helmet may have set, which would not know the page's own script.
  res.setHeader("Content-Security-Policy", `${contentSecurityPolicy(true)}; frame-ancestors 'none'`);
  answer(res, 200, "text/html; charset=utf-8", renderPage(recent.summary(), { title: "Uploads", live: true }));
}

function pathOf(url = "/"): string {
  const query = url.indexOf("?");
  return query < 0 ? url : url.slice(0, query);
}

function answer(res: ServerResponse, status: number, type: string, body: string): void {
  writeHead(res, status, type, { "Cache-Control": "no-store", "Content-Length": Buffer.byteLength(body) });
  res.end(body);
}

function writeHead(res: ServerResponse, status: number, type: string, fields: OutgoingHttpHeaders): void {
  res.writeHead(status, {
    "Content-Type": type,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    ...fields,
  });
}
