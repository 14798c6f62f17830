import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import { Server as TlsServer } from "node:tls";
import type { Exchange, Traffic } from "../handshake/exchange.js";
import type { Handshake } from "../handshake/handshake.js";
import { acceptedBy } from "../node/server.js";
import { type Linked, Row } from "../support/row.js";
import type { AttachableServer } from "./options.js";
import { refuseForDrain } from "./refusals.js";

/** A socket or session that is open. */
interface Open<H> extends Linked<Open<H>> {
  readonly holder: H;
}

/** What a server has under way: its uploads, its connections, and how far it is in closing. */
export class ServerTraffic implements Traffic {
  // Rows, because a Map or a Set keeps closed sockets in memory until the next major garbage collection.
  readonly uploads: Row<Exchange> = new Row();
  /** Connections that carry HTTP. On a server with TLS, those whose TLS handshake is done. */
  readonly sockets: Row<Open<Socket>> = new Row();
  /** The connections beneath, on a server with TLS. */
  readonly rawSockets: Row<Open<Socket>> = new Row();
  readonly sessions: Row<Open<ServerHttp2Session>> = new Row();
  isLeaving = false;
  /** Whether new uploads are refused. */
  isRefusing = false;
  /** How many uploads were refused because the server is about to close. */
  refused = 0;
  readonly #hasTls: boolean;

  constructor(server: AttachableServer) {
    this.#hasTls = server instanceof TlsServer;
  }

  /** A connection has begun. */
  addSocket(event: "connection" | "secureConnection", socket: Socket): void {
    watch(event === "connection" && this.#hasTls ? this.rawSockets : this.sockets, socket);
  }

  /** An HTTP/2 session has begun. */
  addSession(session: ServerHttp2Session): void {
    watch(this.sessions, session);
  }

  /** Refuses an upload, because the server is about to close. */
  refuse(handshake: Handshake): void {
    this.refused++;
    refuseForDrain(handshake);
  }
}

function watch<H extends { once(event: "close", listener: () => void): unknown }>(row: Row<Open<H>>, holder: H): void {
  const entry: Open<H> = { holder, before: undefined, behind: undefined };
  row.push(entry);
  holder.once("close", () => row.remove(entry));
}

const TRAFFIC = Symbol.for("express-expectations:traffic:1");

type Carrier = AttachableServer & { [TRAFFIC]?: ServerTraffic };

/** Returns the traffic of a server, made if it has none. */
export function openTraffic(server: AttachableServer): ServerTraffic {
  const carrier = server as Carrier;
  carrier[TRAFFIC] ??= new ServerTraffic(server);
  return carrier[TRAFFIC];
}

/** Counts an upload among those of the server that accepted its connection. */
export function enterTraffic(handshake: Handshake): void {
  const { stream, socket } = handshake;
  const traffic = acceptedBy<Carrier>(stream ? stream.session : socket)?.[TRAFFIC];
  if (!traffic) return;
  handshake.traffic = traffic;
  traffic.uploads.push(handshake);
}

/** The response of an upload is done. */
export function leaveTraffic(handshake: Handshake): void {
  handshake.traffic?.uploads.remove(handshake);
}
