import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { isIP } from "node:net";
import proxyaddr from "proxy-addr";
import { type Expectation, parseExpect } from "../http/expect-header.js";
import { announcedContent, isSafe } from "../http/message.js";
import { lowerAscii } from "../http/token.js";

/**
 * The request that a proxy asks about, as policies see it: its own method, target and fields, not those of the question.
 *
 * It has no content and no connection. Its `socket` has only `remoteAddress` and `encrypted`, and nothing can be read.
 */
export type AdmissionRequest = IncomingMessage & {
  readonly originalUrl: string;
  /** The client's address. */
  readonly ip: string | undefined;
  readonly protocol: "http" | "https";
  /** The value of a field, whatever the letter case of its name. */
  get(name: string): string | undefined;
};

/** A proxy's description of a request. */
export interface OriginalRequest {
  readonly req: AdmissionRequest;
  /** Announced bytes; 0 for none; `undefined` for an unknown length. */
  readonly length: number | undefined;
  readonly expectations: readonly Expectation[];
}

/** Whether an address belongs to a trusted proxy. Hop 0 is the proxy that asks. */
export type TrustsAddress = (address: string, hop: number) => boolean;

/** The fields that are read. The shipped proxy configurations set all of them and drop what the client sent. */
export const ADMISSION_FIELDS = [
  "x-original-method",
  "x-original-uri",
  "x-upload-length",
  "x-original-transfer-encoding",
  "x-original-expect",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
] as const;

type FieldName = (typeof ADMISSION_FIELDS)[number];
type Told = Partial<Record<FieldName, string>>;

// These describe the question itself (RFC 9110 §7.6.1), or are replaced below. Caddy adds the last two.
const NOT_OF_THE_ORIGINAL: ReadonlySet<string> = new Set([
  ...ADMISSION_FIELDS.filter((name) => !name.startsWith("x-forwarded-")),
  "connection",
  "content-length",
  "expect",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "x-forwarded-method",
  "x-forwarded-uri",
]);

/**
 * Reads a proxy's description of a request.
 *
 * @returns the fault as text if the description is malformed, incomplete, repeated or contradictory.
 */
export function readOriginal(asking: IncomingMessage, trusts: TrustsAddress): OriginalRequest | string {
  if (announcedContent(asking).length !== 0) return "content of its own: the proxy must not send the body along";
  const told = toldFields(asking.rawHeaders);
  if (typeof told === "string") return told;
  const method = told["x-original-method"];
  const url = told["x-original-uri"];
  // RFC 9110 §9.1: method = token
  if (method === undefined || !/^[!#$%&'*+.^_`|~\w-]+$/.test(method)) return "no method in X-Original-Method";
  // RFC 9112 §3.2: origin-form, absolute-form, asterisk-form
  if (url === undefined || !/^(?:\/|https?:\/\/|\*$)[\x21-\x7e\x80-\xff]*$/i.test(url)) {
    return "no request target in X-Original-URI";
  }
  const length = lengthOf(told, method);
  if (typeof length === "string") return length;
  const protocol = lowerAscii(told["x-forwarded-proto"] ?? "http");
  if (protocol !== "http" && protocol !== "https") return "no scheme in X-Forwarded-Proto";
  const host = told["x-forwarded-host"] ?? asking.headers.host;
  if (host !== undefined && !/^[\w.:[\]%-]+$/.test(host)) return "no host in X-Forwarded-Host";
  const ip = proxyaddr(asking, (address, hop) => trusts(address ?? "", hop)) as string | undefined;
  if (told["x-forwarded-for"] !== undefined && !isIP(ip ?? "")) return "no address in X-Forwarded-For";
  const expect = told["x-original-expect"];
  return {
    req: facade(asking, { method, url, ip, protocol, host, expect, ...length }),
    expectations: expect === undefined ? [] : parseExpect([expect]),
    ...length,
  };
}

// An empty field counts as none: Caddy replaces the placeholder of a missing field by an empty string.
function toldFields(rawHeaders: readonly string[]): Told | string {
  const told: Told = {};
  const seen = new Set<string>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = lowerAscii(rawHeaders[i] as string);
    if (!(ADMISSION_FIELDS as readonly string[]).includes(name)) continue;
    if (seen.has(name)) return `more than one ${rawHeaders[i]}`;
    seen.add(name);
    const value = rawHeaders[i + 1] as string;
    if (value !== "") told[name as FieldName] = value;
  }
  return told;
}

// Without a length, an unsafe method counts as an upload of unknown length. Some proxies (Caddy) show no
// Transfer-Encoding, and HTTP/2 has none.
function lengthOf(told: Told, method: string): { length: number | undefined } | string {
  const coding = told["x-original-transfer-encoding"];
  const length = told["x-upload-length"];
  if (coding !== undefined) {
    if (length !== undefined) return "X-Upload-Length beside X-Original-Transfer-Encoding";
    return lowerAscii(coding) === "chunked" ? { length: undefined } : "a transfer coding other than chunked";
  }
  if (length === undefined) return { length: isSafe(method) ? 0 : undefined };
  if (!/^\d+$/.test(length) || !Number.isSafeInteger(Number(length))) return "no length in X-Upload-Length";
  return { length: Number(length) };
}

interface Described {
  readonly method: string;
  readonly url: string;
  readonly ip: string | undefined;
  readonly protocol: "http" | "https";
  readonly host: string | undefined;
  readonly length: number | undefined;
  readonly expect: string | undefined;
}

function facade(asking: IncomingMessage, described: Described): AdmissionRequest {
  const { method, url, ip, protocol, host, length, expect } = described;
  const replaced: [name: string, value: string][] = [];
  if (host !== undefined) replaced.push(["Host", host]);
  if (length === undefined) replaced.push(["Transfer-Encoding", "chunked"]);
  else if (length > 0 || !isSafe(method)) replaced.push(["Content-Length", String(length)]);
  if (expect !== undefined) replaced.push(["Expect", expect]);
  const headers: IncomingHttpHeaders = {};
  for (const [name, value] of Object.entries(asking.headers)) if (isOfTheOriginal(name)) headers[name] = value;
  for (const [name, value] of replaced) headers[name.toLowerCase()] = value;
  const rawHeaders = asking.rawHeaders.filter((_, i, raw) => isOfTheOriginal(lowerAscii(raw[i - (i % 2)] as string)));
  const request = {
    method,
    url,
    originalUrl: url,
    headers,
    rawHeaders: [...replaced.flat(), ...rawHeaders],
    httpVersion: "1.1",
    httpVersionMajor: 1,
    httpVersionMinor: 1,
    ip,
    protocol,
    socket: { remoteAddress: ip, encrypted: protocol === "https" },
    get(name: string) {
      const value = headers[name.toLowerCase()];
      return Array.isArray(value) ? value.join(", ") : value;
    },
  };
  return request as unknown as AdmissionRequest;
}

function isOfTheOriginal(name: string): boolean {
  return name !== "host" && !name.startsWith(":") && !NOT_OF_THE_ORIGINAL.has(name);
}
