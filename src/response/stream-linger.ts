import type { Http2Session, ServerHttp2Session, ServerHttp2Stream } from "node:http2";

/** How long a client has at most to read a response before its stream is reset, in milliseconds. */
const RESET_DELAY_MS = 1_000;

interface Lingering {
  readonly stream: ServerHttp2Stream;
  readonly close: () => void;
  timer: NodeJS.Timeout | undefined;
}

interface Session {
  /** Responses that were written behind the PING that is under way. */
  waiting: Lingering[];
  isPinging: boolean;
}

/**
 * Closes streams whose response is written when their client has seen it: at the acknowledgement of a PING that was sent
 * behind the response. At the latest after a second.
 *
 * One PING is under way for each session, however many streams wait.
 *
 * @see RFC 9113 §6.7 (PING), §8.1 (an early response)
 */
export class LingeringStreams {
  readonly #streams = new Set<Lingering>();
  readonly #sessions = new WeakMap<Http2Session, Session>();

  /** @param maxLingering - how many streams wait at the same time; the oldest is closed first. */
  constructor(readonly maxLingering: number) {}

  get size(): number {
    return this.#streams.size;
  }

  /** @param close - closes the stream. */
  add(stream: ServerHttp2Stream, close: () => void): void {
    const { session } = stream;
    if (stream.destroyed || !session) return;
    for (const oldest of this.#streams) {
      if (this.#streams.size < this.maxLingering) break;
      this.#end(oldest);
    }
    const entry: Lingering = { stream, close, timer: undefined };
    entry.timer = setTimeout(() => this.#end(entry), RESET_DELAY_MS).unref();
    this.#streams.add(entry);
    stream.once("close", () => this.#forget(entry));
    const state = this.#stateOf(session);
    state.waiting.push(entry);
    if (!state.isPinging) this.#ping(session, state);
  }

  #stateOf(session: Http2Session): Session {
    let state = this.#sessions.get(session);
    if (!state) {
      state = { waiting: [], isPinging: false };
      this.#sessions.set(session, state);
    }
    return state;
  }

  #ping(session: Http2Session, state: Session): void {
    const seen = state.waiting;
    state.waiting = [];
    const acknowledged = (error: Error | null) => {
      state.isPinging = false;
      // A PING that was cancelled says nothing: the timers are left.
      if (!error) for (const entry of seen) this.#end(entry);
      if (state.waiting.length > 0 && !session.destroyed) this.#ping(session, state);
    };
    try {
      state.isPinging = (session as ServerHttp2Session).ping(acknowledged);
    } catch {
      // The session is closing. The timers are left.
      state.isPinging = false;
    }
  }

  #end(entry: Lingering): void {
    if (!this.#streams.has(entry)) return;
    this.#forget(entry);
    entry.close();
  }

  #forget(entry: Lingering): void {
    clearTimeout(entry.timer);
    this.#streams.delete(entry);
  }
}
