import { CLOSE_BRACE, COLON, COMMA, NONE, QUOTE, skipSpace } from "./json-bytes.js";
import { beginsNumber } from "./json-number.js";
import { plainStringEnd } from "./json-string.js";
import { skipValue } from "./json-value.js";
import { fieldAt } from "./line-fields.js";

/** A field is missing, or its value is neither text nor a number. */
export const ABSENT = 0;
/** A field's value is text. */
export const TEXT = 1;
/** A field's value is a number. */
export const NUMBER = 2;

/** The kind and the place of each field's value; of repeated keys the last one, as with `JSON.parse`. */
export interface Spans {
  readonly kinds: Uint8Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

/**
 * Finds the values of the wanted fields in an object (RFC 8259 §4).
 *
 * @param start - the index of the opening brace.
 * @returns `false` if the line is not JSON, or needs `JSON.parse`.
 */
export function walk(bytes: Uint8Array, view: DataView, start: number, end: number, spans: Spans): boolean {
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
