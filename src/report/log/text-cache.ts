const SLOTS = 8_192;
const LONGEST = 160;
const MOST_SHORT = 256;
const STRIDE = LONGEST / 4;

/**
 * Decodes bytes, and returns the same string for the same bytes.
 *
 * Logs repeat themselves, so most strings are not created again. The cache takes at most about 4 MB.
 */
export class TextCache {
  readonly #words = new Int32Array(SLOTS * STRIDE);
  readonly #lengths = new Uint8Array(SLOTS);
  readonly #texts: string[] = new Array<string>(SLOTS).fill("");
  readonly #short = new Map<number, string>();

  /**
   * Returns the text between two indexes.
   *
   * @param view - of the same bytes.
   */
  text(bytes: Buffer, view: DataView, from: number, end: number): string {
    const length = end - from;
    if (length < 4) return this.#shortText(bytes, from, length);
    if (length > LONGEST) return bytes.toString("utf8", from, end);
    const slot = slotOf(view, from, end);
    if (this.#lengths[slot] === length && this.#holds(slot, view, from, end)) return this.#texts[slot] as string;
    const text = bytes.toString("utf8", from, end);
    this.#lengths[slot] = length;
    this.#texts[slot] = text;
    this.#keep(slot, view, from, end);
    return text;
  }

  // Shorter than one word of four bytes, such as methods and HTTP versions.
  #shortText(bytes: Buffer, from: number, length: number): string {
    let key = length;
    for (let i = 0; i < length; i++) key = (key << 8) | (bytes[from + i] as number);
    const known = this.#short.get(key);
    if (known !== undefined) return known;
    const text = bytes.toString("utf8", from, from + length);
    if (this.#short.size < MOST_SHORT) this.#short.set(key, text);
    return text;
  }

  #holds(slot: number, view: DataView, from: number, end: number): boolean {
    const words = this.#words;
    let word = slot * STRIDE;
    for (let at = from; at + 4 < end; at += 4) if (words[word++] !== view.getInt32(at)) return false;
    return words[word] === view.getInt32(end - 4);
  }

  #keep(slot: number, view: DataView, from: number, end: number): void {
    const words = this.#words;
    let word = slot * STRIDE;
    for (let at = from; at + 4 < end; at += 4) words[word++] = view.getInt32(at);
    words[word] = view.getInt32(end - 4);
  }
}

// Beginning, middle and end distinguish most values. A collision only costs time.
function slotOf(view: DataView, from: number, end: number): number {
  let hash = end - from;
  hash = Math.imul(hash ^ view.getInt32(from), 0x9e3779b1);
  hash = Math.imul(hash ^ view.getInt32((from + end - 4) >> 1), 0x85ebca6b);
  hash = Math.imul(hash ^ view.getInt32(end - 4), 0xc2b2ae35);
  return (hash ^ (hash >>> 15)) & (SLOTS - 1);
}
