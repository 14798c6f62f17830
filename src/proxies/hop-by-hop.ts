import type { ClientRequest, IncomingMessage } from "node:http";
import { lowerAscii } from "../http/token.js";

// RFC 9110 §7.6.1. Node handles the framing fields itself on each side.
const HOP_BY_HOP = ["keep-alive", "proxy-connection", "te", "upgrade"];
const NEVER_DROPPED = new Set(["content-length", "expect", "host", "transfer-encoding"]);

/** Removes the connection's own fields, and those that the client nominated, from a request to the origin. */
export function dropHopByHop(req: IncomingMessage, proxyReq: ClientRequest): void {
  for (const name of HOP_BY_HOP) proxyReq.removeHeader(name);
  // A nominated field is dropped only if it has the client's value, not if the proxy has set it.
  for (const name of nominated(req.headers.connection)) {
    const sent = linesOf(req.rawHeaders, name);
    if (sent.length > 0 && String(proxyReq.getHeader(name)) === sent.join(", ")) proxyReq.removeHeader(name);
  }
  const connection = proxyReq.getHeader("Connection");
  if (connection !== undefined && connection !== "close") proxyReq.setHeader("Connection", "keep-alive");
}

// Not `headersDistinct`: in Node 20.19 it inherits from Object, and a client may nominate `constructor`.
function linesOf(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, i, raw) => i % 2 === 1 && lowerAscii(raw[i - 1] as string) === name);
}

/** Removes the connection's own fields from an origin's response, since proxies copy all of them. */
export function dropConnectionFields({ headers }: IncomingMessage): void {
  for (const name of [...HOP_BY_HOP, ...nominated(headers.connection), "connection"]) delete headers[name];
}

function nominated(connection: string | undefined): string[] {
  const names = (connection ?? "").split(",").map((name) => lowerAscii(name.trim()));
  return names.filter((name) => name !== "" && !NEVER_DROPPED.has(name));
}
