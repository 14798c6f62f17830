/** Returns the token (RFC 9110 §5.6.2) that begins at `from`, or `""` if there is none. */
export function tokenAt(raw: string, from: number): string {
  let end = from;
  while (end < raw.length && isTchar(raw.charCodeAt(end))) end++;
  return raw.slice(from, end);
}

const TCHARS = new Set([..."!#$%&'*+-.^_`|~"].map((c) => c.charCodeAt(0)));

function isTchar(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || TCHARS.has(code);
}

/** Whether the whole text is one token (RFC 9110 §5.6.2). */
export function isToken(text: string): boolean {
  return text !== "" && tokenAt(text, 0).length === text.length;
}

/**
 * Converts A to Z to lower case, and leaves all other characters as they are.
 *
 * String.prototype.toLowerCase() also converts others: the Kelvin sign (U+212A) would become the letter k.
 */
export function lowerAscii(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: matches ASCII, the usual case, for which toLowerCase() is right and faster
  if (/^[\u0000-\u007f]*$/.test(text)) return text.toLowerCase();
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
