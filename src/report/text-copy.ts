/**
 * Copies a text into memory of its own.
 *
 * A slice in V8 is a view that keeps the whole text alive.
 */
export function copied(text: string): string {
  return Buffer.from(text, "utf16le").toString("utf16le");
}

/** Returns the text, or a copy of its beginning if it is longer than `length`. */
export function cut(value: string, length: number): string {
  return value.length <= length ? value : copied(value.slice(0, length));
}
