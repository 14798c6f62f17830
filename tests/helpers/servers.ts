import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import connect from "connect";
import express from "express";
import express4 from "express4";
import { type AttachableServer, type AttachOptions, attach, type Logger } from "../../src/index.js";
import { TEST_CERT, TEST_KEY } from "./certificate.js";

/** Handlers in the shape that all kinds of application understand. */
export type Handler = (req: http.IncomingMessage, res: http.ServerResponse, next: (error?: unknown) => void) => void;

/** What an application is made of: middlewares for all requests, handlers by path (any method). */
export interface AppParts {
  readonly use?: readonly Handler[];
  readonly routes?: Readonly<Record<string, Handler | readonly Handler[]>>;
}

type Listener = (req: http.IncomingMessage, res: http.ServerResponse) => void;

const TLS = { key: TEST_KEY, cert: TEST_CERT };

function routesOf(parts: AppParts): [string, readonly Handler[]][] {
  return Object.entries(parts.routes ?? {}).map(([path, handlers]) => [path, [handlers].flat() as Handler[]]);
}

/** An application without a framework: runs the handlers in order, 404 at the end, 500 on an error. */
export function plainApp(parts: AppParts): Listener {
  return (req, res) => {
    const path = (req.url ?? "").split("?", 1)[0] ?? "";
    const chain = [...(parts.use ?? []), ...(routesOf(parts).find(([route]) => route === path)?.[1] ?? [])];
    const step = (i: number, error?: unknown): void => {
      const handler = chain[i];
      if (error !== undefined || !handler) {
        res.statusCode = error === undefined ? 404 : 500;
        res.end(error === undefined ? "not found" : "error");
        return;
      }
      try {
        handler(req, res, (failed) => step(i + 1, failed));
      } catch (thrown) {
        step(i, thrown);
      }
    };
    step(0);
  };
}

function connectApp(parts: AppParts): Listener {
  const app = connect();
  for (const handler of parts.use ?? []) app.use(handler as connect.NextHandleFunction);
  for (const [path, handlers] of routesOf(parts)) {
    for (const handler of handlers) app.use(path, handler as connect.NextHandleFunction);
  }
  return app;
}

function expressApp(make: typeof express, parts: AppParts): Listener {
  const app = make();
  app.set("env", "test");
  // A field set before a nested array is passed to writeHead() makes Node throw.
  app.disable("x-powered-by");
  for (const handler of parts.use ?? []) app.use(handler as express.RequestHandler);
  for (const [path, handlers] of routesOf(parts)) app.all(path, ...(handlers as unknown as express.RequestHandler[]));
  return app;
}

/** Kinds of server whose clients speak HTTP/1.1 on a raw socket. */
export const HTTP1_KINDS = [
  "node:http",
  "node:https",
  "http2 allowHTTP1",
  "Connect",
  "Express 4",
  "Express 5",
] as const;
export type Http1Kind = (typeof HTTP1_KINDS)[number];

/** Kinds of server whose clients speak HTTP/2. */
export const HTTP2_KINDS = ["h2c", "h2", "h2c Connect"] as const;
export type Http2Kind = (typeof HTTP2_KINDS)[number];

export type ServerKind = Http1Kind | Http2Kind;

/** Makes a server of a kind around an application; not yet listening. */
export function makeServer(kind: ServerKind, parts: AppParts): AttachableServer {
  switch (kind) {
    case "node:http":
      return http.createServer(plainApp(parts));
    case "node:https":
      return https.createServer(TLS, plainApp(parts));
    case "http2 allowHTTP1":
      return http2.createSecureServer({ ...TLS, allowHTTP1: true }, plainApp(parts) as never);
    case "Connect":
      return http.createServer(connectApp(parts));
    case "Express 4":
      return http.createServer(expressApp(express4, parts));
    case "Express 5":
      return http.createServer(expressApp(express, parts));
    case "h2c":
      return http2.createServer(plainApp(parts) as never);
    case "h2":
      return http2.createSecureServer(TLS, plainApp(parts) as never);
    case "h2c Connect":
      return http2.createServer(connectApp(parts) as never);
  }
}

export interface RunningServer {
  readonly server: AttachableServer;
  readonly port: number;
  readonly isTls: boolean;
  close(): Promise<void>;
}

const running = new Set<RunningServer>();

/** Starts a server on a free loopback port; closed by {@link closeServers}. */
export async function listen(server: AttachableServer, isTls = false): Promise<RunningServer> {
  const sockets = new Set<{ destroy(): void }>();
  for (const event of ["connection", "secureConnection"]) {
    server.on(event, (socket: { destroy(): void; once(event: string, f: () => void): void }) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    });
  }
  // Longer than any test waits: a connection that is kept by mistake must not end by itself.
  (server as { keepAliveTimeout?: number }).keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const started: RunningServer = {
    server,
    isTls,
    port: (server.address() as AddressInfo).port,
    async close() {
      running.delete(started);
      for (const socket of sockets) socket.destroy();
      if (server.listening) {
        const closed = once(server, "close");
        server.close();
        for (const socket of sockets) socket.destroy();
        await closed;
      }
    },
  };
  running.add(started);
  return started;
}

/** Starts an attached server of a kind. */
export async function startAttached(
  kind: ServerKind,
  parts: AppParts,
  options: AttachOptions = {},
): Promise<RunningServer> {
  return listen(attach(makeServer(kind, parts), options), isTlsKind(kind));
}

/** Starts a server of a kind that nobody attached. */
export async function start(kind: ServerKind, parts: AppParts): Promise<RunningServer> {
  return listen(makeServer(kind, parts), isTlsKind(kind));
}

export function isTlsKind(kind: ServerKind): boolean {
  return kind === "node:https" || kind === "h2" || kind === "http2 allowHTTP1";
}

/** For `afterEach`. */
export async function closeServers(): Promise<void> {
  await Promise.all([...running].map((server) => server.close()));
}

/** A logger that keeps what it is told. */
export function recordingLogger(): Logger & {
  readonly records: { level: string; message: string; details: Record<string, unknown> }[];
} {
  const records: { level: string; message: string; details: Record<string, unknown> }[] = [];
  const write = (level: string) => (details: object, message: string) =>
    void records.push({ level, message, details: details as Record<string, unknown> });
  return { records, warn: write("warn"), error: write("error") };
}

/** Reads the whole content and answers 201 with its length. */
export const store: Handler = (req, res) => {
  let length = 0;
  req.on("data", (chunk: Buffer) => {
    length += chunk.length;
  });
  req.on("end", () => {
    res.statusCode = 201;
    res.end(`stored ${length}`);
  });
};

/** Answers at once and reads nothing. */
export const next: Handler = (_req, res) => {
  res.end("next");
};

/** How many connections a server has. */
export function countConnections(server: unknown): Promise<number> {
  return new Promise((resolve, reject) => {
    (server as http.Server).getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}
