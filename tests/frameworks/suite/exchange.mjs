// One connection that sends literal bytes and keeps what comes back.
import { once } from "node:events";
import * as net from "node:net";
import * as tls from "node:tls";
import { parseResponses } from "../../fuzz/responses.mjs";
import { patiently } from "../../helpers/patience.mjs";

/** How long anything may take. A machine that is busy gets more. */
const DEADLINE_MS = 5_000;
const PIECE = 64 * 1024;

export class Exchange {
  #text = "";
  hasEnded = false;
  /** The code of the connection's error. */
  error = undefined;

  static async open({ port, isTls = false }) {
    const exchange = new Exchange();
    const address = { port, host: "127.0.0.1", allowHalfOpen: true };
    const socket = isTls
      ? tls.connect({ ...address, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] })
      : net.connect(address);
    exchange.socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text) => {
      exchange.#text += text;
    });
    socket.on("error", (error) => {
      exchange.error = error.code;
      exchange.hasEnded = true;
    });
    for (const event of ["end", "close"]) {
      socket.on(event, () => {
        exchange.hasEnded = true;
      });
    }
    await once(socket, isTls ? "secureConnect" : "connect");
    socket.setNoDelay(true);
    return exchange;
  }

  get text() {
    return this.#text;
  }

  get responses() {
    return parseResponses(this.#text, () => "PUT", this.hasEnded).responses;
  }

  get statuses() {
    return this.responses.map(({ status }) => status);
  }

  /** Statuses of the final responses that are whole. */
  get finals() {
    return this.responses.filter(({ status, isComplete }) => status >= 200 && isComplete).map(({ status }) => status);
  }

  /** Waits; returns whether it came true. */
  until(isTrue, deadlineMs = DEADLINE_MS) {
    return patiently(() => isTrue() || this.hasEnded, deadlineMs);
  }

  final(count = 1) {
    return this.until(() => this.finals.length >= count);
  }

  end() {
    return patiently(() => this.hasEnded, DEADLINE_MS);
  }

  send(...pieces) {
    for (const piece of pieces) {
      if (this.socket.writable) this.socket.write(typeof piece === "string" ? Buffer.from(piece, "latin1") : piece);
    }
  }

  /** Sends content in pieces until it is out or a final response has come. `encode` frames each piece. */
  async push(content, encode = (piece) => piece) {
    for (let at = 0; at < content.length && this.finals.length === 0 && !this.hasEnded; at += PIECE) {
      this.send(encode(content.subarray(at, at + PIECE)));
      await this.until(() => !this.socket.writableNeedDrain || this.finals.length > 0);
      await new Promise(setImmediate);
    }
  }

  /** Leaves by a reset. */
  reset() {
    this.socket.resetAndDestroy();
  }

  close() {
    this.socket.destroy();
  }
}

/** A piece of content as a chunk (RFC 9112 §7.1). */
export function chunk(piece) {
  return Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n")]);
}

export const LAST_CHUNK = "0\r\n\r\n";
