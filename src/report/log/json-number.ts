import { NONE } from "./json-bytes.js";

const MINUS = 0x2d;

/** Returns whether a number may begin with this byte. */
export function beginsNumber(code: number): boolean {
  return code === MINUS || isDigit(code);
}

/** Skips a number (RFC 8259 §6). */
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

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** Returns the number that {@link skipNumber} skipped. */
export function numberAt(bytes: Buffer, from: number, end: number): number {
  // A whole number of up to 15 digits and a power of ten up to 10^22 are exact, so that one division rounds once.
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
