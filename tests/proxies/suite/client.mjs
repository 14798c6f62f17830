// Clients of the proxies: one on a raw socket, and the real curl.
import { execFile } from "node:child_process";
import { once } from "node:events";
import * as net from "node:net";
import * as tls from "node:tls";

const DEADLINE_MS = 4_000;
const PIECE = 64 * 1024;

/** One connection that sends literal bytes and reads responses; a wait that takes too long ends with `false`. */
export class Connection {
  #bytes = Buffer.alloc(0);
  #wake = () => {};
  #isForward;
  #requests = 0;
  hasEnded = false;
  error = undefined;

  /** @param isForward - whether requests carry the whole URL of the origin, as to a forward proxy. */
  static async open({ port, isTls, forwardTo }) {
    const connection = new Connection();
    connection.#isForward = forwardTo;
    const address = { port, host: "127.0.0.1", allowHalfOpen: true };
    const socket = isTls ? tls.connect({ ...address, rejectUnauthorized: false }) : net.connect(address);
    connection.socket = socket;
    socket.on("data", (chunk) => {
      connection.#bytes = Buffer.concat([connection.#bytes, chunk]);
      connection.#wake();
    });
    for (const event of ["end", "close", "error", "drain"]) {
      socket.on(event, (error) => {
        if (event !== "drain") connection.hasEnded = true;
        if (event === "error") connection.error = error.code;
        connection.#wake();
      });
    }
    await once(socket, isTls ? "secureConnect" : "connect");
    socket.setNoDelay(true);
    return connection;
  }

  get responses() {
    return parseResponses(this.#bytes.toString("latin1"), this.hasEnded);
  }

  /** The answer to the last request, when it is whole. */
  get final() {
    return this.responses.filter(({ status, isComplete }) => status >= 200 && isComplete)[this.#requests - 1];
  }

  get continues() {
    return this.responses.filter(({ status }) => status === 100).length;
  }

  /** Whether it came true: before the deadline, and before the connection ended. */
  async until(isTrue, deadlineMs = DEADLINE_MS) {
    const deadline = performance.now() + deadlineMs;
    while (!isTrue()) {
      const left = deadline - performance.now();
      if (this.hasEnded || left <= 0) return false;
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return true;
  }

  request(method, path, fields) {
    this.#requests++;
    const target = this.#isForward === undefined ? path : `http://127.0.0.1:${this.#isForward}${path}`;
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
    this.socket.write(`${method} ${target} HTTP/1.1\r\nHost: proxied.example\r\n${lines.join("")}\r\n`);
  }

  /** Sends content until it is all sent or `isEnough`; answers how much it sent. */
  async push(content, isEnough = () => this.final !== undefined) {
    let sent = 0;
    while (sent < content.length && !isEnough() && !this.hasEnded && this.socket.writable) {
      const piece = content.subarray(sent, sent + PIECE);
      sent += piece.length;
      const hasRoom = this.socket.write(piece);
      if (hasRoom) await new Promise(setImmediate);
      else await this.until(() => !this.socket.writableNeedDrain || isEnough());
      if (this.socket.writableNeedDrain) break;
    }
    return sent;
  }

  close() {
    this.socket.destroy();
  }
}

/** Reads what came back as HTTP/1.1 responses to requests other than HEAD. */
function parseResponses(text, hasEnded) {
  const responses = [];
  let rest = text;
  for (;;) {
    const headEnd = rest.indexOf("\r\n\r\n");
    if (headEnd < 0) return responses;
    const [statusLine, ...lines] = rest.slice(0, headEnd).split("\r\n");
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1] ?? 0);
    const fields = new Map(lines.map((line) => [line.split(":", 1)[0].toLowerCase(), line.replace(/^[^:]*:\s*/, "")]));
    rest = rest.slice(headEnd + 4);
    const { body, length, isComplete } = readBody(rest, status, fields, hasEnded);
    const closes = statusLine.startsWith("HTTP/1.0") || /\bclose\b/i.test(fields.get("connection") ?? "");
    responses.push({ status, fields, closes, body, isComplete });
    if (!isComplete || status === 0) return responses;
    rest = rest.slice(length);
  }
}

function readBody(rest, status, fields, hasEnded) {
  if (status < 200 || status === 204) return { body: "", length: 0, isComplete: true };
  if (fields.get("transfer-encoding") === "chunked") return readChunks(rest);
  const length = Number(fields.get("content-length") ?? Number.POSITIVE_INFINITY);
  if (length === Number.POSITIVE_INFINITY) return { body: rest, length: rest.length, isComplete: hasEnded };
  return { body: rest.slice(0, length), length, isComplete: rest.length >= length };
}

function readChunks(rest) {
  let body = "";
  let at = 0;
  for (;;) {
    const lineEnd = rest.indexOf("\r\n", at);
    const size = lineEnd < 0 ? Number.NaN : Number.parseInt(rest.slice(at, lineEnd), 16);
    if (Number.isNaN(size) || rest.length < lineEnd + 4 + size) return { body, length: 0, isComplete: false };
    body += rest.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 4 + size;
    if (size === 0) return { body, length: at, isComplete: true };
  }
}

/** Uploads a file with curl; answers the final status (0: none) and how many bytes of the file it sent. */
export function curl({ port, isTls, forwardTo }, path, file, fields) {
  const args = ["-sSk", "--http1.1", "--max-time", "10", "-o", "/dev/null", "-w", "%{http_code} %{size_upload}"];
  for (const field of fields) args.push("-H", field);
  const url =
    forwardTo === undefined ? `${isTls ? "https" : "http"}://127.0.0.1:${port}` : `http://127.0.0.1:${forwardTo}`;
  if (forwardTo === undefined) args.push("--noproxy", "*");
  else args.push("--noproxy", "", "--proxy", `http://127.0.0.1:${port}`);
  return new Promise((resolve) => {
    execFile("curl", [...args, "-T", file, `${url}${path}`], { timeout: 15_000 }, (_error, stdout) => {
      const [status = 0, sent = 0] = stdout.split(" ").map(Number);
      resolve({ status, sent });
    });
  });
}
