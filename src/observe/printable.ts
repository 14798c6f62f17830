const MAX_LENGTH = 1024;

// Control characters, format characters, line and paragraph separators, and halves of a surrogate pair.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * Returns text from a client in a form that is safe to log.
 *
 * Cuts text that is longer than 1,024 characters, and escapes characters as {@link withEscapes} does.
 */
export function printable(text: string): string {
  return withEscapes(text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text);
}

/**
 * Escapes control characters, format characters and line separators, such as ESC, U+009B, U+202E and U+2028.
 *
 * They could forge lines of a log, control a terminal, or hide and reorder text. In the text of a JSON value the
 * escapes stand for the same characters.
 */
export function withEscapes(text: string): string {
  return text.replace(UNPRINTABLE, escaped);
}

/** Returns a character as its escape sequence, such as `\\u001b`: one for each UTF-16 code unit, as JSON has it. */
function escaped(character: string): string {
  return character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
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
