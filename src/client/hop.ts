import type { OutgoingHttpHeaders } from "node:http";
import { basicOf } from "../http/basic.js";
import type { Body } from "./body.js";
import { announcedIn, type UploadHeaders, type UploadResult, type UploadSettings } from "./options.js";

/** The address and the fields of one request. A redirect, a challenge or a 417 leads to another one. */
export interface Hop {
  readonly url: URL;
  readonly headers: UploadHeaders;
  /** Whether the request sends `Expect: 100-continue`. */
  readonly expects: boolean;
  readonly redirects: number;
  readonly isAuthenticated: boolean;
}

const OF_ONE_ORIGIN = ["authorization", "cookie", "host", "proxy-authorization"];

/**
 * Makes the first request. Credentials in the URL become a field.
 *
 * @param url - the caller's own copy, which is changed.
 */
export function firstHop(url: URL, headers: UploadHeaders, body: Body): Hop {
  const authorization = basicOf(url);
  const all = authorization === undefined ? headers : { authorization, ...headers };
  return { url: stripped(url), headers: all, expects: body.length !== 0, redirects: 0, isAuthenticated: false };
}

/** Whether a response with this status may lead to another request. */
export function mayGoOn(status: number): boolean {
  return status === 417 || status === 401 || status === 307 || status === 308;
}

/** Returns the request to make after a response that came before the body; `undefined` if there is none to make. */
export async function nextHop(hop: Hop, result: UploadResult, settings: UploadSettings): Promise<Hop | undefined> {
  const { status, headers, sentBytes } = result;
  // RFC 9110 §10.1.1
  if (status === 417) return hop.expects ? { ...hop, expects: false } : undefined;
  if (sentBytes > 0) return undefined;
  if (status === 401 && !hop.isAuthenticated) {
    const added = await settings.authenticate?.({ url: hop.url, headers });
    if (!added) return undefined;
    announcedIn(added);
    return { ...hop, headers: { ...without(hop.headers, Object.keys(added)), ...added }, isAuthenticated: true };
  }
  if ((status !== 307 && status !== 308) || hop.redirects >= settings.maxRedirects) return undefined;
  const url = redirectOf(hop.url, headers.location);
  if (!url) return undefined;
  const redirected = { ...hop, url, redirects: hop.redirects + 1 };
  if (url.origin === hop.url.origin) return redirected;
  return { ...redirected, headers: without(hop.headers, OF_ONE_ORIGIN), isAuthenticated: false };
}

/** Returns the fields of a request by lower-case name, with those that frame the body. */
export function fieldsOf({ headers, expects }: Hop, { length }: Body): OutgoingHttpHeaders {
  const fields: OutgoingHttpHeaders = {};
  for (const name of Object.keys(headers)) fields[name.toLowerCase()] = headers[name] as string;
  if (expects) fields.expect = "100-continue";
  if (length === undefined) fields["transfer-encoding"] = "chunked";
  else if (length > 0) fields["content-length"] = length;
  return fields;
}

// From https: to http: the body would go out unencrypted.
function redirectOf(from: URL, location: string | undefined): URL | undefined {
  if (location === undefined || !URL.canParse(location, from.href)) return undefined;
  const url = stripped(new URL(location, from));
  return url.protocol === "https:" || (url.protocol === "http:" && from.protocol === "http:") ? url : undefined;
}

function stripped(url: URL): URL {
  if (url.username !== "" || url.password !== "" || url.hash !== "") url.username = url.password = url.hash = "";
  return url;
}

function without(headers: UploadHeaders, names: readonly string[]): UploadHeaders {
  const lower = names.map((name) => name.toLowerCase());
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !lower.includes(name.toLowerCase())));
}
