import type { Socket } from "node:net";
import { gauges, lingerEndChannel, publish } from "./diagnostics.js";

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
  readonly #sockets = new Map<Socket, Lingering>();
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: LingerLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#sockets.size;
  }

  has(socket: Socket): boolean {
    return this.#sockets.has(socket);
  }

  /**
   * Takes over a socket whose final response is written.
   *
   * @param contentLeft - bytes of content that are still to come: the FIN goes out behind them, or when they pause; 0
   *   where the client holds its content back; `undefined` where nobody knows.
   */
  add(socket: Socket, contentLeft: number | undefined): void {
    if (socket.destroyed || this.#sockets.has(socket)) return;
    while (this.#sockets.size >= this.#limits.maxLingering) this.#endOldest();
    const now = performance.now();
    const entry: Lingering = {
      since: now,
      until: now + this.#limits.lingerMs,
      bytes: 0,
      quietSince: now,
      contentLeft,
      hasSentFin: false,
      wasListening: isListening(socket),
      endedBy: "client",
    };
    this.#sockets.set(socket, entry);
    gauges().lingeringConnections++;
    this.#drain(socket, entry);
    if (contentLeft === 0) sendFin(socket, entry);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
  }

  // The parser lets go of the socket when somebody else listens for `data`, and its own listeners would parse
  // what is discarded here, or answer it with a second status.
  #drain(socket: Socket, entry: Lingering): void {
    const parsers = socket.listeners("data") as Listener[];
    socket.on("data", (chunk: Buffer) => {
      entry.bytes += chunk.length;
      entry.quietSince = performance.now();
      if (entry.contentLeft !== undefined && entry.bytes >= entry.contentLeft) sendFin(socket, entry);
      if (entry.bytes >= this.#limits.lingerBytes) socket.pause();
    });
    for (const parse of parsers) socket.off("data", parse);
    // What the parser has in hand it goes on with, and Node answers some of it by itself: a request without Host.
    socket.write = writeNothing;
    // One by one: `removeAllListeners()` would cost more than all the rest of this.
    for (const listener of socket.listeners("end") as Listener[]) socket.off("end", listener);
    socket.on("end", endBothWays);
    socket.on("close", () => this.#forget(socket));
    socket.setTimeout(0);
    socket.unref?.();
    socket.resume();
    // `resume()` alone reads nothing where the parser had paused the handle beneath the stream: the stream still
    // takes itself for reading. `_read` is what starts the handle (wire test "drains what a paused parser left").
    socket._read(0);
  }

  #tick(): void {
    const now = performance.now();
    for (const [socket, entry] of this.#sockets) {
      const isServerClosed = entry.wasListening && !isListening(socket);
      if (now >= entry.until || isServerClosed) {
        entry.endedBy = isServerClosed ? "server" : "time";
        socket.destroy();
      } else if (now - entry.quietSince >= PAUSE_MS) sendFin(socket, entry);
    }
  }

  #forget(socket: Socket): void {
    const entry = this.#sockets.get(socket);
    if (!entry) return;
    this.#sockets.delete(socket);
    gauges().lingeringConnections--;
    if (lingerEndChannel.hasSubscribers) tellEnd(socket, entry);
    if (this.#sockets.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #endOldest(): void {
    for (const [oldest, entry] of this.#sockets) {
      entry.endedBy = "crowded";
      // Its `close` comes later: until then it would be the oldest once more.
      this.#forget(oldest);
      oldest.destroy();
      return;
    }
  }
}

function tellEnd(socket: Socket, { since, bytes, endedBy }: Lingering): void {
  const message: LingerEndMessage = {
    socket,
    durationMs: performance.now() - since,
    discardedBytes: bytes,
    reason: endedBy,
  };
  publish(lingerEndChannel, message);
}

function sendFin(socket: Socket, entry: Lingering): void {
  if (entry.hasSentFin) return;
  entry.hasSentFin = true;
  socket.end();
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
