import type { Http2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { PreparedLogger } from "../observe/logger.js";
import type { Rate } from "./body-clock.js";

/** One request's part in the watch of its HTTP/2 session. */
export interface SessionWatch {
  /** The request is over. Called once. */
  leave(): void;
}

/** The settings and shared state of the server that a request came in on. */
export interface ServerContext {
  /** Closes refused connections and streams in stages. */
  readonly lingering: {
    /** The last response of a socket is written, and has to be sent in time. */
    expect(socket: Socket, patienceMs?: number): void;
    /** @param contentLeft - bytes of content still to come; `undefined` when unknown. */
    add(socket: Socket, contentLeft: number | undefined): void;
    /** @param close - closes the stream, when its client has seen the response. */
    addStream(stream: ServerHttp2Stream, close: () => void): void;
    /** Ends the session if its client takes nothing any more. */
    watchSession(session: Http2Session): SessionWatch;
  };
  readonly bodyTimeoutMs: number;
  /** How fast the content of accepted uploads has to come. */
  readonly bodyRate: Rate;
  readonly logger: PreparedLogger;
  /** Whether an expectation that nobody accepted is ignored. */
  readonly ignoresUnknown: boolean;
  /** Whether the server refuses expectations that no name covers, before any guard sees them. */
  readonly refusesUnknownAtOnce: boolean;
  /** Names of the expectations that guards decide. */
  readonly names: ReadonlySet<string>;
}
