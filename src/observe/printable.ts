const MAX_LENGTH = 1024;

/**
 * Returns text from a client in a form that is safe to log.
 *
 * Escapes control characters and line separators (C0, C1, U+2028, U+2029), which could forge lines of a log or control
 * a terminal. Cuts text that is longer than 1,024 characters.
 */
export function printable(text: string): string {
  const cut = text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to escape
  return cut.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, escaped);
}

/** Returns a character as its escape sequence, such as `\\u001b`. */
export function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/**
 * Returns a request's target without the parts that may hold secrets: query values, the fragment, and the userinfo of
 * an absolute URI. The names of the query stay.
 */
export function loggableUrl(url: string): string {
  const [withoutFragment = ""] = url.split("#", 1);
  const at = withoutFragment.indexOf("?");
  const path = (at < 0 ? withoutFragment : withoutFragment.slice(0, at)).replace(/^([a-z][\w+.-]*:\/\/)[^/]*@/i, "$1");
  if (at < 0) return printable(path);
  const names = withoutFragment
    .slice(at + 1)
    .split("&")
    .map((pair) => (pair.includes("=") ? `${pair.slice(0, pair.indexOf("="))}=` : ""))
    .filter((name) => name !== "");
  return printable(`${path}?${names.join("&")}`);
}
