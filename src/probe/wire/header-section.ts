/** Returns the value of a field in a header section. Values of the same name are joined with ", ". */
export function fieldOf(section: string | readonly string[], name: string): string | undefined {
  const lines = typeof section === "string" ? section.split(/\r?\n/) : section;
  const values = lines
    .slice(1)
    .filter((line) => line.slice(0, line.indexOf(":")).toLowerCase() === name)
    .map((line) => line.slice(line.indexOf(":") + 1).trim());
  return values.length === 0 ? undefined : values.join(", ");
}

/**
 * Finds the end of a header section.
 *
 * @param maxBytes - how far to look.
 * @param from - where to begin: there is no end before it.
 * @returns the index after the empty line; `undefined` if there is none yet.
 */
export function endOfSection(bytes: Buffer, maxBytes: number, from = 0): number | undefined {
  const text = bytes.subarray(from, maxBytes + 4).toString("latin1");
  const match = /\n\r?\n/.exec(text);
  return match ? from + match.index + match[0].length : undefined;
}
