/** Returns the value of `Authorization` for the userinfo of a URL; `undefined` if it has none. */
export function basicOf(url: URL): string | undefined {
  if (url.username === "" && url.password === "") return undefined;
  return basic(`${decoded(url.username)}:${decoded(url.password)}`);
}

/**
 * Returns a field value for the Basic scheme (RFC 7617).
 *
 * @param user - `name:password`.
 */
export function basic(user: string): string {
  return `Basic ${Buffer.from(user, "utf8").toString("base64")}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
