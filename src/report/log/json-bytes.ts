// RFC 8259, read from bytes: each skip function takes the index where something begins and returns the index after it,
// or NONE if the text is not JSON or is nested too deeply (see DEEPEST in json-value.ts).

/** The result of a skip function that found nothing it can read. */
export const NONE = -1;

/** The byte of `"`. */
export const QUOTE = 0x22;
/** The byte of `,`. */
export const COMMA = 0x2c;
/** The byte of `:`. */
export const COLON = 0x3a;
/** The byte of `{`. */
export const OPEN_BRACE = 0x7b;
/** The byte of `}`. */
export const CLOSE_BRACE = 0x7d;

/** Skips white space (RFC 8259 §2). */
export function skipSpace(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && isSpace(bytes[at] as number)) at++;
  return at;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}
