import { once } from "node:events";
import * as net from "node:net";
import { until } from "./until.js";

const origins = new Set<Origin>();

/** An origin on raw sockets: keeps what it receives and answers what it is told to. */
export class Origin {
  text = "";
  ends = 0;
  readonly sockets: net.Socket[] = [];
  readonly #server: net.Server;

  private constructor(answer: (text: string, socket: net.Socket) => void) {
    this.#server = net.createServer((socket) => {
      this.sockets.push(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.ends++;
      });
      let text = "";
      socket.on("data", (chunk) => {
        text += chunk.toString("latin1");
        this.text += chunk.toString("latin1");
        answer(text, socket);
      });
    });
  }

  static async start(answer: (text: string, socket: net.Socket) => void): Promise<Origin> {
    const origin = new Origin(answer);
    origins.add(origin);
    origin.#server.listen(0, "127.0.0.1");
    await once(origin.#server, "listening");
    return origin;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  get head(): string {
    return this.text.slice(0, this.text.indexOf("\r\n\r\n"));
  }

  get body(): string {
    return this.text.slice(this.text.indexOf("\r\n\r\n") + 4);
  }

  until(what: string, isTrue: () => boolean): Promise<void> {
    return until(() => `${what}; received ${JSON.stringify(this.text)}`, isTrue);
  }

  close(): void {
    this.#server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}

/** For `afterEach`. */
export function closeOrigins(): void {
  for (const origin of origins) origin.close();
  origins.clear();
}

export const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

/** Says 100 to a head, and 201 to `hello`. */
export const ok = (text: string, socket: net.Socket) => {
  if (text.endsWith("\r\n\r\n")) socket.write(CONTINUE);
  if (text.endsWith("hello")) socket.write("HTTP/1.1 201 Created\r\nContent-Length: 6\r\n\r\nstored");
};

/** Answers a head with a final status. */
export const refusing =
  (status: string, fields = "", body = "no") =>
  (text: string, socket: net.Socket) => {
    if (!text.includes("\r\n\r\n")) return;
    socket.write(`HTTP/1.1 ${status}\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`);
  };
