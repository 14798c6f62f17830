import type { Server as HttpServer } from "node:http";
import { Server as NetServer, type Socket } from "node:net";
import { connectionOf } from "../handshake/connection.js";
import { currentHandshake, type Handshake } from "../handshake/handshake.js";
import { socketOf } from "../node/session.js";
import type { AttachableServer } from "./options.js";
import { refuseByServer } from "./refusals.js";
import type { ServerTraffic } from "./traffic.js";

/** How a server is closed; see the options of `drain`. */
export interface DepartureSettings {
  readonly announceMs: number;
  readonly timeoutMs: number;
  readonly keepListening: boolean;
}

/** What became of a server's traffic. */
export interface Departed {
  readonly refused: number;
  readonly cut: number;
}

const TICK_MS = 50;
/** How long the clients of uploads that are ended have to take their 503, in milliseconds. */
const GOODBYE_MS = 5_000;

/** Closes a server in stages: announces it, refuses new uploads, stops listening, and ends what is left in the end. */
export class Departure {
  readonly #begunAt = performance.now();
  readonly #refusedBefore: number;
  #isListening = true;
  #hasStopped = false;
  #hasEndedAll = false;
  #cut = 0;
  #timer: NodeJS.Timeout | undefined;
  #resolve: ((departed: Departed) => void) | undefined;

  constructor(
    readonly server: AttachableServer,
    readonly traffic: ServerTraffic,
    readonly settings: DepartureSettings,
  ) {
    this.#refusedBefore = traffic.refused;
  }

  /** Runs all stages, until the server has closed. */
  run(): Promise<Departed> {
    this.traffic.isLeaving = true;
    this.server.on("close", this.#end);
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#tick();
    });
  }

  readonly #end = (): void => {
    const { server, traffic } = this;
    clearInterval(this.#timer);
    server.off("close", this.#end);
    // A server may listen again.
    traffic.isLeaving = false;
    traffic.isRefusing = false;
    this.#resolve?.({ refused: traffic.refused - this.#refusedBefore, cut: this.#cut });
  };

  // Looks at everything again and again: most of what it waits for has no event, and a server departs once.
  #tick(): void {
    const { traffic, settings } = this;
    const passedMs = performance.now() - this.#begunAt;
    const isOver = passedMs >= settings.timeoutMs;
    if (!settings.keepListening && this.#isListening) this.#stopListening();
    if (passedMs < settings.announceMs && !isOver) return;
    if (!traffic.isRefusing) this.#refuse();
    if (!this.#hasStopped && (isOver || !this.#isListening || !hasUploads(traffic))) this.#stop();
    if (this.#hasStopped) this.#closeIdle();
    if (isOver && !this.#hasEndedAll) this.#endAll();
    if (passedMs >= settings.timeoutMs + GOODBYE_MS) this.#destroyAll();
  }

  // A session that begins later gets a 503 for its uploads, and a GOAWAY when the server stops.
  #refuse(): void {
    this.traffic.isRefusing = true;
    this.#endSessions();
  }

  // Sends a GOAWAY with the last request that counts. A client may repeat those behind it (RFC 9113 §6.8). One GOAWAY
  // alone, because Node ignores requests behind any (docs/facts.md, "Requests that cross a GOAWAY").
  #endSessions(): void {
    for (const { holder } of this.traffic.sessions) holder.close();
  }

  // The server's own `close()` would also end connections that have just begun, and with them the uploads that are on their
  // way.
  #stopListening(): void {
    if (!this.server.listening) return;
    this.#isListening = false;
    NetServer.prototype.close.call(this.server);
  }

  #stop(): void {
    this.#hasStopped = true;
    const { server } = this;
    if (server.listening || !this.#isListening) {
      server.close();
      return;
    }
    // A server that was closed before emits `close` with its last connection, and not again.
    server.getConnections((_error, count) => {
      if (!(count > 0)) this.#end();
    });
  }

  // Node leaves connections that become idle after `close()`, and before Node 26 those that have not sent a byte
  // (docs/facts.md, "When a server stops listening").
  #closeIdle(): void {
    this.#endSessions();
    (this.server as Partial<HttpServer>).closeIdleConnections?.();
    const { sockets, rawSockets } = this.traffic;
    const secured = new Set<string>();
    for (const { holder } of sockets) {
      if (holder.bytesRead === 0) holder.destroy();
      else secured.add(peerOf(holder));
    }
    // Those whose TLS handshake is not done: Node waits 120 seconds for it.
    for (const { holder } of rawSockets) if (!secured.has(peerOf(holder))) holder.destroy();
  }

  #endAll(): void {
    this.#hasEndedAll = true;
    const told = new Set<Socket | undefined>();
    for (const { req } of [...this.traffic.uploads]) {
      const upload = currentHandshake(req);
      if (upload && refuseInTheEnd(upload)) told.add(socketBeneath(upload));
    }
    for (const { holder } of this.traffic.sockets) {
      if (holder.destroyed) continue;
      const isTold = told.has(holder);
      if (isTold || !connectionOf(holder)?.lingering) this.#cut++;
      if (!isTold && !connectionOf(holder)?.lingering) holder.destroy();
    }
  }

  #destroyAll(): void {
    const { sockets, rawSockets } = this.traffic;
    for (const row of [sockets, rawSockets]) for (const { holder } of row) holder.destroy();
    // Connections that began before the server was attached.
    (this.server as Partial<HttpServer>).closeAllConnections?.();
  }
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** @returns whether the client gets the refusal: its connection stays until then. */
function refuseInTheEnd(upload: Handshake): boolean {
  if (upload.refusal || upload.isAnswered || upload.isGone) return false;
  upload.shareResponse();
  refuseByServer(upload, 503, "drain", "the server is shutting down, and the time for uploads under way is over");
  return true;
}

function socketBeneath({ stream, socket }: Handshake): Socket | undefined {
  if (!stream) return socket;
  return stream.session && socketOf(stream.session);
}

// A refusal that its client takes slowly must not keep the server listening.
function hasUploads({ uploads }: ServerTraffic): boolean {
  for (const { req } of uploads) if (currentHandshake(req)?.refusal === undefined) return true;
  return false;
}
