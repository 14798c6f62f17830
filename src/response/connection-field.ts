import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from "node:http";

/** The fields argument of `writeHead()`, in all its forms. */
export type HeadFields =
  | OutgoingHttpHeaders
  | OutgoingHttpHeader[]
  | readonly (readonly [string, OutgoingHttpHeader])[];

/**
 * Puts `Connection: close` where `writeHead()` takes it from, in place of any other `Connection` or `Keep-Alive`.
 *
 * @returns the fields to pass to `writeHead()`; the caller's own object is not changed.
 */
export function withClose(res: ServerResponse, fields: HeadFields | undefined): HeadFields | undefined {
  if (fields == null || res.getHeaderNames().length > 0) {
    if (res.hasHeader("Keep-Alive")) res.removeHeader("Keep-Alive");
    res.setHeader("Connection", "close");
    return fields == null ? undefined : withoutConnection(fields);
  }
  const others = withoutConnection(fields);
  if (!Array.isArray(others)) return { ...others, Connection: "close" };
  return Array.isArray(fields[0 as never]) ? [...others, ["Connection", "close"]] : [...others, "Connection", "close"];
}

function withoutConnection(fields: HeadFields): HeadFields {
  if (!Array.isArray(fields)) {
    if (!Object.keys(fields).some(isConnectionField)) return fields;
    return Object.fromEntries(Object.entries(fields).filter(([name]) => !isConnectionField(name)));
  }
  if (Array.isArray(fields[0])) return fields.filter((field) => !isConnectionField((field as [string])[0]));
  return fields.filter((_, i) => !isConnectionField(fields[i - (i % 2)]));
}

function isConnectionField(name: unknown): boolean {
  const folded = String(name).toLowerCase();
  return folded === "connection" || folded === "keep-alive";
}
