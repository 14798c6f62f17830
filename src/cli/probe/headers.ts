import { UsageError } from "../usage.js";
import { credentials, wrong } from "./values.js";

/** A token (RFC 9110 §5.6.2), such as a method or a field name. */
export const TOKEN: RegExp = /^[\w!#$%&'*+.^`|~-]+$/;

/** Fields that the probe sets itself. They are what an exchange tests. */
const OWN_FIELDS = new Set(["expect", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"]);

/** Reads the fields of `--header`, and the credentials of `--user`, which replace those of a field. */
export function headersOf(lines: readonly string[], user: string | undefined): [string, string][] {
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon));
    if (!TOKEN.test(name)) throw new UsageError("--header: received a line without a name; expected 'Name: value'");
    const value = Buffer.from(line.slice(colon + 1).trim(), "utf8").toString("latin1");
    if (["\0", "\r", "\n"].some((c) => value.includes(c)))
      throw new UsageError(`--header: received a line break in ${name}; expected one line`);
    if (OWN_FIELDS.has(name.toLowerCase())) {
      throw wrong("--header", name, "another field: the command sets this one itself");
    }
    return [name, value];
  });
  if (user === undefined) return headers;
  return [
    ...headers.filter(([name]) => name.toLowerCase() !== "authorization"),
    ["Authorization", credentials("--user", user)],
  ];
}
