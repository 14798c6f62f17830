import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import proxyaddr from "proxy-addr";
import { describedFields } from "../hearing/described-fields.js";
import type { Described } from "../hearing/described-upload.js";
import { parseExpect } from "../http/expect-header.js";
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
export interface OriginalRequest extends Described {
  readonly req: AdmissionRequest;
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
  "x-forwarded-host",
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
  // RFC 9110 §9.1: method = token
  if (method === undefined || !/^[!#$%&'*+.^_`|~\w-]+$/.test(method)) return "no method in X-Original-Method";
  const target = targetOf(told["x-original-uri"]);
  if (target === undefined) return "no request target in X-Original-URI";
  const length = lengthOf(told);
  if (typeof length === "string") return length;
  const protocol = lowerAscii(told["x-forwarded-proto"] ?? "http");
  if (protocol !== "http" && protocol !== "https") return "no scheme in X-Forwarded-Proto";
  const host = target.authority ?? told["x-forwarded-host"] ?? asking.headers.host;
  if (host !== undefined && !HOST.test(host)) return "no host in X-Forwarded-Host";
  const ip = proxyaddr(asking, (address, hop) => trusts(address ?? "", hop)) as string | undefined;
  if (told["x-forwarded-for"] !== undefined && !isIP(ip ?? "")) return "no address in X-Forwarded-For";
  const expect = told["x-original-expect"];
  return {
    req: facade(asking, { method, url: target.url, ip, protocol, host, expect, ...length }),
    expectations: expect === undefined ? [] : parseExpect([expect]),
    isPreflight: false,
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

interface Target {
  /** In origin form, or `*`. */
  readonly url: string;
  /** Of a target in absolute form: it replaces `Host`. */
  readonly authority: string | undefined;
}

const HOST = /^[\w.:[\]%-]+$/;

// RFC 9112 §3.2: origin-form, absolute-form, asterisk-form. An origin gets the absolute form as origin form (§3.2.2), and
// a policy that saw another path than the origin could be bypassed. The same goes for a fragment, which no target has:
// some proxies encode it, and URL parsers drop it. nginx shows `?a=1` for `http://a?a=1`.
function targetOf(uri: string | undefined): Target | undefined {
  const parts = /^(?:https?:\/\/([^/?]+))?((?:[/?][^#]*)?)$/i.exec(uri ?? "");
  if (uri === "*") return { url: uri, authority: undefined };
  if (!uri || !parts || !/^[\x21-\x7e\x80-\xff]+$/.test(uri)) return undefined;
  const [, authority, rest = ""] = parts;
  // RFC 9110 §4.2.4: user information is an error.
  if (authority !== undefined && !HOST.test(authority)) return undefined;
  return { url: rest.startsWith("/") ? rest : `/${rest}`, authority };
}

// Without a length, the request counts as an upload of unknown length: HTTP/2 has no Transfer-Encoding, and Caddy does not
// show it. A proxy that is certain that there is no content sends 0.
function lengthOf(told: Told): { length: number | undefined } | string {
  const coding = told["x-original-transfer-encoding"];
  const length = told["x-upload-length"];
  if (coding !== undefined) {
    if (length !== undefined) return "X-Upload-Length beside X-Original-Transfer-Encoding";
    return lowerAscii(coding) === "chunked" ? { length: undefined } : "a transfer coding other than chunked";
  }
  if (length === undefined) return { length: undefined };
  if (!/^\d+$/.test(length) || !Number.isSafeInteger(Number(length))) return "no length in X-Upload-Length";
  return { length: Number(length) };
}

interface Original {
  readonly method: string;
  readonly url: string;
  readonly ip: string | undefined;
  readonly protocol: "http" | "https";
  readonly host: string | undefined;
  readonly length: number | undefined;
  readonly expect: string | undefined;
}

function facade(asking: IncomingMessage, original: Original): AdmissionRequest {
  const { method, url, ip, protocol, host, length, expect } = original;
  const replaced: [name: string, value: string][] = [];
  if (host !== undefined) replaced.push(["Host", host]);
  if (host !== undefined && asking.headers["x-forwarded-host"]) replaced.push(["X-Forwarded-Host", host]);
  if (length === undefined) replaced.push(["Transfer-Encoding", "chunked"]);
  else if (length > 0 || !isSafe(method)) replaced.push(["Content-Length", String(length)]);
  if (expect !== undefined) replaced.push(["Expect", expect]);
  const { headers, rawHeaders } = describedFields(asking, isOfTheOriginal, replaced);
  const request = {
    method,
    url,
    originalUrl: url,
    headers,
    rawHeaders,
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
