import { execFile } from "node:child_process";
import { once } from "node:events";
import type * as http from "node:http";
import * as http2 from "node:http2";
import * as net from "node:net";
import * as path from "node:path";
import * as tls from "node:tls";
import { promisify } from "node:util";
import { afterEach, describe, expect, test } from "@jest/globals";
import { expectations, type LingerEndMessage, refuse, silent, type UploadEnd } from "../../src/index.js";
import { lingerEndChannel } from "../../src/observe/diagnostics.js";
import {
  closeServers,
  countConnections,
  type Handler,
  HTTP1_KINDS,
  isTlsKind,
  startAttached,
} from "../helpers/servers.js";
import { until } from "../helpers/until.js";
import { keptEnds } from "../helpers/verdict.js";
import { WireClient } from "../helpers/wire.js";
import { transpiled } from "../redis/processes.js";

// How a connection behind its last response comes to its end, on ways on which Node does not say that it was sent.

afterEach(closeServers);

const MIB = 2 ** 20;
const HEAD = "PUT /files HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";

function guarded(body: Buffer | undefined) {
  const ends: UploadEnd[] = [];
  const guard = expectations({
    logger: silent,
    policies: [
      async (_req, { onClose }) => {
        onClose((end) => ends.push(end));
        return refuse(403, body === undefined ? {} : { body });
      },
    ],
  }) as Handler;
  return { guard, ends };
}

describe.each(HTTP1_KINDS)("%s", (kind) => {
  test("a client that takes nothing of a large refusal is gone after lingerMs, and policies are told", async () => {
    const { guard, ends } = guarded(Buffer.alloc(64 * MIB));
    const running = await startAttached(kind, { use: [guard] }, { logger: silent, lingerMs: 300 });
    const wire = await WireClient.connect(running.port, { tls: isTlsKind(kind) });
    wire.socket.pause();
    wire.send(HEAD);
    await until("the policy is told", () => ends.length > 0);
    expect(ends).toEqual([{ status: undefined, isRefused: true, isWhole: false }]);
    await until("the connection is gone", async () => (await countConnections(running.server)) === 0);
  });

  test("a client that resets its connection behind a late refusal leaves nothing", async () => {
    const { guard, ends } = guarded(undefined);
    const running = await startAttached(kind, { use: [guard] }, { logger: silent, lingerMs: 300 });
    for (let i = 0; i < 20; i++) await sendAndReset(running.port, isTlsKind(kind));
    await until("the policies are told", () => ends.length === 20);
    await until("all connections are gone", async () => (await countConnections(running.server)) === 0);
  });
});

test.each(HTTP1_KINDS)("%s: a refusal on a socket that has been ended already has a deadline, too", async (kind) => {
  const { ends, policy } = keptEnds();
  const guard = expectations({
    logger: silent,
    policies: [policy],
  }) as Handler;
  const files: Handler = (req) => {
    req.on("data", () => {}).on("error", () => {});
    req.socket.end();
  };
  const options = { logger: silent, lingerMs: 300, bodyTimeoutMs: 100 };
  const running = await startAttached(kind, { use: [guard], routes: { "/files": files } }, options);
  const socket = net.connect({ port: running.port, host: "127.0.0.1", allowHalfOpen: true });
  const client = isTlsKind(kind) ? tls.connect({ socket, rejectUnauthorized: false }) : socket;
  client.on("error", () => {}).resume();
  client.write(HEAD);
  await until("the policy is told", () => ends.length > 0);
  await until("the connection is gone", async () => (await countConnections(running.server)) === 0);
  socket.destroy();
});

test("a client that resets its HTTP/2 session over TLS while the server writes leaves nothing", async () => {
  const { ends, policy } = keptEnds();
  const guard = expectations({
    logger: silent,
    policies: [policy],
  }) as Handler;
  const answer: Handler = (_req, res) => void res.end("early");
  const options = { logger: silent, bodyTimeoutMs: 300 };
  const running = await startAttached("h2", { use: [guard], routes: { "/files": answer } }, options);
  let asked = 0;
  running.server.on("stream", () => asked++);
  for (let i = 1; i <= 20; i++) {
    const socket = net.connect({ port: running.port, host: "127.0.0.1" });
    socket.on("error", () => {});
    const secure = tls.connect({ socket, rejectUnauthorized: false, ALPNProtocols: ["h2"] });
    secure.on("error", () => {});
    await once(secure, "secureConnect");
    const session = http2.connect("https://test", { createConnection: () => secure });
    session.on("error", () => {});
    const stream = session.request({ ":method": "PUT", ":path": "/files" }, { endStream: false });
    stream.on("error", () => {});
    // More than the window of the stream.
    stream.write("x".repeat(75_000));
    await until("the request is there", () => asked === i);
    socket.resetAndDestroy();
  }
  await until("the policies are told", () => ends.length === 20);
  await until("all connections are gone", async () => (await countConnections(running.server)) === 0);
});

// What the client has sent when it resets. Bare Node 24 keeps some sessions behind nothing for ever.
const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS = "\0\0\0\x04\0\0\0\0\0";
test.each(["", PREFACE, PREFACE + SETTINGS])(
  "a client that resets its HTTP/2 session over TLS behind %j, before a request, leaves nothing",
  async (sent) => {
    const running = await startAttached("h2", {}, { logger: silent, bodyTimeoutMs: 300 });
    const sessions: http2.Http2Session[] = [];
    running.server.on("session", (session: http2.Http2Session) => sessions.push(session));
    for (let i = 0; i < 40; i++) {
      const socket = net.connect({ port: running.port, host: "127.0.0.1" });
      socket.on("error", () => {});
      const secure = tls.connect({ socket, rejectUnauthorized: false, ALPNProtocols: ["h2"] });
      secure.on("error", () => {});
      await once(secure, "secureConnect");
      if (sent !== "") secure.write(sent);
      if (i % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
      socket.resetAndDestroy();
    }
    await until("all connections are gone", async () => (await countConnections(running.server)) === 0);
    await until("all sessions are gone", () => sessions.every(({ destroyed }) => destroyed));
  },
);

/** Resets the connection as soon as the request is out. */
async function sendAndReset(port: number, isTls: boolean): Promise<void> {
  const socket = net.connect({ port, host: "127.0.0.1" });
  socket.on("error", () => {});
  await once(socket, "connect");
  const client = isTls ? tls.connect({ socket, rejectUnauthorized: false }) : socket;
  client.on("error", () => {});
  if (isTls) await once(client, "secureConnect");
  await new Promise<void>((resolve) => client.write(HEAD, () => resolve()));
  await new Promise((resolve) => setImmediate(resolve));
  socket.resetAndDestroy();
}

test("a client that slowly takes a long response has the time for it, however short lingerMs is", async () => {
  const body = Buffer.alloc(32 * MIB);
  const answer: Handler = (_req, res) => void res.end(body);
  const { port } = await startAttached(
    "node:http",
    { routes: { "/files": answer } },
    { logger: silent, lingerMs: 250 },
  );
  const socket = net.connect({ port, host: "127.0.0.1" });
  socket.on("error", () => {});
  // More content than Node would keep a connection for.
  socket.write("PUT /files HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\n");
  let received = 0;
  socket.on("data", (piece) => {
    received += piece.length;
    socket.pause();
    // Some 100 pieces: several times as long as lingerMs.
    setTimeout(() => socket.resume(), received < 8 * MIB ? 10 : 0);
  });
  await once(socket, "end");
  expect(received).toBeGreaterThan(body.length);
  socket.destroy();
});

describe("more than maxLingering", () => {
  test("connections of one address push out their own, not those of another", async () => {
    const { guard } = guarded(undefined);
    const { port, server } = await startAttached(
      "node:http",
      { use: [guard] },
      { logger: silent, lingerMs: 60_000, maxLingering: 4 },
    );
    const kept = new Set<string>();
    server.on("connection", (socket: net.Socket) => {
      const name = `${socket.remoteAddress}:${socket.remotePort}`;
      kept.add(name);
      socket.on("close", () => kept.delete(name));
    });
    const honest = await from("127.0.0.1", port);
    const crowd: net.Socket[] = [];
    for (let i = 0; i < 20; i++) crowd.push(await from("127.0.0.2", port));
    await until("the others are ended", () => kept.size <= 4);
    const nameOf = ({ localAddress, localPort }: net.Socket) => `${localAddress}:${localPort}`;
    expect([...kept]).toEqual([honest, ...crowd.slice(-3)].map(nameOf));
    for (const socket of [honest, ...crowd]) socket.destroy();
  });

  // Its refusal has come when this returns.
  async function from(localAddress: string, port: number): Promise<net.Socket> {
    const socket = net.connect({ port, host: "127.0.0.1", localAddress, allowHalfOpen: true });
    socket.on("error", () => {});
    socket.write(HEAD);
    await once(socket, "data");
    socket.resume();
    return socket;
  }
});

test("closeAllConnections() is told as the server's doing", async () => {
  const reasons: string[] = [];
  const own = new Set<net.Socket>();
  const note = (message: unknown) => {
    const { socket, reason } = message as LingerEndMessage;
    if (own.has(socket)) reasons.push(reason);
  };
  lingerEndChannel.subscribe(note);
  try {
    const { guard } = guarded(undefined);
    const running = await startAttached("node:http", { use: [guard] }, { logger: silent, lingerMs: 60_000 });
    running.server.on("connection", (socket: net.Socket) => own.add(socket));
    const wire = await WireClient.connect(running.port);
    wire.send(HEAD);
    await wire.fin();
    (running.server as http.Server).closeAllConnections();
    await until("it is told", () => reasons.length > 0);
    expect(reasons).toEqual(["server"]);
  } finally {
    lingerEndChannel.unsubscribe(note);
  }
});

test("a process that closes its server behind a refusal lives until the client has it, and close() calls back", async () => {
  const folder = transpiled(path.join(__dirname, "linger-child.mjs"));
  const { stdout } = await promisify(execFile)(process.execPath, [path.join(folder, "linger-child.mjs")], {
    timeout: 15_000,
  });
  expect(JSON.parse(stdout)).toEqual({ status: 413, isClosed: true });
});
