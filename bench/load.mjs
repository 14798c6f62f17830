// The load generator: a process of its own, on raw sockets, that really waits for the 100 before it sends a body.
// Gets jobs from run.mjs by IPC, one at a time: { job: "get" | "refuse", port, ms, connections }.
import { once } from "node:events";
import { connect } from "node:net";

/** What a client declares, and would send after a 100. */
const DECLARED_BYTES = 100 * 2 ** 20;
/** How long a client waits for a 100 or a final status before it sends its body all the same, as curl does. */
const PATIENCE_MS = 1_000;

const GET = "GET /hello HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n";
const UPLOAD = `PUT /files HTTP/1.1\r\nHost: bench\r\nExpect: 100-continue\r\nContent-Type: image/png\r\nContent-Length: ${DECLARED_BYTES}\r\n\r\n`;

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

/** Uploads that are to be refused, each on a connection of its own, for a given time. */
async function refuse({ port, ms, connections }) {
  const latencies = [];
  const statuses = {};
  let bodyBytes = 0;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (performance.now() - startedAt < ms) {
        const upload = await refusedUpload(port);
        latencies.push(upload.ms);
        bodyBytes += upload.bodyBytes;
        statuses[upload.status] = (statuses[upload.status] ?? 0) + 1;
      }
    }),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  latencies.sort((a, b) => a - b);
  return {
    perSecond: latencies.length / seconds,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    statuses,
    bodyBytes,
  };
}

// From the connection on to the final status. The body goes out after a 100, or when patience ends.
async function refusedUpload(port) {
  const startedAt = performance.now();
  const socket = await open(port);
  let bodyBytes = 0;
  let isOver = false;
  const sendBody = () => {
    const piece = Buffer.alloc(64 * 1024, "x");
    const write = () => {
      while (!isOver && socket.writable && bodyBytes < DECLARED_BYTES) {
        bodyBytes += piece.length;
        if (!socket.write(piece)) break;
      }
    };
    socket.on("drain", write);
    write();
  };
  const patience = setTimeout(sendBody, PATIENCE_MS);
  const status = await new Promise((resolve) => {
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      if (!text.includes("\r\n\r\n")) return;
      if (text.startsWith("HTTP/1.1 100 ")) {
        text = text.slice(text.indexOf("\r\n\r\n") + 4);
        clearTimeout(patience);
        sendBody();
      } else resolve(Number(text.slice(9, 12)));
    });
    socket.on("close", () => resolve(0));
    socket.write(UPLOAD);
  });
  const ms = performance.now() - startedAt;
  isOver = true;
  clearTimeout(patience);
  socket.destroy();
  return { status, ms, bodyBytes };
}

async function open(port) {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

function quantile(sorted, q) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
}

const JOBS = { get, refuse };

process.on("message", async ({ job, ...options }) => process.send(await JOBS[job](options)));
process.on("disconnect", () => process.exit(0));
