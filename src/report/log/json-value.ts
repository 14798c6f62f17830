import { CLOSE_BRACE, COLON, COMMA, NONE, OPEN_BRACE, QUOTE, skipSpace } from "./json-bytes.js";
import { beginsNumber, skipNumber } from "./json-number.js";
import { skipString } from "./json-string.js";

const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** The deepest nesting that is skipped here. `JSON.parse` reads deeper text, and reports its own errors. */
const DEEPEST = 16;

const WORDS: ReadonlyMap<number, Uint8Array> = new Map(
  ["true", "false", "null"].map((word) => [word.charCodeAt(0), Buffer.from(word)]),
);

/** Skips a value of any type. */
export function skipValue(bytes: Uint8Array, view: DataView, from: number, end: number, depth = 0): number {
  if (from >= end) return NONE;
  const code = bytes[from] as number;
  if (code === QUOTE) return skipString(bytes, view, from + 1, end);
  if (beginsNumber(code)) return skipNumber(bytes, from, end);
  if (code === OPEN_BRACE || code === OPEN_BRACKET) return skipNested(bytes, view, from, end, depth + 1);
  const word = WORDS.get(code);
  return word && isAt(word, bytes, from, end) ? from + word.length : NONE;
}

function skipNested(bytes: Uint8Array, view: DataView, from: number, end: number, depth: number): number {
  if (depth > DEEPEST) return NONE;
  const isObject = bytes[from] === OPEN_BRACE;
  const close = isObject ? CLOSE_BRACE : CLOSE_BRACKET;
  let at = skipSpace(bytes, from + 1, end);
  if (at < end && bytes[at] === close) return at + 1;
  while (at < end) {
    if (isObject) {
      if (bytes[at] !== QUOTE) return NONE;
      at = skipString(bytes, view, at + 1, end);
      if (at === NONE) return NONE;
      at = skipSpace(bytes, at, end);
      if (at >= end || bytes[at] !== COLON) return NONE;
      at = skipSpace(bytes, at + 1, end);
    }
    at = skipValue(bytes, view, at, end, depth);
    if (at === NONE) return NONE;
    at = skipSpace(bytes, at, end);
    if (at < end && bytes[at] === close) return at + 1;
    if (at >= end || bytes[at] !== COMMA) return NONE;
    at = skipSpace(bytes, at + 1, end);
  }
  return NONE;
}

function isAt(wanted: Uint8Array, bytes: Uint8Array, from: number, end: number): boolean {
  if (from + wanted.length > end) return false;
  for (let i = 0; i < wanted.length; i++) if (wanted[i] !== bytes[from + i]) return false;
  return true;
}
