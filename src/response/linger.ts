import type { Socket } from "node:net";
import { readIntoSink } from "../node/sink.js";
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

/** A refused connection is gone: what `express-expectations:linger-end` tells. */
export interface LingerEndMessage {
  readonly socket: Socket;
  /** How long it lingered, in milliseconds. */
  readonly durationMs: number;
  /** Refused content that was read and thrown away, in bytes. */
  readonly discardedBytes: number;
  /**
   * `"client"`: it had ended its side; `"time"`: `lingerMs` was over; `"crowded"`: more than `maxLingering` lingered;
   * `"server"`: the server was closed.
   */
  readonly reason: "client" | "time" | "crowded" | "server";
}

interface Lingering {
  readonly socket: Socket;
  /** Its neighbours by age; none once it is gone, so that nothing dead holds on to what came later. */
  older: Lingering | undefined;
  younger: Lingering | undefined;
  isGone: boolean;
  readonly since: number;
  readonly until: number;
  bytes: number;
  quietSince: number;
  /** Bytes of content still to come; `undefined` where nobody knows. */
  readonly contentLeft: number | undefined;
  hasSentFin: boolean;
  readonly wasListening: boolean;
  endedBy: LingerEndMessage["reason"];
}

/** A pause after which content that was arriving counts as ended (FACTS: some clients give up at an early FIN). */
const PAUSE_MS = 300;
const TICK_MS = 50;

/**
 * Closes connections in stages, so that a refusal is not lost to a reset: half-close, read and discard, then go.
 *
 * One instance per server. Neither its timer nor its sockets keep a process alive.
 *
 * @see RFC 9112 §9.6
 */
export class LingeringSockets {
  readonly #limits: LingerLimits;
  // A list and no Map: the tables that a Map outgrows link to their successors, and one of them that V8 has moved to its
  // old generation keeps all of these, and their sockets, until a major collection.
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
   * @param contentLeft - bytes of content that are still to come: the FIN goes out behind them, or when they pause; 0
   *   where the client holds its content back; `undefined` where nobody knows.
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

  // The parser lets go of the socket when somebody else listens for `data`, and its own listeners would parse
  // what is discarded here, or answer it with a second status.
  #drain(entry: Lingering): void {
    const { socket } = entry;
    const parsers = socket.listeners("data") as Listener[];
    const count = (bytes: number) => {
      entry.bytes += bytes;
      entry.quietSince = performance.now();
      if (entry.contentLeft !== undefined && entry.bytes >= entry.contentLeft) sendFin(entry);
      return entry.bytes < this.#limits.lingerBytes;
    };
    socket.on("data", ({ length }: Buffer) => {
      if (!count(length)) socket.pause();
    });
    if (entry.contentLeft !== 0) readIntoSink(socket, count);
    for (const parse of parsers) socket.off("data", parse);
    // What the parser has in hand it goes on with, and Node answers some of it by itself: a request without Host.
    socket.write = writeNothing;
    // One by one: `removeAllListeners()` would cost more than all the rest of this.
    for (const listener of socket.listeners("end") as Listener[]) socket.off("end", listener);
    socket.on("end", endBothWays);
    socket.on("close", () => this.#forget(entry));
    // A server takes any Duplex for a connection.
    socket.setTimeout?.(0);
    socket.unref?.();
    socket.resume();
    // `resume()` alone reads nothing where the parser had paused the handle beneath the stream: the stream still
    // takes itself for reading. `_read` is what starts the handle (wire test "drains what a paused parser left").
    socket._read(0);
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
    if (lingerEndChannel.hasSubscribers) tellEnd(entry);
    if (this.#size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #endForNewer(oldest: Lingering): void {
    oldest.endedBy = "crowded";
    // Its `close` comes later: until then it would be the oldest once more.
    this.#forget(oldest);
    oldest.socket.destroy();
  }
}

function tellEnd({ socket, since, bytes, endedBy }: Lingering): void {
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

type Listener = (...args: unknown[]) => void;

function endBothWays(this: Socket): void {
  if (this.writable) this.end();
  if (this.writableFinished) this.destroy();
  else this.once("finish", () => this.destroy());
}

function writeNothing(): boolean {
  return true;
}

// Node hangs the server on each of its sockets; there is no event for "close() was called" before the last one ends.
function isListening(socket: Socket): boolean {
  return (socket as { server?: { listening?: boolean } }).server?.listening === true;
}
