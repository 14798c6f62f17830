import type { Http2Session, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import { type Linked, Row } from "../support/row.js";

/** How long a client has at most to read a response before its stream is reset, in milliseconds. */
const RESET_DELAY_MS = 1_000;
const TICK_MS = 250;
const MOST_UNDER_WAY = 2;

/** A stream whose response is written. */
interface Lingering extends Linked<Lingering> {
  readonly close: () => void;
  readonly owner: LingeringStreams;
  readonly until: number;
  isGone: boolean;
}

interface Ping {
  /** Responses that were written between the last PING and this one. */
  readonly behind: Lingering[];
  /** Those of the last PING, which was acknowledged shortly before. */
  readonly carried: Lingering[];
}

interface Session {
  /** Responses that were written behind the last PING. */
  waiting: Lingering[];
  /** PINGs that are not acknowledged. */
  readonly underWay: Set<Ping>;
  /** Whether a PING is about to be sent. */
  isDue: boolean;
}

const LINGERING = Symbol("lingering");
const SESSION = Symbol("session");

type StreamCarrier = ServerHttp2Stream & { [LINGERING]?: Lingering };
type SessionCarrier = Http2Session & { [SESSION]?: Session };

/**
 * Closes streams whose response is written when their client has seen it: at the acknowledgement of a PING that was sent
 * behind the response. At the latest after about a second.
 *
 * The first PING leaves with its response, so that a client that leaves after it is known to have read it. Behind it, the
 * responses of one turn share one. No more than two are under way for each session, however many streams wait.
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

  /** A stream that waits already is left as it is. @param close - closes the stream. */
  add(stream: ServerHttp2Stream, close: () => void): void {
    const { session } = stream;
    if (stream.destroyed || !session || (stream as StreamCarrier)[LINGERING]?.isGone === false) return;
    while (this.#streams.first && this.#streams.length >= this.maxLingering) end(this.#streams.first);
    const until = performance.now() + RESET_DELAY_MS;
    const entry: Lingering = { close, owner: this, until, isGone: false, before: undefined, behind: undefined };
    this.#streams.push(entry);
    (stream as StreamCarrier)[LINGERING] = entry;
    stream.on("close", forgetStream);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
    const state = stateOf(session);
    state.waiting.push(entry);
    if (state.underWay.size === 0) ping(session, state);
    else if (!state.isDue) {
      state.isDue = true;
      setImmediate(pingNext, session, state);
    }
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
  carrier[SESSION] ??= { waiting: [], underWay: new Set(), isDue: false };
  return carrier[SESSION];
}

function pingNext(session: Http2Session, state: Session): void {
  state.isDue = false;
  if (state.underWay.size < MOST_UNDER_WAY) ping(session, state);
}

function ping(session: Http2Session, state: Session): void {
  if (state.waiting.length === 0 || session.destroyed) return;
  const sent: Ping = { behind: state.waiting, carried: [] };
  state.waiting = [];
  try {
    // A PING that was cancelled says nothing: the time runs on.
    const isSent = (session as ServerHttp2Session).ping((error) => acknowledge(session, state, sent, !error));
    if (isSent) state.underWay.add(sent);
  } catch {
    // The session is closing. The time runs on.
  }
}

function acknowledge(session: Http2Session, state: Session, sent: Ping, isSeen: boolean): void {
  state.underWay.delete(sent);
  const [next] = state.underWay;
  if (isSeen) for (const entry of sent.carried) end(entry);
  // Streams of one read that close together are repeated together: their client's next requests come in one read, too.
  if (isSeen && next) next.carried.push(...sent.behind);
  else if (isSeen) for (const entry of sent.behind) end(entry);
  if (!state.isDue) ping(session, state);
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
