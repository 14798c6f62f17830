// Clients on raw sockets that wait for the 100, as a patient client does.
import { connect } from "node:net";

const DEADLINE_MS = 15_000;

/** One connection: sends, and waits for whole final responses or interim ones. Every wait has a deadline that fails. */
export class Connection {
  #text = "";
  #wake = () => {};
  isClosed = false;

  constructor(port) {
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.socket.setEncoding("latin1");
    this.socket.on("data", (text) => {
      this.#text += text;
      this.#wake();
    });
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  send(text) {
    this.socket.write(text, "latin1");
  }

  /** The next status: 100, or a final one when its response is whole. */
  async status() {
    let status = this.#take();
    const until = Date.now() + DEADLINE_MS;
    while (status === undefined) {
      if (this.isClosed) return 0;
      await this.#change(until);
      status = this.#take();
    }
    return status;
  }

  async closed() {
    const until = Date.now() + DEADLINE_MS;
    while (!this.isClosed) await this.#change(until);
  }

  #change(until) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer within ${DEADLINE_MS} ms`)), until - Date.now());
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #take() {
    const headEnd = this.#text.indexOf("\r\n\r\n");
    if (headEnd < 0) return undefined;
    const head = this.#text.slice(0, headEnd);
    const status = Number(head.slice(9, 12));
    const length = status < 200 ? 0 : Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1]);
    if (this.#text.length < headEnd + 4 + length) return undefined;
    this.#text = this.#text.slice(headEnd + 4 + length);
    return status;
  }
}

/** Runs `task` `count` times on `width` workers; `task` gets the number of the run. */
export async function inParallel(count, width, task) {
  let next = 0;
  await Promise.all(
    Array.from({ length: Math.min(width, count) }, async (_, worker) => {
      while (next < count) await task(next++, worker);
    }),
  );
}
