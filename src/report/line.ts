import { type Decision, decisionFrom, FIELDS } from "./decision.js";
import {
  beginsNumber,
  CLOSE_BRACE,
  COLON,
  COMMA,
  NONE,
  numberAt,
  OPEN_BRACE,
  plainStringEnd,
  QUOTE,
  skipSpace,
  skipValue,
} from "./json-bytes.js";
import { TextCache } from "./text-cache.js";

/** What a line of a log is: a record of this package, JSON of somebody else, or no JSON object. */
export type Line = Decision | "foreign" | "malformed";

/** Reads one line with `JSON.parse`: what {@link LineReader} gives, only slower. */
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

// The length and the first byte of a key tell the wanted ones apart; three words of four bytes, at the beginning, in the
// middle and at the end, which may overlap, then compare up to twelve bytes.
const LONGEST_KEY = 12;
const BY_LENGTH_AND_FIRST = fieldsByLengthAndFirst();
const KEY_WORDS = Int32Array.from(FIELDS.flatMap(keyWords));

function fieldsByLengthAndFirst(): Int8Array {
  const fields = new Int8Array((LONGEST_KEY + 1) << 8).fill(NONE);
  FIELDS.forEach((name, field) => {
    fields[(name.length << 8) | name.charCodeAt(0)] = field;
  });
  return fields;
}

function keyWords(name: string): number[] {
  // A key of three bytes is compared together with its quote.
  const key = Buffer.from(name.length < 4 ? `${name}"` : name);
  const last = key.length - 4;
  return [0, last >> 1, last].map((at) => key.readInt32LE(at));
}

const ROUTE = FIELDS.indexOf("route");
const URL = FIELDS.indexOf("url");

const ABSENT = 0;
const TEXT = 1;
const NUMBER = 2;

/**
 * Reads lines without making an object of each: it walks over the bytes, remembers where the wanted values are, and
 * leaves everything unusual (an escape where it matters, deep nesting, a fault) to `JSON.parse`.
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

  /** Reads the line between two places; the line's end is not part of it. */
  read(bytes: Buffer, from: number, end: number): Line {
    const start = skipSpace(bytes, from, end);
    // No object begins otherwise, and binary garbage is passed over without a parser's error each.
    if (start >= end || bytes[start] !== OPEN_BRACE) return "malformed";
    const view = this.#viewOf(bytes);
    if (!walk(bytes, view, start, end, this.#spans)) return lineFrom(bytes.toString("utf8", start, end));
    const { kinds, starts, ends } = this.#spans;
    const values = this.#values;
    // The one field that hardly ever repeats itself is wanted only in place of another.
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

/** By field: what kind of value the last one of that name is, and where it is. */
interface Spans {
  readonly kinds: Uint8Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

// RFC 8259 §4: object = "{" [ member *( "," member ) ] "}"; false for what it does not understand.
function walk(bytes: Uint8Array, view: DataView, start: number, end: number, spans: Spans): boolean {
  const { kinds, starts, ends } = spans;
  for (let field = 0; field < kinds.length; field++) kinds[field] = ABSENT;
  let at = skipSpace(bytes, start + 1, end);
  if (at < end && bytes[at] === CLOSE_BRACE) return skipSpace(bytes, at + 1, end) === end;
  while (at < end && bytes[at] === QUOTE) {
    const keyEnd = plainStringEnd(bytes, view, at + 1, end);
    if (keyEnd === NONE) return false;
    const field = fieldAt(view, at + 1, keyEnd);
    at = skipSpace(bytes, keyEnd + 1, end);
    if (at >= end || bytes[at] !== COLON) return false;
    at = skipSpace(bytes, at + 1, end);
    if (field === NONE) at = skipValue(bytes, view, at, end);
    else {
      // Of keys that come twice, the last one counts, as with JSON.parse.
      const isText = at < end && bytes[at] === QUOTE;
      const isNumber = at < end && beginsNumber(bytes[at] as number);
      const from = isText ? at + 1 : at;
      const to = isText ? plainStringEnd(bytes, view, from, end) : skipValue(bytes, view, at, end);
      if (to === NONE) return false;
      kinds[field] = isText ? TEXT : isNumber ? NUMBER : ABSENT;
      starts[field] = from;
      ends[field] = to;
      at = isText ? to + 1 : to;
    }
    if (at === NONE) return false;
    at = skipSpace(bytes, at, end);
    if (at < end && bytes[at] === CLOSE_BRACE) return skipSpace(bytes, at + 1, end) === end;
    if (at >= end || bytes[at] !== COMMA) return false;
    at = skipSpace(bytes, at + 1, end);
  }
  return false;
}

function fieldAt(view: DataView, from: number, end: number): number {
  const length = end - from;
  if (length < 3 || length > LONGEST_KEY) return NONE;
  const field = BY_LENGTH_AND_FIRST[(length << 8) | view.getUint8(from)] as number;
  if (field === NONE) return NONE;
  const last = length < 4 ? 0 : length - 4;
  const words = field * 3;
  return view.getInt32(from, true) === KEY_WORDS[words] &&
    view.getInt32(from + (last >> 1), true) === KEY_WORDS[words + 1] &&
    view.getInt32(from + last, true) === KEY_WORDS[words + 2]
    ? field
    : NONE;
}
