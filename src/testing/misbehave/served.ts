import type { Socket } from "node:net";
import type { Head, Reader } from "./reader.js";

/** The bytes of a 100. */
export const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

/**
 * Returns the bytes of a whole response.
 *
 * @param fields - lines without their ends.
 */
export function response(status: string, fields: readonly string[] = [], content = ""): string {
  return [`HTTP/1.1 ${status}`, ...fields, `Content-Length: ${content.length}`, "", content].join("\r\n");
}

/** One request at a server that misbehaves. Its methods do literally what they say. */
export class Served {
  constructor(
    readonly socket: Socket,
    readonly head: Head,
    readonly reader: Reader,
  ) {}

  /** Writes bytes, given as Latin-1. */
  send(...texts: string[]): void {
    if (this.socket.writable) this.socket.write(texts.join(""), "latin1");
  }

  /** Writes bytes and ends this side. What still comes is read and thrown away. */
  end(...texts: string[]): void {
    this.send(...texts);
    this.socket.end();
    this.reader.discards = true;
    this.socket.resume();
  }

  /** Writes bytes and resets the connection when the system has taken them. */
  reset(...texts: string[]): void {
    this.socket.write(texts.join(""), "latin1", () => this.socket.resetAndDestroy());
  }

  /** Takes the whole content. */
  content(): Promise<string> {
    return this.reader.content(this.head);
  }

  /** Whether the request has content and one of these values of `Expect`. */
  isFor(...expectations: string[]): boolean {
    return this.head.hasContent && expectations.includes(this.head.expect?.toLowerCase() ?? "none");
  }

  /** Whether the client waits for a 100. */
  get isHandshake(): boolean {
    return this.isFor("100-continue") && this.head.version === "1.1";
  }
}
