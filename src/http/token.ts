/** The token (RFC 9110 §5.6.2) that begins at `from`; `""` when none does. */
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
 * Lower case for A to Z alone: String.prototype.toLowerCase() also folds letters such as the Kelvin sign.
 */
export function lowerAscii(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII, which is what nearly every text is
  if (/^[\u0000-\u007f]*$/.test(text)) return text.toLowerCase();
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
