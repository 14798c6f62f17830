import { type Decision, decisionFrom, FIELDS } from "../decision.js";
import { OPEN_BRACE, skipSpace } from "./json-bytes.js";
import { numberAt } from "./json-number.js";
import { ABSENT, NUMBER, type Spans, TEXT, walk } from "./line-walk.js";
import { TextCache } from "./text-cache.js";

/** A line of a log: a record of this package, other JSON, or not a JSON object. */
export type Line = Decision | "foreign" | "malformed";

/** Reads one line with `JSON.parse`. It returns the same as {@link LineReader}, but is slower. */
export function lineFrom(text: string): Line {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "malformed";
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "malformed";
  const object = value as Record<string, unknown>;
  return decisionFrom(FIELDS.map((field) => object[field])) ?? "foreign";
}

const ROUTE = FIELDS.indexOf("route");
const URL = FIELDS.indexOf("url");

/**
 * Reads lines without creating an object for each.
 *
 * It scans the bytes and remembers where the wanted values are. Lines with an escape in a wanted value, deep nesting or
 * a syntax error go to `JSON.parse`.
 */
export class LineReader {
  readonly #cache = new TextCache();
  readonly #spans: Spans = {
    kinds: new Uint8Array(FIELDS.length),
    starts: new Uint32Array(FIELDS.length),
    ends: new Uint32Array(FIELDS.length),
  };
  #bytes: Buffer = Buffer.alloc(0);
  #view: DataView = new DataView(this.#bytes.buffer);
  readonly #values: unknown[] = FIELDS.map(() => undefined);

  /** Reads the line between two indexes, without its line end. */
  read(bytes: Buffer, from: number, end: number): Line {
    const start = skipSpace(bytes, from, end);
    // Binary data would otherwise throw and catch a SyntaxError for each line.
    if (start >= end || bytes[start] !== OPEN_BRACE) return "malformed";
    const view = this.#viewOf(bytes);
    if (!walk(bytes, view, start, end, this.#spans)) return lineFrom(bytes.toString("utf8", start, end));
    const { kinds, starts, ends } = this.#spans;
    const values = this.#values;
    // URLs rarely repeat, so the cache does not help them. A record with a route does not need its URL.
    if (kinds[ROUTE] === TEXT && ends[ROUTE] !== starts[ROUTE]) kinds[URL] = ABSENT;
    for (let field = 0; field < kinds.length; field++) {
      const kind = kinds[field];
      const first = starts[field] as number;
      const last = ends[field] as number;
      if (kind === TEXT) values[field] = this.#cache.text(bytes, view, first, last);
      else values[field] = kind === NUMBER ? numberAt(bytes, first, last) : undefined;
    }
    return decisionFrom(values) ?? "foreign";
  }

  #viewOf(bytes: Buffer): DataView {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    return this.#view;
  }
}
