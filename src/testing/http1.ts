import type { Socket } from "node:net";
import { wasReset } from "../probe/wire/connection.js";
import { Journal } from "../probe/wire/journal.js";
import { type Parsed, ResponseParser } from "../probe/wire/response-parser.js";
import { KEPT_BYTES, type Line, RAW, type Sent } from "./line.js";
import { fieldsOf, type Plan } from "./plan.js";

/** A connection that speaks HTTP/1.1. */
export class Http1Line implements Line {
  // One for each request: it bounds the number of responses.
  #parser = new ResponseParser({ keptBytes: KEPT_BYTES });
  #journal = new Journal();

  constructor(
    readonly socket: Socket,
    readonly host: string,
  ) {
    socket.on("data", (chunk: Buffer) => this.#take(this.#parser.push(chunk)));
    socket.on("end", () => {
      if (wasReset(socket)) return this.#break("ECONNRESET");
      this.#take(this.#parser.end());
      this.#journal.add({ kind: "end" });
    });
    socket.on("error", ({ code }: NodeJS.ErrnoException) => this.#break(code ?? "error"));
    socket.on("close", () => this.#break("closed"));
  }

  get isOpen(): boolean {
    return !this.#journal.isOver && this.socket.writable;
  }

  begin(plan: Plan): Sent {
    const journal = new Journal();
    this.#journal = journal;
    const { rest } = this.#parser;
    this.#parser = new ResponseParser({ keptBytes: KEPT_BYTES, isHead: () => plan.method === "HEAD" });
    if (rest.length > 0) this.#take(this.#parser.push(rest));
    const isChunked = plan.content.announced === "chunked";
    const write = (bytes: Buffer, taken: () => void) => {
      this.socket.write(bytes, (error) => {
        if (!error) taken();
      });
    };
    return {
      journal,
      isStream: false,
      sendHead: () => {
        const lines = [`${plan.method} ${plan.path} HTTP/1.1`, ...this.#linesOf(plan)];
        journal.add({ kind: "sent", what: "head", lines, bytes: 0 });
        write(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), () => {});
      },
      sendContent: (bytes, taken) => write(isChunked ? chunkOf(bytes) : bytes, taken),
      endContent: () => {
        if (isChunked) write(Buffer.from("0\r\n\r\n"), () => {});
      },
      leave: (how) => {
        if (how === "end") this.socket.end();
        else this.socket.resetAndDestroy();
      },
    };
  }

  close(): void {
    this.socket.destroy();
  }

  #linesOf(plan: Plan): string[] {
    const fields = fieldsOf(plan);
    const hasHost = fields.some(([name]) => name.toLowerCase() === "host");
    return [...(hasHost ? [] : [`Host: ${this.host}`]), ...fields.map(([name, value]) => `${name}: ${value}`)];
  }

  #break(code: string): void {
    if (!this.#journal.isOver) this.#journal.add({ kind: "reset", code });
  }

  #take(all: readonly Parsed[]): void {
    for (const parsed of all) {
      if (parsed.kind === "head") {
        this.#journal.add({ kind: "received", status: parsed.status, lines: RAW.lines(parsed.section) });
      } else this.#journal.add(parsed);
    }
  }
}

function chunkOf(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
}
