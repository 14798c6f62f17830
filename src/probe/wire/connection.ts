import type { Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import type { Shown } from "../shown.js";
import { Journal } from "./journal.js";
import { type Parsed, ResponseParser } from "./response-parser.js";

const POLL_MS = 5;

/** An HTTP/1 client on one connection. It records what it sends and receives in a journal. */
export class Connection {
  readonly journal: Journal = new Journal();
  readonly #parser = new ResponseParser();
  #isClosing = false;

  constructor(
    readonly socket: Socket,
    readonly shown: Pick<Shown, "lines" | "sample">,
  ) {
    socket.on("data", (chunk: Buffer) => this.#take(this.#parser.push(chunk)));
    socket.on("end", () => {
      if (this.#isClosing) return;
      const isReset = wasReset(socket);
      if (!isReset) this.#take(this.#parser.end());
      this.journal.add(isReset ? { kind: "reset", code: "ECONNRESET" } : { kind: "end" });
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (this.#isClosing || this.journal.has(({ kind }) => kind === "reset")) return;
      this.journal.add({ kind: "reset", code: error.code ?? "error" });
    });
    socket.on("close", () => {
      if (this.#isClosing || this.journal.isOver) return;
      this.journal.add({ kind: "reset", code: "closed" });
    });
  }

  /** Sends a header section. */
  sendHead(what: "head" | "second head", head: string): void {
    this.#send(what, Buffer.from(head, "latin1"), this.shown.lines(head.trimEnd()));
  }

  /**
   * Sends content.
   *
   * @param bytes - the content with its framing.
   */
  sendContent(bytes: Buffer): void {
    this.#send("content", bytes, []);
  }

  /**
   * Waits for the reset that follows if the peer closes while content is being sent.
   *
   * The system reports it to the writer, so the reader may see a normal end first.
   */
  async watchReset(ms: number): Promise<void> {
    const deadline = performance.now() + ms;
    const isFlushed = () => this.socket.writableLength === 0 && !this.socket.destroyed;
    const isReset = () => this.journal.has(({ kind }) => kind === "reset");
    while (!isFlushed() && !isReset() && performance.now() < deadline) await setTimeout(POLL_MS);
  }

  /** Closes the connection. Later events are not recorded. */
  close(): void {
    this.#isClosing = true;
    this.socket.destroy();
  }

  #send(what: "head" | "content" | "second head", bytes: Buffer, lines: readonly string[]): void {
    if (!this.socket.writable) return;
    this.journal.add({ kind: "sent", what, lines, bytes: bytes.length });
    this.socket.write(bytes);
  }

  #take(all: readonly Parsed[]): void {
    for (const parsed of all) {
      switch (parsed.kind) {
        case "head":
          this.journal.add({ kind: "received", status: parsed.status, lines: this.shown.lines(parsed.section) });
          break;
        case "complete":
          this.journal.add({ kind: "complete", bytes: parsed.bytes, sample: this.shown.sample(parsed.sample) });
          break;
        case "malformed":
          this.journal.add({ kind: "malformed", reason: parsed.reason, sample: this.shown.sample(parsed.sample) });
      }
    }
  }
}

/**
 * Returns whether the connection whose `end` was just emitted was reset.
 *
 * Node reports a reset after unread bytes as an end. After a reset, the socket has no remote address. Do not read
 * `remoteAddress` earlier, because Node caches it.
 */
export function wasReset(socket: Socket): boolean {
  return socket.remoteAddress === undefined;
}
