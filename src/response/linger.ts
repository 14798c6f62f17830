import type { Socket } from "node:net";
import { connectionOf, openConnection } from "../handshake/connection.js";
import { readIntoSink } from "../node/sink.js";
import { detachParser, restartReading, unsentBytes } from "../node/socket.js";
import { gauges, lingerEndChannel, publish } from "../observe/diagnostics.js";
import { type Linked, Row } from "../support/row.js";
import { Crowd } from "./crowd.js";

/** Bounds of a lingering close. */
export interface LingerLimits {
  /** How long a socket lingers at most, in milliseconds. */
  readonly lingerMs: number;
  /** How much of the refused content is read and thrown away at most, in bytes. */
  readonly lingerBytes: number;
  /** How many sockets of a server linger at the same time; of the address with the most, the oldest goes first. */
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
   * lingered. `"server"`: the server ended it, for example by `closeAllConnections()`.
   */
  readonly reason: "client" | "time" | "crowded" | "server";
}

/** One socket behind its last response: first that is sent, then what still comes is discarded. */
class Lingering implements Linked<Lingering> {
  before: Lingering | undefined;
  behind: Lingering | undefined;
  isGone = false;
  /** Whether the response is sent. */
  isDraining = false;
  readonly since: number;
  until: number;
  /** Bytes of the response that are not sent yet. */
  unsent: number = Number.POSITIVE_INFINITY;
  bytes = 0;
  quietSince: number;
  /** Bytes of content still to come; `undefined` when unknown. */
  contentLeft: number | undefined;
  hasSentFin = false;
  endedBy: LingerEndMessage["reason"] = "server";

  constructor(
    readonly socket: Socket,
    readonly owner: LingeringSockets,
    lingerMs: number,
    /** How long the client may take none of the response; `undefined` if `until` is not moved. */
    readonly patienceMs: number | undefined,
  ) {
    this.since = performance.now();
    this.until = this.since + (patienceMs ?? lingerMs);
    this.quietSince = this.since;
  }

  /** The socket has closed. */
  close(hadError: boolean): void {
    if (hadError && this.endedBy === "server") this.endedBy = "client";
    this.owner.forget(this);
  }
}

/** A pause after which content that was arriving counts as ended (docs/facts.md, "An early FIN"). */
const PAUSE_MS = 300;
const TICK_MS = 50;

function lingeringOf(socket: Socket): Lingering | undefined {
  return connectionOf(socket)?.lingering as Lingering | undefined;
}

/**
 * Closes connections in stages, so that a refusal is not lost to a reset: half-close, read and discard, then go.
 *
 * One instance for each server. Its sockets and its timer keep the process alive, for at most `lingerMs` after the last
 * response is sent.
 *
 * @see RFC 9112 §9.6
 */
export class LingeringSockets {
  readonly #limits: LingerLimits;
  // By age. A Map keeps closed sockets alive until the next major garbage collection, because the tables that it outgrows
  // link to their successors.
  readonly #sockets = new Row<Lingering>();
  #size = 0;
  #crowd: Crowd | undefined;
  /** Does not keep the process alive while nothing lingers. */
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: LingerLimits) {
    this.#limits = limits;
  }

  /** How many sockets linger, their response sent. */
  get size(): number {
    return this.#size;
  }

  /**
   * Begins the time of a socket whose last response has been written whole. Node does not always say when it has been
   * sent: after a reset over TLS there is no `finish`, and no `close`.
   *
   * @param patienceMs - how long the client may take none of the response, in milliseconds; without it, `lingerMs` for
   *   all of it.
   */
  expect(socket: Socket, patienceMs?: number): void {
    if (!socket.destroyed && !lingeringOf(socket)) this.#enter(socket, patienceMs);
  }

  /**
   * Takes over a socket whose last response has been sent.
   *
   * @param contentLeft - bytes of content that are still to come. The FIN goes out behind them, or when they pause. 0
   *   when the client holds its content back; `undefined` when unknown.
   */
  add(socket: Socket, contentLeft: number | undefined): void {
    if (socket.destroyed) return;
    const entry = lingeringOf(socket) ?? this.#enter(socket);
    if (entry.isDraining || entry.isGone) return;
    if (this.#size >= this.#limits.maxLingering) this.#makeRoom();
    entry.isDraining = true;
    entry.contentLeft = contentLeft;
    // A response that took long to send does not take the time of the drain.
    if (entry.patienceMs !== undefined) entry.until = performance.now() + this.#limits.lingerMs;
    this.#size++;
    this.#crowd?.add(socket);
    gauges().lingeringConnections++;
    this.#drain(entry);
    if (contentLeft === 0) sendFin(entry);
  }

  #enter(socket: Socket, patienceMs?: number): Lingering {
    const entry = new Lingering(socket, this, this.#limits.lingerMs, patienceMs);
    this.#sockets.push(entry);
    openConnection(socket).lingering = entry;
    // One timer for many sockets in a row: to make and clear one for each costs as much as the rest of this method.
    if (this.#timer) this.#timer.ref();
    else this.#timer = setInterval(() => this.#tick(), TICK_MS);
    return entry;
  }

  // Shared by all sockets: a closure for each would live until its client has gone, and be copied by collections.
  static readonly #onData = function (this: Socket, { length }: Buffer): void {
    const entry = lingeringOf(this);
    if (entry && !entry.owner.#count(entry, length)) this.pause();
  };

  /** Counts discarded bytes. @returns whether to read on. */
  #count(entry: Lingering, bytes: number): boolean {
    entry.bytes += bytes;
    entry.quietSince = performance.now();
    if (entry.contentLeft !== undefined && entry.bytes >= entry.contentLeft) sendFin(entry);
    return entry.bytes < this.#limits.lingerBytes;
  }

  #drain(entry: Lingering): void {
    const { socket } = entry;
    detachParser(socket, LingeringSockets.#onData);
    if (entry.contentLeft !== 0) readIntoSink(socket, (bytes) => this.#count(entry, bytes));
    // The parser goes on with what it has in hand, and Node answers some of that by itself: a request without Host.
    socket.write = writeNothing;
    socket.on("end", endLingering);
    // A server accepts any Duplex as a connection.
    socket.setTimeout?.(0);
    restartReading(socket);
  }

  #tick(): void {
    if (this.#sockets.length === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const now = performance.now();
    for (const entry of this.#sockets) {
      if (!entry.isDraining && entry.patienceMs !== undefined) extend(entry, entry.patienceMs, now);
      if (now >= entry.until) this.#end(entry, "time");
      else if (entry.isDraining && now - entry.quietSince >= PAUSE_MS) sendFin(entry);
    }
  }

  #makeRoom(): void {
    this.#crowd ??= new Crowd(this.#draining());
    const address = this.#crowd.largest();
    for (const entry of this.#sockets) {
      if (!entry.isDraining || entry.socket.remoteAddress !== address) continue;
      this.#end(entry, "crowded");
      return;
    }
  }

  *#draining(): Generator<Socket> {
    for (const { isDraining, socket } of this.#sockets) if (isDraining) yield socket;
  }

  // The `close` event comes later. Until then the entry must not be chosen again.
  #end(entry: Lingering, endedBy: LingerEndMessage["reason"]): void {
    entry.endedBy = endedBy;
    this.forget(entry);
    // Node would report the response as finished.
    if (!entry.isDraining) connectionOf(entry.socket)?.lingersFor?.loseResponse();
    entry.socket.destroy();
  }

  /** A socket is gone. */
  forget(entry: Lingering): void {
    if (entry.isGone) return;
    entry.isGone = true;
    this.#sockets.remove(entry);
    if (entry.isDraining) this.#leave(entry);
    if (this.#sockets.length === 0) this.#timer?.unref();
  }

  #leave(entry: Lingering): void {
    this.#size--;
    gauges().lingeringConnections--;
    this.#crowd?.remove(entry.socket);
    if (this.#size * 2 < this.#limits.maxLingering) this.#crowd = undefined;
    if (lingerEndChannel.hasSubscribers) publishEnd(entry);
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

// A client that still takes a long response gets the time for it.
function extend(entry: Lingering, patienceMs: number, now: number): void {
  const unsent = unsentBytes(entry.socket);
  if (unsent < entry.unsent) entry.until = now + patienceMs;
  entry.unsent = unsent;
}

function sendFin(entry: Lingering): void {
  if (entry.hasSentFin) return;
  entry.hasSentFin = true;
  entry.socket.end();
}

function endLingering(this: Socket): void {
  const entry = lingeringOf(this);
  if (entry?.endedBy === "server") entry.endedBy = "client";
  endBothWays(this);
}

function endBothWays(socket: Socket): void {
  if (socket.writable) socket.end();
  if (socket.writableFinished) socket.destroy();
  else socket.once("finish", () => socket.destroy());
}

function writeNothing(): boolean {
  return true;
}
