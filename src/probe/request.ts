import { basicOf } from "./credentials.js";

/** Where a URL's server listens. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
}

/** The address in a URL; an IPv6 one without its brackets. */
export function addressOf(url: URL): ServerAddress {
  const isTls = url.protocol === "https:";
  return { host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port) || (isTls ? 443 : 80), isTls };
}

/** A forward proxy. */
export interface ProxyAddress extends ServerAddress {
  /** The value of `Proxy-Authorization`. */
  readonly authorization?: string;
}

/** What to probe and how, checked. */
export interface ProbeRequest {
  readonly url: URL;
  /** A second URL, which reaches the origin directly. */
  readonly via?: URL;
  readonly method: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly content: Buffer;
  /** Content for pushing without waiting: more than sockets buffer, where the user did not say how much. */
  readonly pushedContent: Buffer;
  readonly timeoutMs: number;
  readonly isInsecure: boolean;
  /** Addresses by `host:port`. */
  readonly resolve: ReadonlyMap<string, string>;
  readonly proxy?: ProxyAddress;
  readonly only?: ReadonlySet<string>;
}

/** How a request of the probe differs from the others. */
export interface RequestShape {
  readonly method: string;
  readonly version: "1.0" | "1.1";
  /** The value of `Expect`; `undefined` for none. */
  readonly expect: string | undefined;
  readonly announced: number | "chunked" | "none";
}

/** A header section, as it is sent. */
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
  if (shape.announced !== "none") add("Content-Type", "application/octet-stream");
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** Content in the framing that the header section announced. */
export function framed(content: Buffer, announced: RequestShape["announced"]): Buffer {
  if (announced !== "chunked") return content;
  const size = Buffer.from(`${content.length.toString(16)}\r\n`);
  return Buffer.concat([...(content.length > 0 ? [size, content, Buffer.from("\r\n")] : []), Buffer.from("0\r\n\r\n")]);
}

// RFC 9112 §3.2.2: absolute-form to a proxy, except through its tunnel.
function isAbsolute({ proxy }: ProbeRequest, url: URL): boolean {
  return proxy !== undefined && url.protocol === "http:";
}

function targetOf(request: ProbeRequest, url: URL): string {
  const path = `${url.pathname}${url.search}`;
  return isAbsolute(request, url) ? `http://${url.host}${path}` : path;
}
