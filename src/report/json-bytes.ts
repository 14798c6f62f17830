// RFC 8259 in bytes: each function takes the place where something begins and gives the place behind it,
// or -1 where the text is no JSON, or none that these functions deal with (see DEEPEST).

/** Nothing here: no JSON, or nothing for the quick way. */
export const NONE = -1;

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** Objects and arrays within each other beyond this are left to `JSON.parse`. */
const DEEPEST = 16;

const IS_HEX = table((code) => /[\da-f]/i.test(String.fromCharCode(code)));
const ESCAPES = table((code) => '"\\/bfnrt'.includes(String.fromCharCode(code)));
const WORDS: ReadonlyMap<number, Uint8Array> = new Map(
  ["true", "false", "null"].map((word) => [word.charCodeAt(0), Buffer.from(word)]),
);

function table(holds: (code: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (holds(code) ? 1 : 0));
}

/** Behind white space. */
export function skipSpace(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && isSpace(bytes[at] as number)) at++;
  return at;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/**
 * From behind an opening quote to the closing one, where nothing in between is escaped.
 *
 * @param view - of the same bytes: four at a time are looked at.
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

// Marks, of four bytes, those that are a quote, a backslash or below 0x20: a byte is 0 where (byte - 1) & ~byte has its
// highest bit. A borrow may mark bytes behind the first that is marked: that one is right.
function specials(word: number): number {
  const quote = word ^ 0x22222222;
  const backslash = word ^ 0x5c5c5c5c;
  const found =
    ((quote - 0x01010101) & ~quote) | ((backslash - 0x01010101) & ~backslash) | ((word - 0x20202020) & ~word);
  return found & 0x80808080;
}

/** From behind an opening quote to behind the closing one. */
function skipString(bytes: Uint8Array, view: DataView, from: number, end: number): number {
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

/** Behind a number. */
export function skipNumber(bytes: Uint8Array, from: number, end: number): number {
  let at = bytes[from] === MINUS ? from + 1 : from;
  const integer = skipDigits(bytes, at, end);
  if (integer === at || (bytes[at] === 0x30 && integer > at + 1)) return NONE;
  at = integer;
  if (at < end && bytes[at] === 0x2e) {
    const fraction = skipDigits(bytes, at + 1, end);
    if (fraction === at + 1) return NONE;
    at = fraction;
  }
  if (at < end && (bytes[at] === 0x65 || bytes[at] === 0x45)) {
    at++;
    if (at < end && (bytes[at] === 0x2b || bytes[at] === MINUS)) at++;
    const exponent = skipDigits(bytes, at, end);
    if (exponent === at) return NONE;
    at = exponent;
  }
  return at;
}

function skipDigits(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && isDigit(bytes[at] as number)) at++;
  return at;
}

/** Whether a number may begin with this byte. */
export function beginsNumber(code: number): boolean {
  return code === MINUS || isDigit(code);
}

/** Behind a value of any kind. */
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

/** Whether these bytes stand at this place. */
function isAt(wanted: Uint8Array, bytes: Uint8Array, from: number, end: number): boolean {
  if (from + wanted.length > end) return false;
  for (let i = 0; i < wanted.length; i++) if (wanted[i] !== bytes[from + i]) return false;
  return true;
}

/** The number that {@link skipNumber} found. */
export function numberAt(bytes: Buffer, from: number, end: number): number {
  // Up to 15 digits are a whole number without loss, and so is a power of ten up to 22: one division rounds once.
  if (end - from > 15) return Number(bytes.toString("latin1", from, end));
  let digits = 0;
  let scale = 1;
  let behindDot = false;
  for (let at = from; at < end; at++) {
    const code = bytes[at] as number;
    if (code === 0x2e) behindDot = true;
    else if (isDigit(code)) {
      digits = digits * 10 + (code - 0x30);
      if (behindDot) scale *= 10;
    } else return Number(bytes.toString("latin1", from, end));
  }
  return digits / scale;
}
