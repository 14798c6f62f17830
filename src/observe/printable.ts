const LONGEST_VALUE = 1024;

/**
 * Makes text from the client fit for a log: control characters escaped (C0, C1, U+2028, U+2029), long values cut.
 */
export function printable(text: string): string {
  const cut = text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to escape
  return cut.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, escaped);
}

export function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/**
 * A request's target without what must not be logged: query values, fragment, the userinfo of an absolute URI.
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
