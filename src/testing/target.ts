import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import * as tls from "node:tls";
import { connect } from "../probe/wire/connect.js";
import { attach } from "../server/attach.js";
import type { AttachableServer, AttachOptions } from "../server/options.js";
import { optionError } from "../support/errors.js";
import { Http1Line } from "./http1.js";
import { Http2Line } from "./http2.js";
import type { Line } from "./line.js";

/** An application of Express or Connect, or any function `(req, res)`. */
export type HandshakeApplication = (req: never, res: never, next?: never) => unknown;

/** What a test talks to: an application, a server that may listen already, or the URL of one that runs elsewhere. */
export type HandshakeTarget = HandshakeApplication | AttachableServer | string | URL;

/** Options of {@link handshake}; all are optional. */
export interface HandshakeOptions {
  /** Options for `attach`, which an application's server gets. A server that is passed is left as it is. */
  attach?: AttachOptions;
  /** Default: HTTP/2 for a server of `node:http2`, HTTP/1.1 for everything else. */
  protocol?: "HTTP/1.1" | "HTTP/2";
  /** How long a request may take, in milliseconds of real time. Default 4,000. */
  deadlineMs?: number;
}

/** A target that runs. */
export interface Running {
  /** Opens a connection to it. Certificates are not checked. */
  connect(timeoutMs: number): Promise<Line>;
  /** Ends it, if it was started for this. */
  close(): Promise<void>;
}

/** Starts a target, unless it runs. */
export async function run(target: HandshakeTarget, options: HandshakeOptions): Promise<Running> {
  if (typeof target === "string" || target instanceof URL) {
    return running(requireUrl(target), options.protocol === "HTTP/2", async () => {});
  }
  const server = typeof target === "function" ? serverFor(target, options) : requireServer(target);
  const close = await listen(server);
  const isHttp2 = (options.protocol ?? (isHttp1Server(server) ? "HTTP/1.1" : "HTTP/2")) === "HTTP/2";
  return running(urlOf(server), isHttp2, close);
}

function running(url: URL, isHttp2: boolean, close: () => Promise<void>): Running {
  return {
    async connect(timeoutMs) {
      const socket = await connect({ timeoutMs, isInsecure: true }, url, [isHttp2 ? "h2" : "http/1.1"]);
      return isHttp2 ? new Http2Line(socket, url) : new Http1Line(socket, url.host);
    },
    close,
  };
}

function serverFor(
  application: HandshakeApplication,
  { attach: options, protocol }: HandshakeOptions,
): AttachableServer {
  const server =
    protocol === "HTTP/2"
      ? http2.createServer(application as () => void)
      : http.createServer(application as http.RequestListener);
  return attach(server, options);
}

/** Servers that were started for tests, and how many use them at present. The last user ends a server. */
const started = new Map<AttachableServer, { count: number; readonly listening: Promise<unknown> }>();

/** Makes a server listen, unless it does. Returns a function that undoes it. */
async function listen(server: AttachableServer): Promise<() => Promise<void>> {
  const known = started.get(server);
  if (server.listening && !known) return async () => {};
  const use = known ?? { count: 0, listening: once(server.listen(0, "127.0.0.1"), "listening") };
  started.set(server, use);
  use.count++;
  const release = () => {
    if (--use.count === 0) started.delete(server);
    return use.count === 0;
  };
  await use.listening.catch((error) => {
    release();
    throw error;
  });
  return async () => {
    if (!release()) return;
    const closed = once(server, "close");
    server.close();
    // Connections that the application has opened to itself.
    if ("closeAllConnections" in server) server.closeAllConnections();
    await closed;
  };
}

function urlOf(server: AttachableServer): URL {
  const { address, port } = server.address() as AddressInfo;
  const host =
    address === "::" || address === "0.0.0.0" ? "127.0.0.1" : address.includes(":") ? `[${address}]` : address;
  return new URL(`${server instanceof tls.Server ? "https" : "http"}://${host}:${port}`);
}

function isHttp1Server(server: AttachableServer): boolean {
  return server instanceof http.Server || server instanceof https.Server;
}

function requireUrl(target: string | URL): URL {
  const url = URL.canParse(String(target)) ? new URL(target) : undefined;
  if (url && /^https?:$/.test(url.protocol)) return url;
  throw optionError("handshake(target)", target, "an http: or https: URL");
}

function requireServer(target: AttachableServer): AttachableServer {
  const { listen: start, address } = (target ?? {}) as Partial<AttachableServer>;
  if (typeof start === "function" && typeof address === "function") return target;
  throw optionError("handshake(target)", target, "an application, a server or a URL");
}
