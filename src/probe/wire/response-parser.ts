import { endOfSection, fieldOf } from "./header-section.js";
import { otherProtocol } from "./other-protocol.js";

/** One part of a response that the parser has read. */
export type Parsed =
  | { readonly kind: "head"; readonly status: number; readonly section: string }
  | { readonly kind: "complete"; readonly bytes: number; readonly sample: string }
  | { readonly kind: "malformed"; readonly reason: string; readonly sample: string };

const MAX_HEAD_BYTES = 65_536;
const MAX_INTERIMS = 16;
/** More than the requests of one exchange, and than the stray responses that show something. */
const MAX_FINALS = 6;
const MAX_TRAILER_BYTES = 65_536;
const MAX_CONTENT_BYTES = 4_194_304;
const MAX_CHUNK_LINE_BYTES = 4_096;
const SAMPLE_BYTES = 2_048;

/** Options of a {@link ResponseParser}; all are optional. */
export interface ResponseParserOptions {
  /** Whether a 2xx response has no content, because the request was CONNECT. */
  readonly isTunnel?: boolean;
  /** Whether the next final response has no content, because its request was HEAD. */
  readonly isHead?: () => boolean;
  /** How much of the content is kept, in bytes. Default 2,048. */
  readonly keptBytes?: number;
}

type State =
  | { readonly in: "head" }
  | { readonly in: "length"; left: number }
  | { readonly in: "chunk size" | "chunk end" | "trailers" }
  | { readonly in: "chunk"; left: number }
  | { readonly in: "until the end" }
  | { readonly in: "over" };

/**
 * Reads a sequence of HTTP/1 responses as they arrive.
 *
 * All sizes are bounded, and only the beginning of the content is kept. A bare line feed also ends a line
 * (RFC 9112 §2.2).
 */
export class ResponseParser {
  #state: State = { in: "head" };
  #held: Buffer = Buffer.alloc(0);
  #interims = 0;
  #finals = 0;
  #trailerBytes = 0;
  /** How far the end of the header section was looked for. */
  #searched = 0;
  #contentBytes = 0;
  #sample = "";

  constructor(readonly options: ResponseParserOptions = {}) {}

  /** The bytes after the last complete response. */
  get rest(): Buffer {
    return this.#held;
  }

  /** Reads the next bytes and returns the parts that are complete. */
  push(chunk: Buffer): Parsed[] {
    if (this.#state.in === "over") return [];
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const parsed: Parsed[] = [];
    for (let step = this.#step(); step !== "more"; step = this.#step()) {
      if (step) parsed.push(step);
    }
    return parsed;
  }

  /** Returns the last parts, after the peer has ended the connection. */
  end(): Parsed[] {
    const { in: where } = this.#state;
    if (where === "until the end") return [this.#complete()];
    if (where === "over" || (where === "head" && this.#held.length === 0)) return [];
    return [this.#malformed("the connection ended in the middle of a response")];
  }

  #step(): Parsed | undefined | "more" {
    const state = this.#state;
    switch (state.in) {
      case "over":
        return "more";
      case "head":
        return this.#head();
      case "length":
        return this.#content(state, () => this.#complete());
      case "chunk":
        return this.#content(state, () => {
          this.#state = { in: "chunk end" };
          return undefined;
        });
      case "until the end":
        return this.#content({ left: Number.POSITIVE_INFINITY }, () => undefined);
      case "chunk size":
      case "chunk end":
      case "trailers":
        return this.#chunkLine(state.in);
    }
  }

  #head(): Parsed | "more" {
    if (this.#held.length === 0) return "more";
    const start = this.#held.subarray(0, 5).toString("latin1");
    if (!"HTTP/".startsWith(start)) return this.#malformed(otherProtocol(this.#held));
    const end = endOfSection(this.#held, MAX_HEAD_BYTES, this.#searched);
    // The end of a line may be cut.
    this.#searched = end === undefined ? Math.max(0, this.#held.length - 3) : 0;
    if (end === undefined || end > MAX_HEAD_BYTES) {
      return this.#held.length > MAX_HEAD_BYTES
        ? this.#malformed(`a header section longer than ${MAX_HEAD_BYTES} bytes`)
        : "more";
    }
    const section = this.#take(end)
      .toString("latin1")
      .replace(/\r?\n\r?\n$/, "");
    const status = Number(/^HTTP\/\d\.\d (\d{3})(?: |\r|\n|$)/.exec(section)?.[1]);
    if (!(status >= 100)) return this.#malformed("a status line that is none", section);
    if (status === 101) return this.#malformed("a 101 Switching Protocols that nobody asked for", section);
    if (status >= 200 && ++this.#finals > MAX_FINALS) {
      return this.#malformed(`more than ${MAX_FINALS} final responses`, section);
    }
    const lengths = lengthsIn(section);
    if (lengths.size > 1 || [...lengths].some((one) => !/^\d{1,15}$/.test(one))) {
      return this.#malformed("a Content-Length that is no number, or another one each time", section);
    }
    if (status < 200 && ++this.#interims > MAX_INTERIMS) {
      return this.#malformed(`more than ${MAX_INTERIMS} interim responses`, section);
    }
    if (status >= 200) this.#framing(status, section);
    return { kind: "head", status, section };
  }

  // RFC 9112 §6.3
  #framing(status: number, section: string): void {
    this.#contentBytes = 0;
    this.#sample = "";
    const [length] = lengthsIn(section);
    const isBare = (this.options.isTunnel && status < 300) || this.options.isHead?.();
    if (isBare || status === 204 || status === 304) this.#state = { in: "length", left: 0 };
    else if (/(?:^|,)\s*chunked$/i.test(fieldOf(section, "transfer-encoding") ?? ""))
      this.#state = { in: "chunk size" };
    else if (length !== undefined) this.#state = { in: "length", left: Number(length) };
    else this.#state = { in: "until the end" };
  }

  #content(state: { left: number }, done: () => Parsed | undefined): Parsed | undefined | "more" {
    const piece = this.#take(Math.min(state.left, this.#held.length));
    state.left -= piece.length;
    this.#contentBytes += piece.length;
    const { keptBytes = SAMPLE_BYTES } = this.options;
    if (this.#sample.length < keptBytes) this.#sample = (this.#sample + piece.toString("latin1")).slice(0, keptBytes);
    if (state.left === 0) return done();
    // The rest of a long page shows nothing about the handshake.
    if (this.#contentBytes > MAX_CONTENT_BYTES) {
      const complete = this.#complete();
      this.#state = { in: "over" };
      return complete;
    }
    return "more";
  }

  // RFC 9112 §7.1
  #chunkLine(where: "chunk size" | "chunk end" | "trailers"): Parsed | undefined | "more" {
    const feed = this.#held.indexOf(10);
    if (feed < 0)
      return this.#held.length > MAX_CHUNK_LINE_BYTES ? this.#malformed("a chunk line that does not end") : "more";
    const line = this.#take(feed + 1)
      .toString("latin1")
      .replace(/\r?\n$/, "");
    if (where === "trailers") {
      if (line === "") return this.#complete();
      this.#trailerBytes += feed + 1;
      return this.#trailerBytes > MAX_TRAILER_BYTES ? this.#malformed("trailers that do not end") : undefined;
    }
    if (where === "chunk end") {
      this.#state = { in: "chunk size" };
      return line === "" ? undefined : this.#malformed("a chunk that is longer than it says");
    }
    const size = /^([\da-f]{1,12})\s*(?:;.*)?$/i.exec(line)?.[1];
    if (size === undefined) return this.#malformed("a chunk size that is none", line);
    const left = Number.parseInt(size, 16);
    this.#state = left === 0 ? { in: "trailers" } : { in: "chunk", left };
    return undefined;
  }

  #complete(): Parsed {
    this.#state = { in: "head" };
    return { kind: "complete", bytes: this.#contentBytes, sample: this.#sample };
  }

  #malformed(reason: string, sample: string = this.#held.subarray(0, SAMPLE_BYTES).toString("latin1")): Parsed {
    this.#state = { in: "over" };
    return { kind: "malformed", reason, sample };
  }

  #take(bytes: number): Buffer {
    const taken = this.#held.subarray(0, bytes);
    this.#held = this.#held.subarray(bytes);
    return taken;
  }
}

// Equal values stand for one (RFC 9110 §8.6).
function lengthsIn(section: string): ReadonlySet<string> {
  const all = fieldOf(section, "content-length");
  return new Set(all === undefined ? [] : all.split(",").map((one) => one.trim()));
}
