import type { Socket } from "node:net";
import { acceptedBy } from "../node/server.js";
import { readIntoSink } from "../node/sink.js";
import { detachParser, restartReading } from "../node/socket.js";
import { gauges, lingerEndChannel, publish } from "../observe/diagnostics.js";

/** Bounds of a lingering close. */
export interface LingerLimits {
  /** How long a socket lingers at most, in milliseconds. */
  readonly lingerMs: number;
  /** How much of the refused content is read and thrown away at most, in bytes. */
  readonly lingerBytes: number;
  /** How many sockets of a server linger at the same time; the oldest goes first. */
  readonly maxLingering: number;
}

/** The message of the channel `express-expectations:linger-end`: a refused connection is gone. */
export interface LingerEndMessage {
  readonly socket: Socket;
  /** How long it lingered, in milliseconds. */
  readonly durationMs: number;
  /** Refused content that was read and thrown away, in bytes. */
  readonly discardedBytes: number;
  /**
   * `"client"`: the client ended its side. `"time"`: `lingerMs` was over. `"crowded"`: more than `maxLingering`
   * lingered. `"server"`: the server was closed.
   */
  readonly reason: "client" | "time" | "crowded" | "server";
}

interface Lingering {
  readonly socket: Socket;
  /** Its neighbours by age. Cleared when it is gone, so that it does not keep later ones in memory. */
  older: Lingering | undefined;
  younger: Lingering | undefined;
  isGone: boolean;
  readonly since: number;
  readonly until: number;
  bytes: number;
  quietSince: number;
  /** Bytes of content still to come; `undefined` when unknown. */
  readonly contentLeft: number | undefined;
  hasSentFin: boolean;
  readonly wasListening: boolean;
  endedBy: LingerEndMessage["reason"];
}

/** A pause after which content that was arriving counts as ended (docs/facts.md, "An early FIN"). */
const PAUSE_MS = 300;
const TICK_MS = 50;

/**
 * Closes connections in stages, so that a refusal is not lost to a reset: half-close, read and discard, then go.
 *
 * One instance for each server. Neither its timer nor its sockets keep the process alive.
 *
 * @see RFC 9112 §9.6
 */
export class LingeringSockets {
  readonly #limits: LingerLimits;
  // A linked list: a Map keeps closed sockets alive until the next major garbage collection, because the tables that it
  // outgrows link to their successors.
  #oldest: Lingering | undefined;
  #youngest: Lingering | undefined;
  #size = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: LingerLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Takes over a socket whose final response is written.
   *
   * @param contentLeft - bytes of content that are still to come. The FIN goes out behind them, or when they pause. 0
   *   when the client holds its content back; `undefined` when unknown.
   */
  add(socket: Socket, contentLeft: number | undefined): void {
    if (socket.destroyed) return;
    while (this.#oldest && this.#size >= this.#limits.maxLingering) this.#endForNewer(this.#oldest);
    const now = performance.now();
    const entry: Lingering = {
      socket,
      older: this.#youngest,
      younger: undefined,
      isGone: false,
      since: now,
      until: now + this.#limits.lingerMs,
      bytes: 0,
      quietSince: now,
      contentLeft,
      hasSentFin: false,
      wasListening: isListening(socket),
      endedBy: "client",
    };
    if (this.#youngest) this.#youngest.younger = entry;
    else this.#oldest = entry;
    this.#youngest = entry;
    this.#size++;
    gauges().lingeringConnections++;
    this.#drain(entry);
    if (contentLeft === 0) sendFin(entry);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
  }

  #drain(entry: Lingering): void {
    const { socket } = entry;
    const count = (bytes: number) => {
      entry.bytes += bytes;
      entry.quietSince = performance.now();
      if (entry.contentLeft !== undefined && entry.bytes >= entry.contentLeft) sendFin(entry);
      return entry.bytes < this.#limits.lingerBytes;
    };
    detachParser(socket, () => {
      socket.on("data", ({ length }: Buffer) => {
        if (!count(length)) socket.pause();
      });
      if (entry.contentLeft !== 0) readIntoSink(socket, count);
    });
    // The parser goes on with what it has in hand, and Node answers some of that by itself: a request without Host.
    socket.write = writeNothing;
    socket.on("end", endBothWays);
    socket.on("close", () => this.#forget(entry));
    // A server accepts any Duplex as a connection.
    socket.setTimeout?.(0);
    socket.unref?.();
    restartReading(socket);
  }

  #tick(): void {
    const now = performance.now();
    for (let entry = this.#oldest; entry; entry = entry.younger) {
      const isServerClosed = entry.wasListening && !isListening(entry.socket);
      if (now >= entry.until || isServerClosed) {
        entry.endedBy = isServerClosed ? "server" : "time";
        entry.socket.destroy();
      } else if (now - entry.quietSince >= PAUSE_MS) sendFin(entry);
    }
  }

  #forget(entry: Lingering): void {
    if (entry.isGone) return;
    entry.isGone = true;
    const { older, younger } = entry;
    if (older) older.younger = younger;
    else this.#oldest = younger;
    if (younger) younger.older = older;
    else this.#youngest = older;
    entry.older = undefined;
    entry.younger = undefined;
    this.#size--;
    gauges().lingeringConnections--;
    if (lingerEndChannel.hasSubscribers) publishEnd(entry);
    if (this.#size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #endForNewer(oldest: Lingering): void {
    oldest.endedBy = "crowded";
    // Its `close` event comes later. Until then it would be chosen again.
    this.#forget(oldest);
    oldest.socket.destroy();
  }
}

function publishEnd({ socket, since, bytes, endedBy }: Lingering): void {
  const message: LingerEndMessage = {
    socket,
    durationMs: performance.now() - since,
    discardedBytes: bytes,
    reason: endedBy,
  };
  publish(lingerEndChannel, message);
}

function sendFin(entry: Lingering): void {
  if (entry.hasSentFin) return;
  entry.hasSentFin = true;
  entry.socket.end();
}

function endBothWays(this: Socket): void {
  if (this.writable) this.end();
  if (this.writableFinished) this.destroy();
  else this.once("finish", () => this.destroy());
}

function writeNothing(): boolean {
  return true;
}

// There is no event for "close() was called" before the last socket ends.
function isListening(socket: Socket): boolean {
  return acceptedBy<{ listening?: boolean }>(socket)?.listening === true;
}
