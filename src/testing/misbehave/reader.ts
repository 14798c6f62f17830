import type { Socket } from "node:net";

/** The header section of a request, as a server that misbehaves sees it. */
export interface Head {
  readonly method: string;
  readonly target: string;
  /** `"1.1"` or `"1.0"`. */
  readonly version: string;
  /** By lower-case name. */
  readonly fields: Readonly<Record<string, string>>;
  readonly expect: string | undefined;
  /** The value of `Content-Length`; 0 if there is none. */
  readonly length: number;
  readonly isChunked: boolean;
  readonly hasContent: boolean;
  /** The text as it came. */
  readonly text: string;
}

/** Takes the bytes of one connection piece by piece. */
export class Reader {
  /** Whether bytes are thrown away from now on. */
  discards = false;
  #held = "";
  #wake = () => {};
  #isOver = false;

  constructor(socket: Socket) {
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      if (this.discards) return;
      this.#held += text;
      this.#wake();
    });
    for (const event of ["end", "close"]) {
      socket.on(event, () => {
        this.#isOver = true;
        this.#wake();
      });
    }
    socket.on("error", () => {});
  }

  get hasBytes(): boolean {
    return this.#held !== "";
  }

  /** Takes the bytes that have come and that nobody took. */
  rest(): string {
    return this.#take(this.#held.length);
  }

  /** Takes the next header section; `undefined` if the connection ended. */
  async head(): Promise<Head | undefined> {
    const text = await this.#until("\r\n\r\n");
    return text === undefined ? undefined : headOf(text);
  }

  /** Takes the content of a request. In chunks, it still has its framing. */
  async content({ isChunked, length }: Head): Promise<string> {
    if (!isChunked) return this.bytes(length);
    let text = "";
    for (let isLast = false; !isLast; ) {
      const size = (await this.#until("\r\n")) ?? "";
      const bytes = Number.parseInt(size, 16);
      text += size;
      // Also where the connection ended, or this is not a chunk.
      isLast = !(bytes > 0);
      if (!isLast) text += await this.bytes(bytes + 2);
    }
    return text + (await this.#trailers());
  }

  async #trailers(): Promise<string> {
    let text = "";
    let line: string;
    do {
      line = (await this.#until("\r\n")) ?? "";
      text += line;
    } while (line !== "" && line !== "\r\n");
    return text;
  }

  /** Throws away everything until the client ends the connection. */
  async end(): Promise<void> {
    this.discards = true;
    this.rest();
    while (!this.#isOver) await this.#more();
  }

  /** Takes so many bytes, or fewer if the connection ends. */
  async bytes(length: number): Promise<string> {
    while (this.#held.length < length && !this.#isOver) await this.#more();
    return this.#take(length);
  }

  async #until(end: string): Promise<string | undefined> {
    while (!this.#held.includes(end)) {
      if (this.#isOver) return undefined;
      await this.#more();
    }
    return this.#take(this.#held.indexOf(end) + end.length);
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #take(length: number): string {
    const text = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    return text;
  }
}

function headOf(text: string): Head {
  const [first = "", ...lines] = text.trimEnd().split("\r\n");
  const [method = "", target = "", version = ""] = first.split(" ");
  const fields = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
  );
  const length = Number(fields["content-length"] ?? 0);
  const isChunked = fields["transfer-encoding"] !== undefined;
  const hasContent = isChunked || length > 0;
  return {
    method,
    target,
    version: version.slice(5),
    fields,
    expect: fields.expect,
    length,
    isChunked,
    hasContent,
    text,
  };
}
