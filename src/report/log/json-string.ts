import { NONE, QUOTE } from "./json-bytes.js";

const BACKSLASH = 0x5c;

const IS_HEX = table((code) => /[\da-f]/i.test(String.fromCharCode(code)));
const ESCAPES = table((code) => '"\\/bfnrt'.includes(String.fromCharCode(code)));

function table(holds: (code: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (holds(code) ? 1 : 0));
}

/**
 * Finds the closing quote of a string that contains no escapes.
 *
 * @param view - of the same bytes; the function compares four bytes at a time.
 * @param from - the index after the opening quote.
 * @returns the index of the closing quote; `NONE` if the string has an escape or does not end.
 */
export function plainStringEnd(bytes: Uint8Array, view: DataView, from: number, end: number): number {
  let at = from;
  for (const last = bytes.length - 4; at <= last && at < end; at += 4) {
    const special = specials(view.getInt32(at, true));
    if (special === 0) continue;
    at += (31 - Math.clz32(special & -special)) >> 3;
    return at < end && bytes[at] === QUOTE ? at : NONE;
  }
  for (; at < end; at++) {
    const code = bytes[at] as number;
    if (code === QUOTE) return at;
    if (code === BACKSLASH || code < 0x20) return NONE;
  }
  return NONE;
}

// Sets the highest bit of each of the four bytes that is a quote, a backslash or below 0x20: a byte is 0 if
// (byte - 1) & ~byte has its highest bit set. A borrow may mark bytes after the first match, but never before it.
function specials(word: number): number {
  const quote = word ^ 0x22222222;
  const backslash = word ^ 0x5c5c5c5c;
  const found =
    ((quote - 0x01010101) & ~quote) | ((backslash - 0x01010101) & ~backslash) | ((word - 0x20202020) & ~word);
  return found & 0x80808080;
}

/** Skips the rest of a string, from the index after its opening quote. */
export function skipString(bytes: Uint8Array, view: DataView, from: number, end: number): number {
  const close = plainStringEnd(bytes, view, from, end);
  return close === NONE ? skipEscapedString(bytes, from, end) : close + 1;
}

function skipEscapedString(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end) {
    const code = bytes[at++] as number;
    if (code === QUOTE) return at;
    if (code < 0x20) return NONE;
    if (code !== BACKSLASH) continue;
    const escaped = at < end ? (bytes[at++] as number) : 0;
    if (ESCAPES[escaped] === 1) continue;
    if (escaped !== 0x75 || at + 4 > end) return NONE;
    for (const stop = at + 4; at < stop; at++) if (IS_HEX[bytes[at] as number] === 0) return NONE;
  }
  return NONE;
}
