import { basicOf } from "../http/basic.js";
import type { ProbeRequest } from "./request.js";
import { isHarmlessField } from "./shown.js";

/** Returns all texts of a request that must never be shown, in every encoding that a peer may send back. */
export function secretsOf(request: ProbeRequest): string[] {
  const secrets: string[] = [];
  const add = (...texts: string[]) => {
    for (const text of texts)
      secrets.push(text, Buffer.from(text, "utf8").toString("latin1"), encodeURIComponent(text));
  };
  const addValue = (value: string) =>
    add(value, ...value.split(/[\s;,=]+/).filter((part) => part.length >= 6), ...basicParts(value));
  for (const url of [request.url, request.via]) {
    if (!url) continue;
    const authorization = basicOf(url);
    if (authorization !== undefined) addValue(authorization);
    for (const value of url.searchParams.values()) if (value.length >= 6) add(value);
  }
  if (request.proxy?.authorization !== undefined) addValue(request.proxy.authorization);
  for (const [name, value] of request.headers) if (!isHarmlessField(name)) addValue(value);
  return secrets;
}

/** Returns the names of the fields of a request that may hold credentials. */
export function secretNamesOf({ headers }: ProbeRequest): string[] {
  return headers.map(([name]) => name).filter((name) => !isHarmlessField(name));
}

// Splits "Basic QWxhZGRpbjpvcGVu" into the encoded text and what it stands for. The word "Basic" is not a secret.
function basicParts(value: string): string[] {
  const coded = /^basic +(\S+)$/i.exec(value)?.[1];
  if (coded === undefined) return [];
  const user = Buffer.from(coded, "base64").toString("utf8");
  const colon = user.indexOf(":");
  return [coded, user, user.slice(0, colon), user.slice(colon + 1)];
}
