import { once } from "node:events";
import * as net from "node:net";

/** The header section of a request, as a fixture server sees it. */
export interface Head {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly expect: string | undefined;
  readonly length: number;
  readonly isChunked: boolean;
  readonly hasContent: boolean;
  /** The text as it came. */
  readonly text: string;
}

export const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

/** A whole response; `fields` are lines without their ends. */
export function response(status: string, fields: readonly string[] = [], content = ""): string {
  return [`HTTP/1.1 ${status}`, ...fields, `Content-Length: ${content.length}`, "", content].join("\r\n");
}

/** One request at a fixture server: everything it does is literal. */
export class Served {
  constructor(
    readonly socket: net.Socket,
    readonly head: Head,
    readonly reader: Reader,
  ) {}

  send(...texts: string[]): void {
    if (this.socket.writable) this.socket.write(texts.join(""), "latin1");
  }

  /** Ends this side; what still comes is read and discarded. */
  end(...texts: string[]): void {
    this.send(...texts);
    this.socket.end();
    this.reader.discards = true;
    this.socket.resume();
  }

  /** Resolves when the whole content is there. */
  content(): Promise<string> {
    return this.reader.content(this.head);
  }

  isFor(...expectations: string[]): boolean {
    return this.head.hasContent && expectations.includes(this.head.expect?.toLowerCase() ?? "none");
  }
}

/** Answers one request; `true` where it did, so that the healthy behaviour is left out. */
export type Trouble = (served: Served) => boolean | Promise<boolean>;

/** What a correct server does. */
async function healthy(served: Served): Promise<void> {
  const { head } = served;
  const members = (head.expect ?? "").split(",").filter((member) => member.trim() !== "");
  const isOld = head.version === "1.0";
  if (!isOld && members.some((member) => member.trim().toLowerCase() !== "100-continue")) {
    return served.end(response("417 Expectation Failed", ["Connection: close"]));
  }
  if (!head.hasContent) return served.send(response("200 OK", [], "ok"));
  if (!isOld && members.length > 0 && !served.reader.hasBytes) served.send(CONTINUE);
  await served.content();
  if (isOld) served.end(response("201 Created", ["Connection: close"]));
  else served.send(response("201 Created"));
}

/** Bytes of one connection, taken piece by piece. */
export class Reader {
  discards = false;
  #held = "";
  #wake = () => {};
  #isOver = false;

  constructor(socket: net.Socket) {
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      if (this.discards) return;
      this.#held += text;
      this.#wake();
    });
    socket.on("close", () => {
      this.#isOver = true;
      this.#wake();
    });
    socket.on("end", () => {
      this.#isOver = true;
      this.#wake();
    });
    socket.on("error", () => {});
  }

  get hasBytes(): boolean {
    return this.#held !== "";
  }

  /** What came and nobody took. */
  rest(): string {
    return this.#take(this.#held.length);
  }

  async head(): Promise<Head | undefined> {
    const text = await this.#until("\r\n\r\n");
    if (text === undefined) return undefined;
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

  async content({ isChunked, length }: Head): Promise<string> {
    if (isChunked) return (await this.#until("0\r\n\r\n")) ?? "";
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

export interface Peer {
  readonly url: string;
  readonly port: number;
  /** Every header section that arrived. */
  readonly heads: Head[];
  close(): void;
}

const peers = new Set<Peer>();

/** For `afterAll`. */
export function closePeers(): void {
  for (const peer of peers) peer.close();
  peers.clear();
}

/** A server that does what `trouble` says, and else what is right. */
export function startPeer(trouble: Trouble = () => false): Promise<Peer> {
  const heads: Head[] = [];
  return listenRaw(async (socket) => {
    const reader = new Reader(socket);
    for (;;) {
      const head = await reader.head();
      if (!head) return void socket.end();
      heads.push(head);
      const served = new Served(socket, head, reader);
      if (!(await trouble(served))) await healthy(served);
      if (socket.writableEnded || socket.destroyed) return;
    }
  }, heads);
}

/** A server whose connections are dealt with as they are. */
export async function listenRaw(serve: (socket: net.Socket) => unknown, heads: Head[] = []): Promise<Peer> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    serve(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  const peer = {
    url: `http://127.0.0.1:${port}/upload`,
    port,
    heads,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
  peers.add(peer);
  return peer;
}
