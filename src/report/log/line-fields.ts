import { FIELDS } from "../decision.js";
import { NONE } from "./json-bytes.js";

// A key's length and first byte select one candidate. Three words of four bytes then compare it: at the beginning, in
// the middle and at the end. The words may overlap and cover keys of up to twelve bytes.
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

/** Returns the index in `FIELDS` of the key between two indexes; `NONE` for any other key. */
export function fieldAt(view: DataView, from: number, end: number): number {
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
