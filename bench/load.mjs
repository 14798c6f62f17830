// The load generator: a process of its own, on raw sockets, that really waits for the 100 before it sends a body.
// Gets jobs from run.mjs by IPC, one at a time: { job, port, ms, connections, … }.
import { once } from "node:events";
import * as http2 from "node:http2";
import { connect } from "node:net";
import * as tls from "node:tls";

/** What a client declares, and would send after a 100. */
const DECLARED_BYTES = 100 * 2 ** 20;
/** What a client that does not wait sends. */
const PUSHED_BYTES = 16 * 2 ** 20;
/** How long a client waits for a 100 or a final status before it sends its body all the same, as curl does. */
const PATIENCE_MS = 1_000;

const GET = "GET /hello HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n";

const pools = new Map();

/** Keep-alive GETs, one under way on each connection, for a given time; the connections stay for the next slot. */
async function get({ port, ms, connections }) {
  if (!pools.has(port)) pools.set(port, await openPool(port, connections));
  const pool = pools.get(port);
  const startedAt = performance.now();
  const answered = await Promise.all(pool.map((client) => client.getUntil(startedAt + ms)));
  const requests = answered.reduce((sum, number) => sum + number, 0);
  return { requests, ms: performance.now() - startedAt };
}

async function openPool(port, connections) {
  const length = await lengthOfOne(port);
  return Promise.all(Array.from({ length: connections }, async () => new GetClient(await open(port), length)));
}

/** Ends the connections that were kept for the next slot. */
async function close() {
  for (const pool of pools.values()) for (const client of pool) client.destroy();
  pools.clear();
  return {};
}

class GetClient {
  #socket;
  #onAnswer = () => {};

  constructor(socket, length) {
    this.#socket = socket;
    let bytes = 0;
    socket.on("data", (chunk) => {
      bytes += chunk.length;
      if (bytes < length) return;
      bytes = 0;
      this.#onAnswer();
    });
    socket.on("close", () => {
      throw new Error("the server closed a connection that is kept alive");
    });
  }

  destroy() {
    this.#socket.removeAllListeners("close");
    this.#socket.destroy();
  }

  getUntil(deadline) {
    let answered = 0;
    return new Promise((resolve) => {
      this.#onAnswer = () => {
        answered++;
        if (performance.now() < deadline) this.#socket.write(GET);
        else resolve(answered);
      };
      this.#socket.write(GET);
    });
  }
}

// All responses are of the same length: counting bytes is enough.
async function lengthOfOne(port) {
  const socket = await open(port);
  socket.write(GET);
  const [chunk] = await once(socket, "data");
  socket.destroy();
  const text = chunk.toString("latin1");
  const headEnd = text.indexOf("\r\n\r\n");
  const length = headEnd + 4 + Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1]);
  if (!text.startsWith("HTTP/1.1 200 ") || chunk.length !== length) throw new Error(`not one response: ${text}`);
  return length;
}

/** Runs `one` again and again on so many connections, for a given time, and sums up. */
async function repeat({ ms, connections }, one) {
  const latencies = [];
  const statuses = {};
  let bodyBytes = 0;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: connections }, async (_, i) => {
      while (performance.now() - startedAt < ms) {
        const upload = await one(i);
        latencies.push(upload.ms);
        bodyBytes += upload.bodyBytes;
        statuses[upload.status] = (statuses[upload.status] ?? 0) + 1;
      }
    }),
  );
  const elapsedMs = performance.now() - startedAt;
  latencies.sort((a, b) => a - b);
  return {
    count: latencies.length,
    ms: elapsedMs,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    statuses,
    bodyBytes,
  };
}

/** Uploads of a declared 100 MiB that are to be refused, each on a connection of its own. */
const refuse = (job) => repeat(job, () => upload(job.port, DECLARED_BYTES, { ...job, expects: true }));

/** Uploads that are refused for another reason than their size. */
const refuseLate = (job) => repeat(job, () => upload(job.port, 1024, { expects: true, path: "/late" }));

/** The same without `Expect`: 16 MiB that are sent without waiting, until a response is there. */
const push = (job) => repeat(job, () => upload(job.port, PUSHED_BYTES, { expects: false }));

/** Uploads with `Expect` that are to be accepted, each on a connection of its own. */
const acceptFresh = (job) => repeat(job, () => upload(job.port, job.bytes, { expects: true }));

/** The same on connections that are kept alive; without `Expect` where `pushes` says so. */
async function accept(job) {
  const clients = await Promise.all(
    Array.from({ length: job.connections }, () => UploadClient.connect(job.port, job.isTls)),
  );
  try {
    return await repeat(job, (i) => clients[i].upload(job.bytes, job.pushes !== true));
  } finally {
    for (const client of clients) client.destroy();
  }
}

const SMALL_UPLOADS = 200;

/** 200 small uploads one after the other, answered before they are read: how many connections they took. */
async function small({ port }) {
  const text = `${headOf("/early", 100, false)}${"x".repeat(100)}`;
  let connections = 0;
  let client;
  for (let i = 0; i < SMALL_UPLOADS; i++) {
    if (!client?.isOpen) {
      connections++;
      client = await UploadClient.connect(port);
    }
    const status = await client.exchange(text);
    if (status !== 201) throw new Error(`a small upload: ${status} instead of 201`);
    // A server that ends the connection does so behind the answer.
    await new Promise(setImmediate);
  }
  client.destroy();
  return { connections };
}

/** Streams of one session, so many at a time. */
async function http2Streams(job, fields, bytes) {
  const session = http2.connect(`http://127.0.0.1:${job.port}`);
  session.setMaxListeners(0);
  await once(session, "connect");
  try {
    return await repeat(job, () => stream(session, fields, bytes));
  } finally {
    session.destroy();
  }
}

// From the request on to the end of the stream.
function stream(session, fields, bytes) {
  const startedAt = performance.now();
  const request = session.request(fields, { endStream: false });
  let status = 0;
  let bodyBytes = 0;
  request.on("response", (head) => {
    status = head[":status"];
  });
  request.on("continue", () => {
    bodyBytes = bytes;
    request.end(Buffer.alloc(bytes, "x"));
  });
  request.on("error", () => {});
  request.resume();
  return new Promise((resolve) => {
    request.on("close", () => resolve({ status, ms: performance.now() - startedAt, bodyBytes }));
  });
}

const put = (bytes) => ({ ":method": "PUT", ":path": "/files", "content-length": bytes, expect: "100-continue" });
const refuseHttp2 = (job) => http2Streams(job, put(DECLARED_BYTES), 0);
const acceptHttp2 = (job) => http2Streams(job, put(job.bytes), job.bytes);

const held = [];

/** Opens so many connections that send a head with `Expect` and wait; `release` ends them. */
async function hold({ port, connections }) {
  const head = headOf("/pending", 1024, true);
  for (let i = 0; i < connections; i += 200) {
    const some = await Promise.all(Array.from({ length: Math.min(200, connections - i) }, () => open(port)));
    for (const socket of some) socket.write(head);
    held.push(...some);
  }
  return { count: held.length };
}

async function release() {
  for (const socket of held.splice(0)) socket.destroy();
  return {};
}

/** How a form begins whose one field is a file, for those that take nothing else. */
const FORM = Buffer.from(
  '--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\nContent-Type: image/png\r\n\r\n',
);

function headOf(path, bytes, expects, isForm = false) {
  const type = isForm ? "multipart/form-data; boundary=b" : "image/png";
  return `PUT ${path} HTTP/1.1\r\nHost: bench\r\n${expects ? "Expect: 100-continue\r\n" : ""}Content-Type: ${type}\r\nContent-Length: ${bytes}\r\n\r\n`;
}

const PIECE = Buffer.alloc(64 * 1024, "x");

// Sends a body in pieces, as fast as the socket takes them, until it is whole or somebody says stop.
function bodySender(socket, bytes, isForm = false) {
  let sent = 0;
  let isOver = false;
  const write = () => {
    while (!isOver && socket.writable && sent < bytes) {
      const piece = bytes - sent < PIECE.length ? PIECE.subarray(0, bytes - sent) : PIECE;
      sent += piece.length;
      if (!socket.write(piece)) break;
    }
  };
  return {
    start() {
      socket.on("drain", write);
      if (isForm) {
        sent += FORM.length;
        socket.write(FORM);
      }
      write();
    },
    stop() {
      isOver = true;
      socket.off("drain", write);
      // What the kernel has not taken did not leave this process.
      return Math.max(0, sent - socket.writableLength);
    },
  };
}

// From the connection on to the final status. The body goes out after a 100, when patience ends, or at once.
async function upload(port, bytes, { expects, isForm, isTls, path = "/files" }) {
  const startedAt = performance.now();
  const socket = await open(port, isTls);
  const body = bodySender(socket, bytes, isForm);
  const patience = expects ? setTimeout(body.start, PATIENCE_MS) : undefined;
  const status = await new Promise((resolve) => {
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      if (text.startsWith("HTTP/1.1 100 ") && text.includes("\r\n\r\n")) {
        text = text.slice(text.indexOf("\r\n\r\n") + 4);
        clearTimeout(patience);
        body.start();
      }
      if (text.includes("\r\n\r\n")) resolve(Number(text.slice(9, 12)));
    });
    socket.on("close", () => resolve(0));
    socket.write(headOf(path, bytes, expects, isForm));
    if (!expects) body.start();
  });
  clearTimeout(patience);
  const bodyBytes = body.stop();
  socket.destroy();
  return { status, ms: performance.now() - startedAt, bodyBytes };
}

class UploadClient {
  #socket;
  #text = "";
  #onText = () => {};

  static async connect(port, isTls) {
    return new UploadClient(await open(port, isTls));
  }

  /** Whether the server has left the connection open. */
  get isOpen() {
    return !this.#socket.destroyed && !this.#socket.readableEnded;
  }

  /** Sends a whole request. @returns the final status; 0 if the connection closes instead. */
  exchange(text) {
    const answer = this.#final();
    this.#socket.write(text);
    return answer;
  }

  #final(onContinue) {
    if (!this.isOpen) throw new Error("the server closed a connection that should be kept alive");
    return new Promise((resolve) => {
      this.#onText = () => {
        if (this.#text.startsWith("HTTP/1.1 100 ")) {
          const end = this.#text.indexOf("\r\n\r\n");
          if (end < 0) return;
          this.#text = this.#text.slice(end + 4);
          onContinue?.();
        }
        const final = /^HTTP\/1\.1 (\d+) .*?\r\n\r\n/s.exec(this.#text);
        if (final) this.#text = "";
        if (final || this.#socket.destroyed) resolve(Number(final?.[1] ?? 0));
      };
    });
  }

  constructor(socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => {
      this.#text += chunk.toString("latin1");
      this.#onText();
    });
    socket.on("close", () => this.#onText());
  }

  async upload(bytes, expects) {
    const startedAt = performance.now();
    const body = bodySender(this.#socket, bytes);
    const answer = this.#final(body.start);
    this.#socket.write(headOf("/files", bytes, expects));
    if (!expects) body.start();
    const status = await answer;
    return { status, ms: performance.now() - startedAt, bodyBytes: body.stop() };
  }

  destroy() {
    this.#onText = () => {};
    this.#socket.destroy();
  }
}

async function open(port, isTls = false) {
  const raw = connect({ port, host: "127.0.0.1", noDelay: true });
  const socket = isTls ? tls.connect({ socket: raw, rejectUnauthorized: false }) : raw;
  socket.on("error", () => {});
  await once(socket, isTls ? "secureConnect" : "connect");
  return socket;
}

function quantile(sorted, q) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
}

const JOBS = {
  get,
  close,
  refuse,
  refuseLate,
  push,
  accept,
  acceptFresh,
  small,
  refuseHttp2,
  acceptHttp2,
  hold,
  release,
};

process.on("message", async ({ job, ...options }) => process.send(await JOBS[job](options)));
process.on("disconnect", () => process.exit(0));
