import type { ServerResponse } from "node:http";
import type { HttpRequest } from "../http/message.js";
import type { Logger } from "../observe/logger.js";
import type { Summary } from "../report/summary.js";
import { type EventStream, eventOf, send, sendHeartbeat } from "./event-stream.js";
import { sendText, writeHead } from "./responses.js";

const MAX_STREAMS = 50;
const TICK_MS = 1_000;
const HEARTBEAT_TICKS = 15;

/** What the page shows. */
export interface Shown {
  readonly summary: Summary;
  /** Changes whenever the summary does. */
  readonly version: string;
}

/** The open streams of server-sent events. A timer runs while there are readers. */
export class EventStreams {
  readonly #open = new Set<EventStream>();
  #timer: NodeJS.Timeout | undefined;
  #ticks = 0;
  #sentVersion: string | undefined;

  constructor(
    readonly shown: () => Shown,
    readonly logger: Logger,
  ) {}

  /** Starts a stream for a reader; refuses it with 503 if there are too many. */
  open(req: HttpRequest, res: ServerResponse): void {
    if (this.#open.size >= MAX_STREAMS) {
      res.setHeader("Retry-After", "10");
      sendText(res, 503, `${MAX_STREAMS} readers are connected already\n`);
      return;
    }
    // A compressing middleware buffers events unless it sees no-transform; nginx does unless it sees X-Accel-Buffering.
    const fields = { "Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no" };
    writeHead(res, 200, "text/event-stream; charset=utf-8", fields);
    if (req.method === "HEAD") {
      res.end();
      return;
    }
    const stream: EventStream = { res, isBlocked: false, missedHeartbeat: false };
    res.once("close", () => this.#remove(stream));
    // A reader that leaves during a write is not an error.
    res.on("error", () => {});
    res.on("drain", () => {
      stream.isBlocked = false;
      stream.missedHeartbeat = false;
    });
    const { summary, version } = this.shown();
    if (this.#open.size === 0) this.#sentVersion = version;
    this.#open.add(stream);
    send(stream, eventOf(summary));
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
  }

  /** Ends all streams. */
  close(): void {
    for (const { res } of this.#open) res.end();
  }

  #remove(stream: EventStream): void {
    this.#open.delete(stream);
    if (this.#open.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    try {
      this.#sendChanges();
    } catch (err) {
      this.logger.error({ err }, "the dashboard could not sum up its decisions");
    }
    if (++this.#ticks % HEARTBEAT_TICKS === 0) for (const stream of this.#open) sendHeartbeat(stream);
  }

  #sendChanges(): void {
    const { summary, version } = this.shown();
    if (version === this.#sentVersion) return;
    this.#sentVersion = version;
    const event = eventOf(summary);
    for (const stream of this.#open) send(stream, event);
  }
}
