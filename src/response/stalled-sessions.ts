import type { Http2Session } from "node:http2";
import type { SessionWatch } from "../handshake/context.js";
import { socketOf } from "../node/session.js";
import { unsentBytes } from "../node/socket.js";

class Watched implements SessionWatch {
  /** Requests of the session that are not over. */
  open = 0;
  unsent = 0;
  received = 0;
  since: number = performance.now();

  constructor(readonly session: Http2Session) {}

  leave(): void {
    this.open--;
  }
}

const MAX_TICK_MS = 1_000;

/**
 * Ends HTTP/2 sessions whose client is gone, and of which Node does not say so.
 *
 * A client that resets its connection over TLS while the server writes is lost on Node 20 to 24: the write fails, the
 * error is not reported, and the session stays for ever with its streams and their `onClose` callbacks (docs/facts.md,
 * "A reset over TLS during a write"). A session that has bytes to send, and neither sends nor receives any for
 * `patienceMs`, is ended.
 */
export class StalledSessions {
  readonly #watched = new Map<Http2Session, Watched>();
  #timer: NodeJS.Timeout | undefined;

  constructor(readonly patienceMs: number) {}

  /**
   * Watches a session while one of its requests is open, and until what it has to send is sent.
   *
   * The caller leaves the watch when that request is over.
   */
  watch(session: Http2Session): SessionWatch {
    const entry = this.#watched.get(session) ?? this.#enter(session);
    entry.open++;
    return entry;
  }

  #enter(session: Http2Session): Watched {
    const entry = new Watched(session);
    this.#watched.set(session, entry);
    this.#timer ??= setInterval(() => this.#tick(), Math.min(MAX_TICK_MS, this.patienceMs / 4)).unref();
    return entry;
  }

  #tick(): void {
    const now = performance.now();
    for (const entry of this.#watched.values()) {
      const { session } = entry;
      if (session.destroyed) {
        this.#forget(entry);
        continue;
      }
      const unsent = unsentBytes(session.socket);
      const received = session.socket.bytesRead;
      if (unsent === 0 || unsent !== entry.unsent || received !== entry.received) entry.since = now;
      entry.unsent = unsent;
      entry.received = received;
      if (now - entry.since >= this.patienceMs) socketOf(session).destroy();
      else if (unsent === 0 && entry.open === 0) this.#forget(entry);
    }
  }

  #forget(entry: Watched): void {
    this.#watched.delete(entry.session);
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
