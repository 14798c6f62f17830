import type { Http2Session, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import { type Linked, Row } from "../support/row.js";

/** How long a client has at most to read a response before its stream is reset, in milliseconds. */
const RESET_DELAY_MS = 1_000;
const TICK_MS = 250;

/** A stream whose response is written. */
interface Lingering extends Linked<Lingering> {
  readonly close: () => void;
  readonly owner: LingeringStreams;
  readonly until: number;
  isGone: boolean;
}

interface Session {
  /** Responses that were written behind the last PING. */
  waiting: Lingering[];
  /** Whether a PING is under way, or about to be sent. */
  isPinging: boolean;
}

const LINGERING = Symbol("lingering");
const SESSION = Symbol("session");

type StreamCarrier = ServerHttp2Stream & { [LINGERING]?: Lingering };
type SessionCarrier = Http2Session & { [SESSION]?: Session };

/**
 * Closes streams whose response is written when their client has seen it: at the acknowledgement of a PING that was sent
 * behind the response. At the latest after about a second.
 *
 * One PING is under way for each session, however many streams wait.
 *
 * @see RFC 9113 §6.7 (PING), §8.1 (an early response)
 */
export class LingeringStreams {
  // By age. A Set keeps closed streams alive until the next major garbage collection, because the tables that it outgrows
  // link to their successors.
  readonly #streams = new Row<Lingering>();
  /** One for all streams. It does not keep the process alive. */
  #timer: NodeJS.Timeout | undefined;

  /** @param maxLingering - how many streams wait at the same time; the oldest is closed first. */
  constructor(readonly maxLingering: number) {}

  get size(): number {
    return this.#streams.length;
  }

  /** @param close - closes the stream. */
  add(stream: ServerHttp2Stream, close: () => void): void {
    const { session } = stream;
    if (stream.destroyed || !session) return;
    while (this.#streams.first && this.#streams.length >= this.maxLingering) end(this.#streams.first);
    const until = performance.now() + RESET_DELAY_MS;
    const entry: Lingering = { close, owner: this, until, isGone: false, before: undefined, behind: undefined };
    this.#streams.push(entry);
    (stream as StreamCarrier)[LINGERING] = entry;
    stream.on("close", forgetStream);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
    const state = stateOf(session);
    state.waiting.push(entry);
    if (state.isPinging) return;
    state.isPinging = true;
    // Later, so that the responses to all requests of one read share it.
    setImmediate(ping, session, state);
  }

  #tick(): void {
    const now = performance.now();
    for (const entry of this.#streams) if (now >= entry.until) end(entry);
    if (this.#streams.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** A stream has closed, or is about to be closed. */
  forget(entry: Lingering): void {
    entry.isGone = true;
    this.#streams.remove(entry);
  }
}

function stateOf(session: Http2Session): Session {
  const carrier = session as SessionCarrier;
  carrier[SESSION] ??= { waiting: [], isPinging: false };
  return carrier[SESSION];
}

function ping(session: Http2Session, state: Session): void {
  const seen = state.waiting;
  state.waiting = [];
  const acknowledged = (error: Error | null) => {
    state.isPinging = false;
    // A PING that was cancelled says nothing: the time runs on.
    if (!error) for (const entry of seen) end(entry);
    if (state.waiting.length > 0 && !session.destroyed) ping(session, state);
  };
  try {
    state.isPinging = (session as ServerHttp2Session).ping(acknowledged);
  } catch {
    // The session is closing. The time runs on.
    state.isPinging = false;
  }
}

function end(entry: Lingering): void {
  if (entry.isGone) return;
  entry.owner.forget(entry);
  entry.close();
}

// Shared by all streams.
function forgetStream(this: ServerHttp2Stream): void {
  const entry = (this as StreamCarrier)[LINGERING];
  if (entry && !entry.isGone) entry.owner.forget(entry);
}
