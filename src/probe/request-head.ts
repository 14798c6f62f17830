import { basicOf } from "../http/basic.js";
import type { ProbeRequest } from "./request.js";

/** The parts in which the probe's requests differ. */
export interface RequestShape {
  readonly method: string;
  readonly version: "1.0" | "1.1";
  /** The value of `Expect`; `undefined` for none. */
  readonly expect: string | undefined;
  readonly announced: number | "chunked" | "none";
  /** The length of an upload to ask about, in bytes. */
  readonly asksAbout?: number | undefined;
}

/** Returns the header section of a request, with its final empty line. */
export function headOf(request: ProbeRequest, url: URL, shape: RequestShape): string {
  const own = new Set(request.headers.map(([name]) => name.toLowerCase()));
  const lines = [`${shape.method} ${targetOf(request, url)} HTTP/${shape.version}`];
  const add = (name: string, value: string | number) => {
    if (!own.has(name.toLowerCase())) lines.push(`${name}: ${value}`.trimEnd());
  };
  add("Host", url.host);
  add("User-Agent", "express-expectations-probe");
  add("Accept", "*/*");
  const authorization = basicOf(url);
  if (authorization !== undefined) add("Authorization", authorization);
  if (isAbsolute(request, url) && request.proxy?.authorization !== undefined) {
    add("Proxy-Authorization", request.proxy.authorization);
  }
  for (const [name, value] of request.headers) lines.push(`${name}: ${value}`);
  if (shape.expect !== undefined) add("Expect", shape.expect);
  if (shape.announced === "chunked") add("Transfer-Encoding", "chunked");
  else if (shape.announced !== "none") add("Content-Length", shape.announced);
  if (shape.asksAbout !== undefined) {
    add("Upload-Length", shape.asksAbout);
    add("Upload-Method", request.method);
  }
  if (shape.announced !== "none" || shape.asksAbout !== undefined) add("Content-Type", "application/octet-stream");
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** Returns content with the framing that the header section announced. */
export function framed(content: Buffer, announced: RequestShape["announced"]): Buffer {
  if (announced !== "chunked") return content;
  const size = Buffer.from(`${content.length.toString(16)}\r\n`);
  return Buffer.concat([...(content.length > 0 ? [size, content, Buffer.from("\r\n")] : []), Buffer.from("0\r\n\r\n")]);
}

// A request to a proxy has a target in absolute-form (RFC 9112 §3.2.2). Requests through a tunnel do not.
function isAbsolute({ proxy }: ProbeRequest, url: URL): boolean {
  return proxy !== undefined && url.protocol === "http:";
}

function targetOf(request: ProbeRequest, url: URL): string {
  const path = `${url.pathname}${url.search}`;
  return isAbsolute(request, url) ? `http://${url.host}${path}` : path;
}
