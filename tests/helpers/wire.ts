import { once } from "node:events";
import * as net from "node:net";
import * as tls from "node:tls";
import { deadline } from "./deadline.js";

/** One response as it stood on the wire. */
export interface WireResponse {
  readonly status: number;
  /** Names in lower case; lines of the same name joined with ", ". */
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly isComplete: boolean;
}

/** The head of an upload of five bytes that waits for its 100. */
export const UPLOAD = "PUT /files HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
/** The head of one that does not wait. */
export const PLAIN = "PUT /files HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\n";
/** The head of one of unknown length. */
export const CHUNKED = "PUT /files HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n";

const DEADLINE_MS = 8_000;

/** A client on a raw socket: sends literal bytes, keeps all that comes back. Every wait has a deadline that fails. */
export class WireClient {
  bytes: Buffer = Buffer.alloc(0);
  hasFin = false;
  isClosed = false;
  error: string | undefined;
  readonly #waiters = new Set<() => void>();

  private constructor(
    readonly socket: net.Socket,
    readonly methods: string[] = [],
  ) {
    const wake = () => {
      for (const waiter of this.#waiters) waiter();
    };
    socket.on("data", (chunk) => {
      this.bytes = Buffer.concat([this.bytes, chunk]);
      wake();
    });
    socket.on("end", () => {
      this.hasFin = true;
      wake();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.error = error.code ?? error.message;
      wake();
    });
    socket.on("close", () => {
      this.isClosed = true;
      wake();
    });
  }

  /** @param methods - methods of the requests in order, where one is HEAD (its response has no body). */
  static async connect(port: number, options: { tls?: boolean; methods?: string[] } = {}): Promise<WireClient> {
    const address = { port, host: "127.0.0.1", allowHalfOpen: true };
    const socket = options.tls
      ? tls.connect({ ...address, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] })
      : net.connect(address);
    const client = new WireClient(socket, options.methods);
    await once(socket, options.tls ? "secureConnect" : "connect");
    socket.setNoDelay(true);
    return client;
  }

  send(...pieces: (string | Buffer)[]): void {
    for (const piece of pieces) {
      if (this.socket.writable) this.socket.write(typeof piece === "string" ? Buffer.from(piece, "latin1") : piece);
    }
  }

  get text(): string {
    return this.bytes.toString("latin1");
  }

  get responses(): WireResponse[] {
    return parseResponses(this.bytes, this.methods, this.hasFin || this.isClosed);
  }

  get statuses(): number[] {
    return this.responses.map(({ status }) => status);
  }

  /** Final responses alone, whole ones. */
  get finals(): WireResponse[] {
    return this.responses.filter(({ status, isComplete }) => status >= 200 && isComplete);
  }

  async until(what: string, isTrue: () => boolean, waitMs = DEADLINE_MS): Promise<void> {
    if (isTrue()) return;
    const deadlineMs = deadline(waitMs);
    await new Promise<void>((resolve, reject) => {
      const check = () => {
        if (!isTrue()) return;
        finish();
        resolve();
      };
      const timer = setTimeout(() => {
        finish();
        reject(
          new Error(
            `not within ${deadlineMs} ms: ${what}; on the wire: ${JSON.stringify(this.text.slice(0, 2_000))}, error ${this.error ?? "none"}`,
          ),
        );
      }, deadlineMs);
      const finish = () => {
        clearTimeout(timer);
        this.#waiters.delete(check);
      };
      this.#waiters.add(check);
    });
  }

  async status(status: number): Promise<WireResponse> {
    await this.until(`a response with status ${status}`, () =>
      this.responses.some((r) => r.status === status && r.isComplete),
    );
    return this.responses.find((response) => response.status === status) as WireResponse;
  }

  async final(count = 1): Promise<WireResponse> {
    await this.until(`${count} final response(s)`, () => this.finals.length >= count);
    return this.finals[count - 1] as WireResponse;
  }

  async fin(): Promise<void> {
    await this.until("the server ends the connection", () => this.hasFin || this.isClosed);
  }

  /** The server ends its side; then this side ends, and the connection is gone. */
  async closed(): Promise<void> {
    await this.fin();
    this.socket.end();
    await this.until("the connection is closed", () => this.isClosed);
  }

  /** Whether another request on the same connection is answered. */
  async answersNext(path = "/next"): Promise<boolean> {
    const before = this.finals.length;
    this.send(`GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`);
    await this.until("an answer, or the end", () => this.finals.length > before || this.hasFin || this.isClosed);
    return this.finals.length > before;
  }

  destroy(): void {
    this.socket.destroy();
  }
}

function parseResponses(bytes: Buffer, methods: string[], hasEnded: boolean): WireResponse[] {
  const responses: WireResponse[] = [];
  let rest = bytes.toString("latin1");
  let finals = 0;
  while (rest !== "") {
    const headEnd = rest.indexOf("\r\n\r\n");
    if (headEnd < 0) break;
    const [statusLine = "", ...lines] = rest.slice(0, headEnd).split("\r\n");
    const match = /^HTTP\/1\.1 (\d{3})/.exec(statusLine);
    if (!match) throw new Error(`no status line: ${JSON.stringify(statusLine)}`);
    const status = Number(match[1]);
    const headers: Record<string, string> = {};
    for (const line of lines) {
      const colon = line.indexOf(":");
      const name = line.slice(0, colon).toLowerCase();
      const value = line.slice(colon + 1).trim();
      headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
    }
    rest = rest.slice(headEnd + 4);
    if (status < 200) {
      responses.push({ status, headers, body: "", isComplete: true });
      continue;
    }
    const method = methods[finals++];
    const read = readBody(rest, status, headers, method, hasEnded);
    responses.push({ status, headers, body: read.body, isComplete: read.isComplete });
    rest = read.rest;
    if (!read.isComplete) break;
  }
  return responses;
}

function readBody(
  rest: string,
  status: number,
  headers: Record<string, string>,
  method: string | undefined,
  hasEnded: boolean,
): { body: string; rest: string; isComplete: boolean } {
  if (method === "HEAD" || status === 204 || status === 304) return { body: "", rest, isComplete: true };
  if (headers["transfer-encoding"] === "chunked") {
    let body = "";
    let left = rest;
    for (;;) {
      const lineEnd = left.indexOf("\r\n");
      if (lineEnd < 0) return { body, rest: "", isComplete: false };
      const size = Number.parseInt(left.slice(0, lineEnd), 16);
      if (left.length < lineEnd + 2 + size + 2) return { body, rest: "", isComplete: false };
      body += left.slice(lineEnd + 2, lineEnd + 2 + size);
      left = left.slice(lineEnd + 2 + size + 2);
      if (size === 0) return { body, rest: left, isComplete: true };
    }
  }
  const length = headers["content-length"];
  if (length === undefined) return { body: rest, rest: "", isComplete: hasEnded };
  const body = rest.slice(0, Number(length));
  return { body, rest: rest.slice(Number(length)), isComplete: body.length === Number(length) };
}
